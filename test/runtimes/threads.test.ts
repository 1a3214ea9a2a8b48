/** The pool of threads in Node, Deno, Bun and Chromium: on an isolated page, on one that is not, in a worker, without permission. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, isolation, policy, resultOf } from './pages.mjs';
import { launchChromium, runtimes } from './runtimes.mjs';
import type { ThreadsResult } from './threadsSmoke.js';

function bundle(contents: string): string {
  const { outputFiles } = buildSync({
    stdin: { contents: `import { smoke } from './threadsSmoke.ts';\n${contents}`, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0].text;
}

function expectThreads({ wrong, runs, trap, ...rest }: ThreadsResult): void {
  expect(rest).toEqual({ registered: 1, problem: null, met: true });
  expect(runs).toBeGreaterThan(5000);
  expect(wrong).toBe(0);
  expect(trap).toMatch(/^Error: A kernel of the planned engine failed: trap: .*unreachable/i);
}

function expectOneThread({ wrong, runs, trap, registered, met }: ThreadsResult): void {
  expect({ registered, met, wrong }).toEqual({ registered: 0, met: false, wrong: 0 });
  expect(runs).toBeGreaterThan(5000);
  expect(trap).toMatch(/unreachable/i);
}

describe('runtimes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-threads-'));
  const script = join(folder, 'threads.mjs');

  beforeAll(() => writeFileSync(script, bundle('console.log(JSON.stringify(await smoke()));')));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (command: string, args: readonly string[]): ThreadsResult => {
    const { status, stdout, stderr } = spawnSync(command, [...args, script], { encoding: 'utf8', timeout: 60_000 });
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ThreadsResult;
  };

  test.each(Object.entries(runtimes))('%s', (_, [command, ...args]) => expectThreads(run(command, args)));

  test('Node that allows no workers', () => {
    const result = run(runtimes.node24[0], ['--permission', '--allow-fs-read=*']);
    expectOneThread(result);
    expect(result.problem).toMatch(/restricted/);
  });
});

describe('Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** The result on a page with these headers; the smoke runs on it or in a worker that it starts. */
  const open = (contents: string, headers: Record<string, string>): Promise<ThreadsResult> =>
    resultOf(browser, { '/page.js': bundle(contents), '/worker.js': bundle('postMessage(await smoke());') }, headers);

  const onPage = 'window.result = smoke();';

  test('an isolated page', async () => {
    expectThreads(await open(onPage, { ...policy('; worker-src blob:'), ...isolation }));
  });

  test('a worker of an isolated page', async () => {
    const contents = `
      const worker = new Worker('/worker.js', { type: 'module' });
      window.result = new Promise((resolve) => worker.addEventListener('message', ({ data }) => resolve(data)));`;
    expectThreads(await open(contents, { ...policy("; worker-src 'self' blob:"), ...isolation }));
  });

  test('an isolated page that allows no workers', async () => {
    const result = await open(onPage, { ...policy(''), ...isolation });
    expectOneThread(result);
    expect(result.problem).toBe('the page does not allow workers (Content-Security-Policy: worker-src blob:)');
  });

  test('a page that is not isolated', async () => {
    const result = await open(onPage, policy('; worker-src blob:'));
    expectOneThread(result);
    expect(result.problem).toBe('the memory cannot be shared (in a browser: the page is not cross-origin isolated)');
  });
});
