// `npm run report:shots [REPORT.html] [FOLDER]`: a study's report as pictures, to be looked at: 390 and 1280 pixels wide, light
// and dark, and as it is printed; and what axe-core finds in both themes, on which it fails. Default: that of `npm run demo`, beside
// which the pictures are put in shots/.
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { axeViolations } from '../test/runtimes/axe.mjs';
import { launchChromium } from '../test/runtimes/runtimes.mjs';
import { execute, root } from './lib/steps.mjs';

/** Higher pictures are too small to be looked at as a whole. */
const MOST_HEIGHT = 1600;
/** A4 without its margins, at 96 pixels an inch. */
const SHEET = 688;

/** The whole page in pieces from the top; their number. */
async function shoot(page, folder, name) {
  const height = await page.evaluate('document.documentElement.scrollHeight');
  const { width } = page.viewportSize();
  const pieces = Math.ceil(height / MOST_HEIGHT);
  for (let i = 0; i < pieces; i++) {
    const y = i * MOST_HEIGHT;
    const clip = { x: 0, y, width, height: Math.min(MOST_HEIGHT, height - y) };
    await page.screenshot({
      path: join(folder, `${name}-${String(i + 1).padStart(2, '0')}.png`),
      fullPage: true,
      clip,
    });
  }
  return pieces;
}

/** Pictures and findings of one width in one theme. */
async function lookAt(page, folder, { width, colorScheme }) {
  const name = `${width}-${colorScheme}`;
  await page.setViewportSize({ width, height: 844 });
  await page.emulateMedia({ colorScheme, media: 'screen' });
  const pieces = await shoot(page, folder, name);
  const wider = (await page.evaluate('document.documentElement.scrollWidth')) - width;
  const found = await axeViolations(page);
  if (wider > 0) found.push(`the page is ${wider} pixels wider than ${width}`);
  console.log(`${name}: ${pieces} pictures, ${found.length === 0 ? 'nothing found' : `${found.length} found`}`);
  for (const each of found) console.log(`  ${each}`);
  return found.length;
}

const [report = join(root, 'pyconvunet-demo/study/report.html'), out = join(dirname(resolve(report)), 'shots')] =
  process.argv.slice(2);
if (!existsSync(report)) {
  console.error(`There is no report ${report}. Run npm run demo, or name the report.html of a study.`);
  process.exit(2);
}
const runtimes = join(root, 'test/runtimes');
if (!existsSync(join(runtimes, 'node_modules'))) execute('npm', ['ci', '--no-audit', '--no-fund'], { cwd: runtimes });
mkdirSync(out, { recursive: true });
const browser = await launchChromium();
let found = 0;
try {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(resolve(report)).href);
  for (const width of [390, 1280]) {
    for (const colorScheme of ['light', 'dark']) found += await lookAt(page, out, { width, colorScheme });
  }
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await page.pdf({ path: join(out, 'print.pdf'), preferCSSPageSize: true });
  await page.setViewportSize({ width: SHEET, height: 1000 });
  console.log(`print: ${await shoot(page, out, 'print')} pictures and print.pdf`);
} finally {
  await browser.close();
}
console.log(`Pictures: ${out}`);
process.exitCode = found > 0 ? 1 : 0;
