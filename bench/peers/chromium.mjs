// A contender in headless Chromium: a cross-origin-isolated page (so that wasm may have threads) with one script, which sets
// `window.contender` to a promise of { maxError, measure(count) }.
import { createReadStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importOrSkip, skip } from './protocol.mjs';

const ADVICE = 'npm --prefix bench/peers ci';
const here = fileURLToPath(new URL('.', import.meta.url));
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const IMPORTS = {
  '@litertjs/core': '/node_modules/@litertjs/core/dist/index.js',
  '@litertjs/wasm-utils': '/node_modules/@litertjs/wasm-utils/dist/index.js',
  'onnxruntime-web': '/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs',
};

/** Version of a package that the page loads, or the contender is skipped. */
export function installedVersion(name) {
  const manifest = join(here, 'node_modules', name, 'package.json');
  return existsSync(manifest)
    ? JSON.parse(readFileSync(manifest, 'utf8')).version
    : skip(`${name} is not installed: ${ADVICE}`);
}

/** Serves this folder, and the exported data under /data/. */
async function serveFiles(dataFolder, script) {
  const imports = JSON.stringify({ imports: IMPORTS });
  const page = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${imports}</script><body><script type="module" src="${script}"></script>`;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') {
      response.writeHead(200, { ...ISOLATED, 'Content-Type': TYPES['.html'] }).end(page);
      return;
    }
    const root = resolve(pathname.startsWith('/data/') ? dataFolder : here);
    const path = resolve(root, `.${pathname.replace(/^\/data\//, '/')}`);
    if (!path.startsWith(root + sep) || !existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { ...ISOLATED, 'Content-Type': type });
    createReadStream(path).pipe(response);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, url: `http://127.0.0.1:${server.address().port}/` };
}

/** Path of the browser: PYCONVUNET_CHROMIUM, or the one of @sparticuz/chromium, unpacked beside the exported data. */
async function browserPath(dataFolder) {
  if (process.env.PYCONVUNET_CHROMIUM !== undefined) return process.env.PYCONVUNET_CHROMIUM;
  const folder = join(resolve(dataFolder), 'chromium');
  mkdirSync(folder, { recursive: true });
  process.env.TMPDIR = folder;
  const { default: chromium } = await importOrSkip('@sparticuz/chromium', ADVICE);
  return chromium.executablePath();
}

/**
 * Opens the page of a contender.
 *
 * @param {{data: string, network: string, threads: number}} options
 * @param {string} script Path of the page's script below this folder, with a leading slash.
 * @returns {Promise<{maxError: number, browser: string, measure: (count: number) => Promise<number[]>, close: () => Promise<void>}>}
 */
export async function openContender({ data, network, threads }, script) {
  const { chromium } = await importOrSkip('playwright-core', ADVICE);
  const executablePath = await browserPath(data);
  const { server, url } = await serveFiles(data, script);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--headless=new'] });
  const page = await browser.newPage();
  page.setDefaultTimeout(300_000);
  page.on('console', (message) => console.error(message.text()));
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(`${url}?network=${encodeURIComponent(network)}&threads=${threads}`);
  await page.waitForFunction('window.contender !== undefined');
  if (!(await page.evaluate('crossOriginIsolated'))) skip('the page is not cross-origin isolated');
  const { maxError } = await page.evaluate('contender.then(({ maxError }) => ({ maxError }))');
  return {
    maxError,
    browser: `Chromium ${browser.version()}`,
    measure: (count) => page.evaluate(`contender.then(({ measure }) => measure(${count}))`),
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}
