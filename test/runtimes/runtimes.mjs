// The runtimes that tests start, by path, and the software GPU that Dawn, Deno and Chromium compute on in them.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const modules = join(folder, 'node_modules');

/** The command lines of the runtimes, without the script. */
export const runtimes = {
  node20: [process.execPath],
  node22: [join(modules, 'node22/bin/node')],
  node24: [join(modules, 'node24/bin/node')],
  deno: [join(modules, 'deno/deno'), 'run', '--allow-all', '--unstable-webgpu', '--quiet'],
  bun: [join(modules, 'bun/bin/bun.exe')],
};

/** Headless Chromium as scripts/test-runtimes.mjs has unpacked it, with SwiftShader and the Vulkan loader beside it; its path. */
async function chromiumPath() {
  if (process.env.PYCONVUNET_CHROMIUM !== undefined) return process.env.PYCONVUNET_CHROMIUM;
  const { default: chromium } = await import(join(modules, '@sparticuz/chromium/build/esm/index.js'));
  return chromium.executablePath();
}

/** Environment variables with which Dawn, Deno and Chromium find the SwiftShader adapter. */
export async function softwareGpu() {
  const libraries = dirname(await chromiumPath());
  return { VK_ICD_FILENAMES: join(libraries, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: libraries };
}

/** Starts headless Chromium on the software GPU. */
export async function launchChromium() {
  const { chromium } = await import(join(modules, 'playwright-core/index.mjs'));
  return chromium.launch({
    executablePath: await chromiumPath(),
    env: { ...process.env, ...(await softwareGpu()) },
    args: [
      '--no-sandbox',
      '--headless=new',
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
      '--enable-features=Vulkan',
    ],
  });
}
