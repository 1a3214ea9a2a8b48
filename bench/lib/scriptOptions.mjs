// The command line of a script beside bench/run.mjs.
import { parseArgs } from 'node:util';

/** Options that are whole numbers above 0. */
const COUNTS = ['rounds', 'samples', 'threads'];

/**
 * Reads the command line. `--help` prints `usage` and ends with 0, a mistake prints what is wrong before it and ends with 2.
 *
 * @param {string} usage
 * @param {Record<string, string | undefined>} defaults Options that take a value.
 */
export function scriptOptions(usage, defaults) {
  const refuse = (message) => {
    console.error(`${message}\n${usage}`);
    process.exit(2);
  };
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, { type: 'string', default: value }]),
  );
  let values;
  try {
    ({ values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } }));
  } catch (error) {
    return refuse(error.message);
  }
  if (values.help === true) {
    console.log(usage);
    process.exit(0);
  }
  for (const name of COUNTS.filter((key) => key in defaults)) {
    const count = Number(values[name]);
    if (!Number.isInteger(count) || count < 1)
      refuse(`--${name} must be a whole number above 0. Received: ${values[name]}.`);
    values[name] = count;
  }
  return values;
}
