/** The examples for browsers, Deno and Bun with the packed package, offline. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { launchChromium, runtimes } from './runtimes.mjs';

const root = resolve(import.meta.dirname, '../..');
const project = inject('project');
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
};

let browser: Awaited<ReturnType<typeof launchChromium>>;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

/** A copy of an example beside the installed packages. */
function copy(example: string): string {
  const folder = join(project, 'examples', example);
  cpSync(join(root, 'examples', example), folder, { recursive: true });
  return folder;
}

/** A server of static files. */
async function serve(folder: string): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(folder, pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(file));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Opens a page; nothing but its own origin may be asked for anything. The last word of its status line. */
async function finalStatus(folder: string): Promise<string> {
  const { server, origin } = await serve(folder);
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) problems.push(request.url());
  });
  try {
    await page.goto(origin);
    await page.waitForFunction("/^Done/.test(document.querySelector('#status').textContent)", undefined, {
      timeout: 200_000,
    });
    expect(problems).toEqual([]);
    return String(await page.evaluate("document.querySelector('#status').textContent"));
  } finally {
    await page.close();
    server.close();
  }
}

const diceOf = (line: string) => Number(/Dice (\d\.\d+)/.exec(line)?.[1]);

test('browser: a plain page without a bundler trains and segments', async () => {
  const folder = copy('browser');
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  expect(diceOf(await finalStatus(folder))).toBeGreaterThan(0.8);
});

test('vite: the built page trains and segments', async () => {
  const folder = copy('vite');
  execFileSync(join(root, 'node_modules/.bin/vite'), ['build', '--logLevel', 'error'], { cwd: folder, stdio: 'pipe' });
  expect(diceOf(await finalStatus(join(folder, 'dist')))).toBeGreaterThan(0.8);
});

test.each([
  ['deno', ['--no-config', '--node-modules-dir=manual', 'segment.ts']],
  ['bun', ['segment.ts']],
])('deno: runs in %s', (runtime, args) => {
  const folder = copy('deno');
  const [command = '', ...rest] = runtimes[runtime] ?? [];
  const { status, stdout, stderr } = spawnSync(command, [...rest, ...args], { cwd: folder, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  expect(diceOf(stdout)).toBeGreaterThan(0.8);
  expect(existsSync(join(folder, 'overlay.png'))).toBe(true);
});
