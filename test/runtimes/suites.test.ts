/**
 * The suites of the planned engine and of the ops on wasm in Node 20, 22 and 24, Deno, Bun and Chromium, where it shares memory and
 * where it does not: every algorithm against sums in float64, the networks and their gradients against PyTorch, threads, leaks.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, isolation, policy, resultOf } from './pages.mjs';
import type { SuitesResult } from './runSuites.js';
import { launchChromium, runtimes } from './runtimes.mjs';

const root = resolve(import.meta.dirname, '../..');

const files = ['test/plan', 'test/ops'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`)
    // Spies on the plan's own bookkeeping, which is the same everywhere, need vitest's processes.
    .filter((file) => !/import \{[^}]*\bvi\b[^}]*\} from 'vitest'/.test(readFileSync(join(root, file), 'utf8'))),
);

/** A script that runs the suites and hands the result to `report`. */
async function bundle(report: string, options: BuildOptions): Promise<string> {
  const suites = files.map((file) => `${JSON.stringify(file)}: () => import(${JSON.stringify(`./${file}`)})`);
  const { outputFiles } = await build({
    stdin: {
      contents: `import { runSuites } from './test/runtimes/runSuites.ts';\n${report}(runSuites({ ${suites} }));`,
      resolveDir: root,
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    mainFields: ['module', 'main'],
    loader: { '.wasm': 'binary' },
    // tfjs-core declares its files free of side effects, and they register gradients.
    ignoreAnnotations: true,
    alias: { vitest: join(import.meta.dirname, 'vitest.ts') },
    external: ['node:*', '@tensorflow/tfjs-node', 'webgpu'],
    define: { 'process.env.PYCONVUNET_BACKENDS': '"wasm"' },
    write: false,
    ...options,
  });
  return outputFiles?.[0]?.text ?? '';
}

function expectPassed({ passed, failed }: SuitesResult): void {
  expect(failed).toEqual([]);
  expect(passed).toBeGreaterThan(MOST_OF_THEM);
}

/** Fewer would mean that files were not found. */
const MOST_OF_THEM = 240;

describe('runtimes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-suites-'));
  const script = join(folder, 'suites.mjs');

  beforeAll(async () => {
    const report = 'const report = async (result) => console.log(JSON.stringify(await result));\nawait report';
    // tfjs asks for CommonJS modules of Node, and its wasm for the folder that it lies in.
    const js =
      "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\nconst __dirname = import.meta.dirname;";
    writeFileSync(script, await bundle(report, { platform: 'node', banner: { js } }));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(Object.entries(runtimes))('%s', (name, [command, ...args]) => {
    const { status, stdout, stderr } = spawnSync(command, [...args, script], { encoding: 'utf8' });
    expect(status, stderr.slice(-2000)).toBe(0);
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as SuitesResult;
    expectPassed(result);
    expect([result.relaxedSimd, result.sharedMemory]).toEqual([name !== 'node20', true]);
  });
});

describe('Chromium', () => {
  let browser: Browser;
  const scripts: Record<string, string> = {};
  beforeAll(async () => {
    browser = await launchChromium();
    scripts.page = await bundle('const report = (result) => { window.result = result; };\nreport', {
      platform: 'browser',
    });
    scripts.worker = await bundle('const report = async (result) => postMessage(await result);\nreport', {
      platform: 'browser',
    });
    scripts.starter = `
      const worker = new Worker('/worker.js', { type: 'module' });
      window.result = new Promise((resolve) => worker.addEventListener('message', ({ data }) => resolve(data)));`;
  });
  afterAll(() => browser?.close());

  test.each([
    ['an isolated page', 'page', isolation, true],
    ['a page that is not isolated', 'page', {}, false],
    ['a worker of an isolated page', 'starter', isolation, true],
  ])('%s', async (_, script, headers, isShared) => {
    const files = { '/page.js': scripts[script] ?? '', '/worker.js': scripts.worker ?? '' };
    const result = await resultOf<SuitesResult>(browser, files, { ...policy("; worker-src 'self' blob:"), ...headers });
    expectPassed(result);
    expect([result.relaxedSimd, result.sharedMemory]).toEqual([true, isShared]);
  });
});
