/** A page bundled by Vite or esbuild in Chromium: no path configured, nothing fetched but its own script, the strictest policy. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { expectSame, type SmokeResult } from './compare.js';
import { launchChromium } from './runtimes.mjs';

const project = inject('project');
const bin = resolve(import.meta.dirname, '../../node_modules/.bin');
const bundlers = {
  esbuild: () => {
    execFileSync(join(bin, 'esbuild'), ['page.js', '--bundle', '--format=esm', '--outfile=esbuild/page.js'], {
      cwd: project,
      stdio: 'pipe',
    });
    return join(project, 'esbuild/page.js');
  },
  vite: () => {
    execFileSync(join(bin, 'vite'), ['build', '--outDir', 'vite', '--logLevel', 'error'], {
      cwd: project,
      stdio: 'pipe',
    });
    const [script] = readdirSync(join(project, 'vite/assets')).filter((name) => name.endsWith('.js'));
    return join(project, 'vite/assets', script);
  },
};

let browser: Awaited<ReturnType<typeof launchChromium>>;

beforeAll(async () => {
  writeFileSync(join(project, 'page.js'), "import { smoke } from './smoke.js';\nwindow.result = smoke();\n");
  writeFileSync(join(project, 'index.html'), '<!doctype html><script type="module" src="/page.js"></script>');
  browser = await launchChromium();
});

afterAll(() => browser?.close());

/** Serves one page and its script; everything else is a failure that the caller sees in `requests`. */
async function serve(script: string, isolated: boolean): Promise<{ server: Server; url: string; requests: string[] }> {
  const requests: string[] = [];
  const headers = {
    'Content-Security-Policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
    ...(isolated
      ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
      : {}),
  };
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/') {
      response.writeHead(200, { ...headers, 'Content-Type': 'text/html' });
      response.end('<!doctype html><link rel="icon" href="data:,"><script type="module" src="/script.js"></script>');
    } else if (request.url === '/script.js') {
      response.writeHead(200, { ...headers, 'Content-Type': 'text/javascript' });
      response.end(readFileSync(script));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
}

test.each([
  ['esbuild', false],
  ['esbuild', true],
  ['vite', false],
] as const)('a page of %s trains (cross-origin isolated: %s)', async (bundler, isolated) => {
  const { server, url, requests } = await serve(bundlers[bundler](), isolated);
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error: Error) => errors.push(error.message));
  try {
    await page.goto(url);
    await page.waitForFunction('window.result !== undefined');
    const result = (await page.evaluate('window.result')) as SmokeResult;
    expect(errors).toEqual([]);
    expect(requests).toEqual(['/', '/script.js']);
    expect(result.runtime.name).toBe('browser');
    expect(result.isolated).toBe(isolated);
    expectSame(result, { webgpu: true });
  } finally {
    await page.close();
    server.close();
  }
});
