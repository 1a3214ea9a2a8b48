/** The examples for browsers, Deno and Bun with the packed package: nothing is asked of any other server. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { launchChromium, runtimes } from './runtimes.mjs';

declare module './runtimes.mjs' {
  interface Page {
    click(selector: string): Promise<void>;
    fill(selector: string, value: string): Promise<void>;
    selectOption(selector: string, value: string): Promise<unknown>;
    setInputFiles(selector: string, files: readonly string[]): Promise<void>;
    setViewportSize(size: { width: number; height: number }): Promise<void>;
  }
}

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof launchChromium>>['newPage']>>;

const root = resolve(import.meta.dirname, '../..');
const project = inject('project');
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
};

/** A copy of an example beside the installed packages. */
function copy(example: string): string {
  const folder = join(project, 'examples', example);
  cpSync(join(root, 'examples', example), folder, { recursive: true });
  return folder;
}

/** A server of static files, and what it was asked for in vain. */
async function serve(folder: string): Promise<{ server: Server; origin: string; missing: string[] }> {
  const missing: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(folder, pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file) || !statSync(file).isFile()) {
      missing.push(pathname);
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(file));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, missing };
}

const textOf = async (page: Page, selector: string) =>
  String(await page.evaluate(`document.querySelector('${selector}').textContent`));

/** Waits until the page's status line begins with a word; the line. */
async function statusBeginning(page: Page, word: string): Promise<string> {
  // Where the page says that it failed, waiting longer would hide why.
  const isSaid = `/^(${word}|Failed|Cannot)/.test(document.querySelector('#status').textContent)`;
  await page.waitForFunction(isSaid, undefined, { timeout: 200_000 });
  const status = await textOf(page, '#status');
  expect(status).toMatch(new RegExp(`^${word}`));
  return status;
}

/** Controls that neither a label nor a text of their own names, by their ids; none on an accessible page. */
const unnamedControls = `[...document.querySelectorAll('button, input, select, progress')]
  .filter((control) => !control.labels?.length && !control.ariaLabel && control.textContent.trim() === '')
  .map((control) => control.id)`;

/** How far the page is wider than a phone. */
async function overflow(page: Page): Promise<unknown> {
  await page.setViewportSize({ width: 390, height: 844 });
  return page.evaluate('document.documentElement.scrollWidth - 390');
}

const diceOf = (line: string) => Number(/Dice (\d\.\d+)/.exec(line)?.[1]);

describe('in Chromium', () => {
  let browser: Awaited<ReturnType<typeof launchChromium>>;
  let close: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterEach(async () => {
    for (const each of close) await each();
    close = [];
  });
  afterAll(() => browser?.close());

  /** Opens a page and waits until it is ready; `problems` fills with errors, missing files and requests to other servers. */
  async function open(folder: string): Promise<{ page: Page; problems: () => string[] }> {
    const { server, origin, missing } = await serve(folder);
    const page = await browser.newPage();
    close.push(async () => {
      await page.close();
      server.closeAllConnections();
      server.close();
    });
    const found: string[] = [];
    page.on('pageerror', (error) => found.push(error.message));
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(origin)) found.push(request.url());
    });
    await page.goto(origin);
    await statusBeginning(page, 'Ready');
    return { page, problems: () => [...found, ...missing] };
  }

  test('browser: a page without a build step shows what the small model finds, and trains another', async () => {
    const folder = copy('browser');
    symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
    const { page, problems } = await open(folder);
    expect(diceOf(await textOf(page, '#status'))).toBeGreaterThan(0.95);
    await page.click('#train');
    expect(diceOf(await statusBeginning(page, 'Done'))).toBeGreaterThan(0.9);
    expect(await page.evaluate("document.querySelectorAll('canvas').length")).toBe(4);
    expect(await textOf(page, '#facts')).toMatch(/^Backendwasm.*Training\d+\.\d s/);
    expect(await page.evaluate(unnamedControls)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(problems()).toEqual([]);
  });

  describe('vite', () => {
    const folder = copy('vite');
    const run = join(folder, 'run');

    beforeAll(() => {
      const vite = join(root, 'node_modules/.bin/vite');
      execFileSync(vite, ['build', '--logLevel', 'error'], { cwd: folder, stdio: 'pipe' });
      // A model of three classes, as `pyconvunet train --classes 3` writes it, and a picture to segment.
      writeFileSync(
        join(project, 'model.js'),
        `import { writeFile } from 'node:fs/promises';
        import { inference, models, useBackend } from 'pyconvunet';
        import 'pyconvunet/wasm';
        import { saveModel } from 'pyconvunet/files';
        import { encodePng } from 'pyconvunet/training';
        await useBackend('wasm', { log: () => {} });
        const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 3], numClasses: 3, seed: 1 });
        const preprocessing = { channels: 3, size: [32, 32], intensity: { kind: 'range', low: 0, high: 255 } };
        const metadata = { formatVersion: 1, network: 'unet', preprocessing, classes: ['background', 'tumour', 'organ'], threshold: 0.5 };
        inference.setMetadata(model, metadata);
        await saveModel(model, ${JSON.stringify(run)});
        const data = Uint8Array.from({ length: 50 * 40 * 3 }, (_, i) => (i * 7) % 256);
        await writeFile(${JSON.stringify(join(folder, 'picture.png'))}, encodePng({ width: 50, height: 40, channels: 3, data }));`,
      );
      execFileSync(process.execPath, ['model.js'], { cwd: project, stdio: 'pipe' });
    });

    test('trains with progress, and segments every image that is chosen', async () => {
      const { page, problems } = await open(join(folder, 'dist'));
      expect(await textOf(page, '#result')).toBe('No model yet: train one, or open one.');
      await page.click('#train');
      expect(diceOf(await statusBeginning(page, 'Done'))).toBeGreaterThan(0.9);
      expect(await page.evaluate("document.querySelector('#progress').value")).toBe(1);
      expect(diceOf(await textOf(page, '#result'))).toBeGreaterThan(0.9);
      expect(await page.evaluate("document.querySelectorAll('#overlay path[d]').length")).toBe(1);

      // Of a picture without a truth there is no Dice.
      await page.setInputFiles('#file', [join(folder, 'picture.png')]);
      await page.waitForFunction(
        "document.querySelector('#overlay').getAttribute('viewBox') === '0 0 50 40' && /^[0-9.]+ %/.test(document.querySelector('#result').textContent)",
      );
      expect(await textOf(page, '#result')).toMatch(/^[\d.]+ % of the image is lung · \d+ ms on wasm$/);
      expect(await page.evaluate(unnamedControls)).toEqual([]);
      expect(await overflow(page)).toBe(0);
      expect(problems()).toEqual([]);
    });

    test('stops when it is told to', async () => {
      const { page, problems } = await open(join(folder, 'dist'));
      await page.fill('#epochs', '50');
      await page.click('#train');
      await statusBeginning(page, 'Epoch 1 of 50');
      await page.click('#stop');
      expect(await statusBeginning(page, 'Stopped')).toMatch(/^Stopped\. Epoch \d of 50: /);
      expect(await page.evaluate("document.querySelector('#train').hidden")).toBe(false);
      expect(problems()).toEqual([]);
    });

    test('opens a trained model, and says what is wrong with other files', async () => {
      const { page, problems } = await open(join(folder, 'dist'));
      await page.setInputFiles('#model', [join(run, 'weights.bin'), join(run, 'model.json')]);
      expect(await statusBeginning(page, 'Opened')).toBe('Opened model.json, weights.bin.');
      await page.selectOption('#task', 'cell');
      await page.waitForFunction(
        "/of the image is tumour or organ/.test(document.querySelector('#result').textContent)",
      );
      expect(await page.evaluate("document.querySelectorAll('#overlay path').length")).toBe(2);
      await page.setInputFiles('#file', [join(run, 'model.json')]);
      expect(await statusBeginning(page, 'model.json is no image that this browser can read.')).toContain(
        'Choose a PNG',
      );
      expect(problems()).toEqual([]);
    });
  });
});

/** The command of the example's task, with the modules that are installed in place of those that npm: specifiers name. */
function denoTask(folder: string): string[] {
  const { tasks } = JSON.parse(readFileSync(join(folder, 'deno.json'), 'utf8')) as { tasks: { start: string } };
  const [, verb = '', ...args] = tasks.start.split(' ');
  return [runtimes.deno?.[0] ?? '', verb, '--no-config', '--node-modules-dir=manual', '--quiet', ...args];
}

test.each([
  ['deno', denoTask],
  ['bun', () => [...(runtimes.bun ?? []), 'segment.ts']],
])('deno: learns and draws outlines in %s', (_runtime, line) => {
  const folder = copy('deno');
  const [command = '', ...args] = line(folder);
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  expect(diceOf(stdout.split('\n').at(-2) ?? '')).toBeGreaterThan(0.9);
  expect(readFileSync(join(folder, 'outlines.svg'), 'utf8').match(/<path d="M[\d.,LMZ]+Z" stroke/g)).toHaveLength(2);
});
