// The command line of a script beside bench/run.mjs.
import { parseArgs } from 'node:util';
import { count, requireAmong } from './options.mjs';

/** Options that are whole numbers above 0. */
const COUNTS = ['rounds', 'samples', 'threads'];

/**
 * Reads the command line. `--help` prints `usage` and ends with 0, a mistake prints what is wrong before it and ends with 2.
 *
 * @param {string} usage
 * @param {Record<string, string | undefined>} defaults Options that take a value.
 * @param {Record<string, readonly string[]>} legal The values of options that do not take any; under `names` what may stand beside the
 *   options, which the result holds by that name.
 */
export function scriptOptions(usage, defaults, legal = {}) {
  const text = Object.entries(defaults).map(([name, value]) => [name, { type: 'string', default: value }]);
  const options = { ...Object.fromEntries(text), help: { type: 'boolean' } };
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: legal.names !== undefined });
    if (values.help === true) {
      console.log(usage);
      process.exit(0);
    }
    for (const [name, choices] of Object.entries(legal)) {
      if (name === 'names') requireAmong('It', positionals, choices);
      else requireAmong(`--${name}`, [values[name]], choices);
    }
    const counts = COUNTS.filter((name) => name in defaults).map((name) => [name, count(name, values[name])]);
    return { ...values, ...Object.fromEntries(counts), names: positionals };
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    return process.exit(2);
  }
}
