/** The report of a study in Chromium: accessible in both themes, asks for nothing, fits a phone, copies its tables. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderReport } from '../../src/study/report/html/index.js';
import { makeFigures, makeReport } from '../study/report/fixture.js';
import { axeViolations } from './axe.mjs';
import { launchChromium } from './runtimes.mjs';

declare module './runtimes.mjs' {
  interface Page {
    click(selector: string): Promise<void>;
    setViewportSize(size: { width: number; height: number }): Promise<void>;
    emulateMedia(media: { colorScheme?: 'light' | 'dark'; media?: 'screen' | 'print' }): Promise<void>;
  }
}

type Browser = Awaited<ReturnType<typeof launchChromium>>;

const reports = {
  'seven networks': makeReport({
    models: {
      unet: 60,
      'unet++': 50,
      'attention-unet': 45,
      'resnet34-unet': 40,
      multiresunet: 30,
      fcn8s: 20,
      pyconvunet: 9,
    },
    origin: 'a long name of where these images come from, under which licence, and who drew their masks',
  }),
  'a test part and folds': makeReport({ test: true, folds: 2, images: 6 }),
  'one network': makeReport({
    models: { pyconvunet: 9 },
    datasets: ['a-data-set-with-a-rather-long-name.v2'],
    seeds: [1],
  }),
};

const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-report-'));
let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a report from disk; `problems` fills with its errors and with whatever it asks for. */
async function open(name: string, report: (typeof reports)[keyof typeof reports]) {
  const url = pathToFileURL(join(folder, `${name}.html`)).href;
  writeFileSync(join(folder, `${name}.html`), await renderReport(report, makeFigures(report)));
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) problems.push(request.url());
  });
  await page.goto(url);
  return { page, problems };
}

test.each(Object.entries(reports))(
  '%s: nothing for axe in both themes, nothing asked for, no scrolling aside',
  async (name, report) => {
    const { page, problems } = await open(name, report);
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 844 });
      expect(await page.evaluate(`document.documentElement.scrollWidth - ${width}`)).toBe(0);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        const paper = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        expect(paper).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(21, 25, 30)');
        expect(await axeViolations(page)).toEqual([]);
      }
    }
    expect(problems).toEqual([]);
    await page.close();
  },
);

test('on paper the dark theme is light, no table is wider than the sheet, and the configuration is open', async () => {
  const { page } = await open('print', reports['seven networks']);
  await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
  // A4 without its margins, at 96 pixels an inch.
  await page.setViewportSize({ width: 688, height: 1000 });
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
  expect(
    await page.evaluate(
      "[...document.querySelectorAll('table')].filter((each) => each.offsetWidth > 688).map(({ id }) => id)",
    ),
  ).toEqual([]);
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  expect(await page.evaluate("document.querySelector('details').open")).toBe(true);
  await page.close();
});

test('a table is copied as tab-separated text, each column below its header', async () => {
  const { page } = await open('copy', reports['seven networks']);
  // What the page gives to the clipboard.
  await page.evaluate('navigator.clipboard.writeText = async (text) => { window.copied = text; }');
  await page.click('button[data-copy="scores"]');
  const lines = String(await page.evaluate('window.copied'))
    .split('\n')
    .map((line) => line.split('\t'));
  expect(new Set(lines.map((cells) => cells.length)).size).toBe(1);
  expect(lines[1]?.slice(1, 6)).toEqual(['MIoU', 'SD', 'Dice', 'SD', '95 % interval']);
  expect(lines[2]?.[0]).toBe('phantom-lung');
  const [row] = reports['seven networks'].rows;
  expect(lines[3]?.slice(0, 2)).toEqual(['U-Net', row?.best.meanIoU.toFixed(4)]);
  expect(await page.evaluate('document.querySelector(\'[data-copy="scores"]\').textContent')).toBe('Copied');
  expect(await page.evaluate("document.querySelector('#said').textContent")).toBe('Table copied.');
  await page.close();
});
