// The line protocol between bench/run.mjs and a contender in JavaScript; protocol.py says which lines.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

// Libraries log to standard output, which belongs to the benchmark.
for (const level of ['log', 'info', 'debug']) console[level] = console.error;

const answer = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** Says that this contender cannot run here, and ends. */
export function skip(reason) {
  answer({ skipped: reason });
  process.exit(0);
}

/** Ends with one clear line: tfjs-wasm answers an uncaught error with its own source code. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/**
 * The command line `--data DIR --network NAME --threads N`, and what a contender adds.
 *
 * @param {import('node:util').ParseArgsConfig['options']} own
 */
export function options(own = {}) {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: { data: text, network: text, threads: text, ...own },
  });
  return { ...values, threads: Number(values.threads) };
}

/** Imports a module, or skips the contender where it is not installed. */
export async function importOrSkip(name, advice) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return skip(`${name} is not installed: ${advice}`);
  }
}

/** Worst absolute error; NaN is infinitely wrong. */
export function maxError(output, reference) {
  if (output.length !== reference.length) throw new Error(`${output.length} values instead of ${reference.length}`);
  let worst = 0;
  for (let i = 0; i < reference.length; i++) {
    const error = Math.abs(output[i] - reference[i]);
    if (!(error <= worst)) worst = Number.isFinite(error) ? error : 1e9;
  }
  return worst;
}

/** Times of a function in ms, one after another. */
export async function times(run, count) {
  const ms = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await run();
    ms.push(performance.now() - start);
  }
  return ms;
}

/**
 * Says what this is, then times as often as it is asked to, until standard input ends.
 *
 * @param {{name: string, version: string, setting?: string, threads: number, maxError: number}} header
 * @param {(count: number) => Promise<number[]>} measure
 */
export async function serve(header, measure) {
  answer({ setting: '', ...header });
  for await (const line of createInterface({ input: process.stdin })) answer({ ms: await measure(Number(line)) });
}
