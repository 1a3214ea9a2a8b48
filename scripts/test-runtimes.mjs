// `npm run test:runtimes`: the packed package and tfjs-core's own tests with our kernels in Node 22 and 24, Deno, Bun and headless
// Chromium, and the suites that run on any backend, on webgpu (Dawn over a software GPU). It installs the runtimes into
// test/runtimes by the lock file there (about 800 MB on disk): in the root their binaries would shadow the node that runs
// npm's scripts.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isStale } from './lib/build.mjs';
import { execute, root, Steps } from './lib/steps.mjs';

const folder = join(root, 'test/runtimes');
// Chromium and the drivers that come with it are unpacked into the folder for temporary files.
const unpacked = join(folder, '.chromium');

/** Installs the runtimes unless they are as the lock file says. */
function install() {
  const mark = join(folder, 'node_modules/.package-lock.json');
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs) return true;
  return execute('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder });
}

/** Unpacks Chromium with SwiftShader, a Vulkan driver that computes on the CPU. */
function unpack() {
  mkdirSync(unpacked, { recursive: true });
  const script =
    "import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath()).then(console.log)";
  const path = execFileSync(process.execPath, ['--eval', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: unpacked },
  });
  return existsSync(path.trim());
}

// Test files of the backend matrix that a software GPU cannot run in a reasonable time, each with the reason.
const LEFT_OUT = {
  'test/training/train.test.ts':
    'its hundred training steps take seconds each on a software GPU; test/training/everyBackend.test.ts trains once, held to backend cpu',
};

/** The test files with cases for each backend under test: they ask test/backends.ts which those are. */
function matrixFiles() {
  return readdirSync(join(root, 'test'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'runtimes')
    .flatMap((room) => readdirSync(join(root, 'test', room.name)).map((name) => `test/${room.name}/${name}`))
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => /describeBackends|backendNames/.test(readFileSync(join(root, file), 'utf8')));
}

/** The cases for webgpu, on SwiftShader; those of other backends in the same files are `npm test`'s. */
function testWebgpu() {
  const files = matrixFiles();
  for (const [file, reason] of Object.entries(LEFT_OUT)) {
    if (!files.includes(file)) throw new Error(`There is no test file ${file} of the matrix to leave out on webgpu.`);
    console.log(`Left out on webgpu: ${file}: ${reason}.`);
  }
  const suites = files.filter((file) => !(file in LEFT_OUT));
  const options = ['--testNamePattern', 'webgpu', '--testTimeout', '300000'];
  steps.vitest('webgpu', [...options, ...suites], { env: { ...env, PYCONVUNET_BACKENDS: 'webgpu' } });
}

const steps = new Steps();
const isReady = (await steps.run('install the runtimes', install)) && (await steps.run('unpack Chromium', unpack));
const isBuilt = !isStale() || (await steps.run('build', 'npm', ['run', '--silent', 'build']));
const env = {
  PYCONVUNET_CHROMIUM: join(unpacked, 'chromium'),
  VK_ICD_FILENAMES: join(unpacked, 'vk_swiftshader_icd.json'),
  LD_LIBRARY_PATH: unpacked,
};
if (isReady && isBuilt) {
  steps.vitest('the packed package in other runtimes', ['--config', 'test/runtimes/vitest.config.ts'], { env });
}
const tfjsCore = (backend, ...args) => ['scripts/tfjs-core-tests.mjs', '--backend', backend, ...args];
// The kernels of backend cpu are JavaScript, which one runtime tests.
await steps.run("tfjs-core's own tests on cpu", 'node', tfjsCore('cpu'));
const everywhere = isReady ? ['--runtime', 'all'] : [];
await steps.run("tfjs-core's own tests on wasm", 'node', tfjsCore('wasm', ...everywhere), { env });
if (isReady) testWebgpu();
steps.finish();
