/** What doctor says of the planned engine in Chromium: on an isolated page, on one that is not, and where the page forbids parts of it. */
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DoctorReport } from '../../src/runtime/doctor.js';
import { isPassed } from '../../src/runtime/engineReport.js';
import { type Browser, isolation, policy, resultOf } from './pages.mjs';
import { launchChromium } from './runtimes.mjs';

const contents = `
  import { doctor } from './src/runtime/doctor.ts';
  import { useBackend } from './src/runtime/backends.ts';
  import './src/wasm.ts';
  window.result = doctor().then(async (report) => ({
    ...report,
    start: await useBackend('wasm', { log: () => {} }).then(() => null, ({ name, message }) => name + ': ' + message),
  }));`;

describe('doctor in Chromium', () => {
  let browser: Browser;
  let script = '';
  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: resolve(import.meta.dirname, '../..') },
      bundle: true,
      format: 'esm',
      target: 'es2022',
      platform: 'browser',
      mainFields: ['module', 'main'],
      loader: { '.wasm': 'binary' },
      // tfjs-core declares its files free of side effects, and they register gradients.
      ignoreAnnotations: true,
      external: ['node:*', '@tensorflow/tfjs-node', 'webgpu'],
      write: false,
    });
    script = outputFiles[0]?.text ?? '';
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  async function open(headers: Record<string, string>) {
    const { backends, ...report } = await resultOf<DoctorReport & { readonly start: string | null }>(
      browser,
      { '/page.js': script },
      headers,
    );
    return { ...report, wasm: backends.find(({ name }) => name === 'wasm') };
  }

  function expectRight({ wasm, problems, start }: Awaited<ReturnType<typeof open>>): void {
    expect(problems).toEqual([]);
    expect(start).toBeNull();
    expect(wasm?.engine?.simd).toBe('relaxed');
    expect(wasm?.engine?.selfTest).toHaveLength(18);
    expect(wasm?.engine?.selfTest.filter((each) => !isPassed(each))).toEqual([]);
    expect(wasm?.engine?.kernels.ours).toContain('PyConv2D');
  }

  test('an isolated page', async () => {
    const report = await open({ ...policy('; worker-src blob:'), ...isolation });
    expectRight(report);
    expect(report.wasm?.engine?.threads.possible).toBe(report.cores);
  });

  test('an isolated page that allows no workers', async () => {
    const report = await open({ ...policy(''), ...isolation });
    expectRight(report);
    expect(report.wasm?.engine?.threads).toEqual({
      possible: 1,
      reason: 'Workers do not start: the page does not allow workers (Content-Security-Policy: worker-src blob:).',
    });
  });

  test('a page that is not isolated', async () => {
    const report = await open(policy('; worker-src blob:'));
    expectRight(report);
    expect(report.wasm?.engine?.threads.possible).toBe(1);
    expect(report.wasm?.engine?.threads.reason).toMatch(/^The page is not cross-origin isolated\. Serve it with /);
  });

  test('a page that allows no WebAssembly', async () => {
    const headers = { 'Content-Security-Policy': "default-src 'none'; script-src 'self'" };
    const { wasm, problems, start } = await open(headers);
    expect(start).toMatch(
      /^UnsupportedBackendError: Backend 'wasm' cannot start here: WebAssembly is forbidden here: .+'wasm-unsafe-eval'\.$/,
    );
    expect(wasm).toMatchObject({ available: false, engine: null });
    expect(problems).toContainEqual(
      expect.stringMatching(
        /^The planned engine does not run here: .+\. A page must allow it: .+'wasm-unsafe-eval'\.$/,
      ),
    );
  });
});
