// Runs the modules that are named as arguments, one after another in this process; prints as JSON what each of them printed
// and what it threw.

import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

const print = console.log;
const results = [];
for (const file of process.argv.slice(2)) {
  const lines = [];
  console.log = (...values) =>
    lines.push(values.map((value) => (typeof value === 'string' ? value : inspect(value, { depth: null }))).join(' '));
  console.info = console.log;
  let error = null;
  try {
    await import(pathToFileURL(file).href);
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
  results.push({ file, lines, error });
}
print(JSON.stringify(results));
// A block may leave a server or a device open.
process.exit(0);
