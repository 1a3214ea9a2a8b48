// A contender that runs: asked by lines on its standard input, answering by lines of JSON.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

// torch compiles each network several times before its first answer.
const LIMIT_MS = 15 * 60_000;
const ERROR_LINES = 4;

/** Rejects when a promise takes longer than a contender may. */
function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${LIMIT_MS / 60_000} minutes`)), LIMIT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class ContenderProcess {
  #child;
  #lines;
  #errors = [];
  #ended;

  /**
   * @param {string[]} command
   * @param {number} threads
   */
  constructor([file, ...args], threads) {
    const env = {
      ...process.env,
      OMP_NUM_THREADS: String(threads),
      CUDA_VISIBLE_DEVICES: '',
      PYTHONDONTWRITEBYTECODE: '1',
    };
    this.#child = spawn(file, args, { env, stdio: 'pipe' });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      if (line.trim() !== '') this.#errors = [...this.#errors, line.trim()].slice(-ERROR_LINES);
    });
    // A contender that has died cannot be written to; its missing answer says so.
    this.#child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
      this.#child.on('error', (error) => {
        this.#errors.push(error.message);
        resolve('did not start');
      });
    });
  }

  /** The next line of JSON; throws with the last lines of standard error where the process has ended. */
  async #answer() {
    const { value, done } = await within(this.#lines.next());
    if (done !== true) return JSON.parse(value);
    const end = await this.#ended;
    throw new Error(`${this.#errors.join(' | ') || 'no message'} (${end})`);
  }

  /** What it says of itself: `{ skipped }`, or name, version, setting, threads and maxError. */
  start() {
    return this.#answer();
  }

  /** Times of so many runs, in ms. */
  async measure(count) {
    this.#child.stdin.write(`${count}\n`);
    return (await this.#answer()).ms;
  }

  /** Ends the process, by force where it does not go by itself. */
  async stop() {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await this.#ended;
    clearTimeout(timer);
  }
}
