// Runs the steps of a test command one after another, lets none of them stop the others, and counts: each test of vitest is
// one, each other command is one. The last line is `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** The repository's root folder. */
export const root = resolve(import.meta.dirname, '../..');

/** Runs a command line of the project's own tools; true if it succeeded. */
export function execute(command, args, options = {}) {
  const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
    env: { ...process.env, PATH: path, ...options.env },
  });
  return status === 0;
}

/** A step in JavaScript; what it throws is printed. */
async function attempt(step) {
  try {
    return await step();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return false;
  }
}

/** What vitest's JSON report counts; a file that could not be loaded counts as one failure. */
function countReport(file) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const unloaded = report.testResults.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded.length };
}

/** Collects the counts and failures of the steps. */
export class Steps {
  passed = 0;
  failed = 0;
  failures = [];

  #report(name, passed, failed, since) {
    this.passed += passed;
    this.failed += failed;
    if (failed > 0) this.failures.push(name);
    console.log(`== ${name}: ${failed > 0 ? 'FAILED' : 'ok'}, ${((performance.now() - since) / 1000).toFixed(1)} s\n`);
  }

  /** One command, or one function that returns whether it succeeded. */
  async run(name, command, args = [], options = {}) {
    console.log(`== ${name}`);
    const since = performance.now();
    const ok = typeof command === 'function' ? await attempt(command) : execute(command, args, options);
    this.#report(name, ok ? 1 : 0, ok ? 0 : 1, since);
    return ok;
  }

  /** One run of vitest. */
  vitest(name, args = [], options = {}) {
    console.log(`== ${name}`);
    const since = performance.now();
    const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-report-'));
    const file = join(folder, 'report.json');
    const ok = execute(
      'vitest',
      ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
      options,
    );
    let counts = existsSync(file) ? countReport(file) : { passed: 0, failed: 0 };
    rmSync(folder, { recursive: true, force: true });
    // An error outside of any test.
    if (!ok && counts.failed === 0) counts = { ...counts, failed: 1 };
    this.#report(name, counts.passed, counts.failed, since);
    return ok;
  }

  /** Prints the summary and sets the exit code. */
  finish() {
    if (this.failures.length > 0) console.log(`Failed: ${this.failures.join('; ')}.`);
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed > 0 ? 1 : 0;
  }
}
