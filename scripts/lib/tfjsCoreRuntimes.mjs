// Where tfjs-core's own tests run: this Node, the runtimes of test/runtimes, and pages in headless Chromium.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isolation, policy, resultOf } from '../../test/runtimes/pages.mjs';
import { launchChromium, runtimes } from '../../test/runtimes/runtimes.mjs';

const commands = { node: [process.execPath], ...runtimes };
const pages = { chromium: {}, 'chromium-isolated': isolation };

/** All that `npm run test:runtimes` knows. */
export const all = [...Object.keys(runtimes), ...Object.keys(pages)];

/** The names that can be asked for. */
export const names = [...Object.keys(commands), ...Object.keys(pages)];

/** Whether threads can share memory there. */
export const hasThreads = (name) => name !== 'chromium';

/** What the tests need of a page's policy: our workers, plain tfjs's binary, images and videos of their own. */
const NEEDED = '; worker-src blob:; connect-src blob:; img-src data:; media-src data:';

const MARK = 'RESULTS ';

/** What a bundle for a runtime differs in, and what it does with the promise of its results. */
export function target(name) {
  if (name in commands) {
    const end = `((report) => { console.log(${JSON.stringify(MARK)} + JSON.stringify(report)); process.exit(0); })`;
    return { options: { platform: 'node', format: 'cjs' }, report: (promise) => `${promise}.then(${end});` };
  }
  return {
    // Jasmine looks for Node's name of the global object.
    options: { platform: 'browser', format: 'esm', define: { global: 'globalThis' } },
    report: (promise) => `window.result = ${promise};`,
  };
}

function runCommand(name, script) {
  const [command, ...args] = commands[name];
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-core-tests-'));
  try {
    const file = join(folder, 'tests.cjs');
    writeFileSync(file, script);
    const { stdout, stderr, error } = spawnSync(command, [...args, file], { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (error !== undefined) throw error;
    const report = stdout.split('\n').find((line) => line.startsWith(MARK));
    if (report === undefined) throw new Error(`The tests in ${name} printed no results.\n${stdout}\n${stderr}`);
    return JSON.parse(report.slice(MARK.length));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runPage(name, script) {
  const browser = await launchChromium();
  try {
    const headers = { ...policy(NEEDED), ...pages[name] };
    return await resultOf(browser, { '/page.js': script }, headers);
  } finally {
    await browser.close();
  }
}

/** Runs a bundle for this runtime, in a process or a browser of its own, and returns its results. */
export const runIn = (name, script) => (name in commands ? runCommand(name, script) : runPage(name, script));
