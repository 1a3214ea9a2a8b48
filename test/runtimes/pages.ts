/** Pages that a test serves to headless Chromium, and what they find out. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import type { launchChromium } from './runtimes.mjs';

export type Browser = Awaited<ReturnType<typeof launchChromium>>;

/** Headers of a page that may run scripts of its own and WebAssembly, and nothing else but what `rest` allows. */
export const policy = (rest: string): Record<string, string> => ({
  'Content-Security-Policy': `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'${rest}`,
});

/** Headers that isolate a page, so that memory can be shared. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Opens a page with these headers and waits for its `window.result`, which may be a promise.
 *
 * @param scripts `/page.js`, which it loads, and others by their path.
 */
export async function resultOf<Result>(
  browser: Browser,
  scripts: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): Promise<Result> {
  const files: Record<string, string> = {
    ...scripts,
    '/': '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
  };
  const server = createServer((request, response) => {
    const content = Object.entries(files).find(([path]) => path === request.url)?.[1];
    const type = request.url === '/' ? 'text/html' : 'text/javascript';
    response.writeHead(content === undefined ? 404 : 200, { ...headers, 'Content-Type': type }).end(content);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    // The test has a limit of its own.
    await page.waitForFunction('window.result !== undefined', undefined, { timeout: 0 });
    const result = (await page.evaluate('window.result')) as Result;
    expect(errors).toEqual([]);
    return result;
  } finally {
    await page.close();
    server.close();
  }
}
