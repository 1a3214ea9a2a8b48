/** Pages that a test serves to headless Chromium, and what they find out. */
import { createServer } from 'node:http';

/** Headers of a page that may run scripts of its own and WebAssembly, and nothing else but what `rest` allows. */
export const policy = (rest) => ({
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
 * @throws The first error that nobody catches on the page.
 */
export async function resultOf(browser, scripts, headers) {
  const files = {
    ...scripts,
    '/': '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
  };
  const server = createServer((request, response) => {
    const content = Object.entries(files).find(([path]) => path === request.url)?.[1];
    const type = request.url === '/' ? 'text/html' : 'text/javascript';
    response.writeHead(content === undefined ? 404 : 200, { ...headers, 'Content-Type': type }).end(content);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const page = await browser.newPage();
  const failed = new Promise((_, reject) => page.on('pageerror', reject));
  const found = async () => {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    // Who asks has a limit of its own.
    await page.waitForFunction('window.result !== undefined', undefined, { timeout: 0 });
    return page.evaluate('window.result');
  };
  try {
    return await Promise.race([found(), failed]);
  } finally {
    await page.close();
    server.close();
  }
}
