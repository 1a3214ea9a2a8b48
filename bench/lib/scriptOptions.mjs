// The command line of a script beside bench/run.mjs.
import { parseArgs } from 'node:util';
import { count } from './options.mjs';

/** Options that are whole numbers above 0. */
const COUNTS = ['rounds', 'samples', 'threads'];

/**
 * Reads the command line. `--help` prints `usage` and ends with 0, a mistake prints what is wrong before it and ends with 2.
 *
 * @param {string} usage
 * @param {Record<string, string | undefined>} defaults Options that take a value.
 * @param {readonly string[]} names What may stand beside the options; `names` holds what does.
 */
export function scriptOptions(usage, defaults, names = []) {
  const text = Object.entries(defaults).map(([name, value]) => [name, { type: 'string', default: value }]);
  const options = { ...Object.fromEntries(text), help: { type: 'boolean' } };
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: names.length > 0 });
    if (values.help === true) {
      console.log(usage);
      process.exit(0);
    }
    const unknown = positionals.filter((name) => !names.includes(name));
    if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}. Give of ${names.join(', ')}.`);
    const counts = COUNTS.filter((name) => name in defaults).map((name) => [name, count(name, values[name])]);
    return { ...values, ...Object.fromEntries(counts), names: positionals };
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    return process.exit(2);
  }
}
