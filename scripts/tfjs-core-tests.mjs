// Runs the tests that @tensorflow/tfjs-core ships in its npm package over the ops that segmentation networks use, on one
// backend: once plain, once with this package's kernels (on wasm also on two threads), and compares. Which tests fail is found
// by running, never listed.
//   node scripts/tfjs-core-tests.mjs --backend wasm|cpu [--runtime NAME|all] [--threads 1|2] [--all] [--grep TEXT] [--verbose]
// --runtime takes another runtime than this Node (scripts/test-runtimes.mjs installs them), 'all' one after the other.
// --threads takes one of the two numbers alone. --all takes the tests of every op instead.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import * as runtimes from './lib/tfjsCoreRuntimes.mjs';

const root = resolve(import.meta.dirname, '..');
const core = join(root, 'node_modules/@tensorflow/tfjs-core/dist');
// Convolution, pooling, normalisation, concatenation, resize and matrix product.
const FILES =
  /^(conv|depthwise_conv|fused_|avg_pool|max_pool|pool|identity_pool|batchnorm|local_response|concat|resize|mat_mul).*_test\.js$/;

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    runtime: { type: 'string', default: 'node' },
    threads: { type: 'string' },
    all: { type: 'boolean', default: false },
    grep: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
  },
});

function refuse(message) {
  console.error(message);
  process.exit(2);
}

/** Runs with this package's kernels, and their threads. */
const VARIANTS = { ours: 1, threads: 2 };

/** Those that are asked for and possible in a runtime. */
const variantsIn = (runtime) =>
  Object.keys(VARIANTS)
    .filter((variant) => VARIANTS[variant] === 1 || (values.backend === 'wasm' && runtimes.hasThreads(runtime)))
    .filter((variant) => values.threads === undefined || VARIANTS[variant] === Number(values.threads));

if (values.backend !== 'wasm' && values.backend !== 'cpu')
  refuse(`--backend must be wasm or cpu. Received: ${values.backend ?? 'nothing'}.`);
if (values.threads !== undefined && values.threads !== '1' && values.threads !== '2')
  refuse(`--threads must be 1 or 2. Received: ${values.threads}.`);
if (values.runtime !== 'all' && !runtimes.names.includes(values.runtime))
  refuse(`--runtime must be all or one of ${runtimes.names.join(', ')}. Received: ${values.runtime}.`);
const chosen = (values.runtime === 'all' ? runtimes.all : [values.runtime]).filter(
  (name) => variantsIn(name).length > 0,
);
if (chosen.length === 0)
  refuse(`There are no two threads on backend ${values.backend} in ${values.runtime}. Leave out --threads.`);

const opFolders = ['ops', 'ops/image', 'ops/fused'];
const otherFolders = ['ops/linalg', 'ops/losses', 'ops/signal', 'ops/sparse', 'ops/string', 'optimizers'];
const files = (values.all ? [...opFolders, ...otherFolders] : opFolders).flatMap((folder) =>
  readdirSync(join(core, folder))
    .filter((name) => (values.all ? /_test\.js$/ : FILES).test(name))
    .map((name) => join(core, folder, name)),
);

/** Bundles the tests with one copy of tfjs-core (its ES modules), runs them, returns name → message ('' = passed). */
async function run(variant, runtime) {
  const { options, report } = runtimes.target(runtime);
  const entry = join(root, 'test/tfjs-core', `${values.backend}-${variant}.ts`);
  const { outputFiles } = await build({
    stdin: {
      contents: [
        `import { runTests } from ${JSON.stringify(join(root, 'test/tfjs-core/run.mjs'))};`,
        `import * as variant from ${JSON.stringify(entry)};`,
        ...files.map((file) => `import ${JSON.stringify(file)};`),
        report('runTests(variant)'),
      ].join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    mainFields: ['module', 'main'],
    loader: { '.wasm': 'binary' },
    // tfjs-core declares its files free of side effects, and a test file has nothing else.
    ignoreAnnotations: true,
    logLevel: 'error',
    write: false,
    ...options,
    define: {
      ...options.define,
      'process.env.TFJS_CORE_TESTS_BACKEND': JSON.stringify(values.backend),
      'process.env.TFJS_CORE_TESTS_GREP': JSON.stringify(values.grep),
    },
  });
  const { version, kernels, results, problem } = await runtimes.runIn(runtime, outputFiles[0].text);
  if (problem !== null) throw new Error(`The ${variant} run in ${runtime} tested something else: ${problem}`);
  return { version, kernels: new Set(kernels), results: new Map(Object.entries(results)) };
}

const isPass = (message) => message === '';
const missingKernel = (message) => /Kernel '(.*?)' not registered/.exec(message)?.[1];
const passesOf = (results) => [...results.values()].filter(isPass).length;
const summary = (results) => `${passesOf(results)} pass, ${results.size - passesOf(results)} fail`;

/** The runs in one runtime. */
async function runAll(runtime) {
  const plain = await run('plain', runtime);
  let again;
  const runs = [];
  for (const variant of variantsIn(runtime)) {
    const { kernels, results } = await run(variant, runtime);
    let broken = [...results].filter(([name, message]) => !isPass(message) && isPass(plain.results.get(name) ?? ''));
    // Some of tfjs's kernels leave part of their output uninitialised, so that a test passes by luck: it counts as passing on
    // the plain backend only if it does so twice.
    if (broken.length > 0) {
      again ??= await run('plain', runtime);
      broken = broken.filter(([name]) => isPass(again.results.get(name) ?? ''));
    }
    runs.push({ variant, kernels, results, broken });
  }
  return { plain, runs };
}

/** Prints what the runs in one runtime found; returns their rows of the table. */
function print(runtime, { plain, runs }) {
  console.log(
    `tfjs-core's own tests on backend ${values.backend} in ${runtime} ${plain.version}: ${plain.results.size}`,
  );
  console.log(`  plain:      ${summary(plain.results)}`);
  return runs.map(({ variant, kernels, results, broken }) => {
    const added = [...kernels].filter((kernel) => !plain.kernels.has(kernel));
    // Tests that fail on the plain backend for want of a kernel that we register must pass with ours.
    const wanted = [...plain.results].filter(([, message]) => added.includes(missingKernel(message)));
    const stillFailing = wanted.filter(([name]) => !isPass(results.get(name) ?? 'not run'));
    const lost = [...plain.results.keys()].filter((name) => !results.has(name));
    console.log(`  with ours${variant === 'threads' ? ', two threads' : ''}:  ${summary(results)}`);
    if (variant === 'ours') console.log(`    kernels that only ours registers: ${added.join(', ') || 'none'}`);
    console.log(
      `    of ${wanted.length} tests that failed for want of them, ${wanted.length - stillFailing.length} pass`,
    );
    const wanting = new Set([...results.values()].map(missingKernel).filter((kernel) => kernel !== undefined));
    if (wanting.size > 0) console.log(`    kernels that tests still want: ${[...wanting].join(', ')}`);
    if (values.verbose) {
      for (const [name, message] of results) {
        if (!isPass(message)) console.log(`fails with ours: ${name}\n    ${message.split('\n')[0]}`);
      }
    }
    for (const [name, message] of broken)
      console.error(`BROKEN (${variant}): passes on plain ${values.backend} only: ${name}\n    ${message}`);
    for (const [name] of stillFailing)
      console.error(`FAILS (${variant}) although its kernel is registered: ${name}\n    ${results.get(name)}`);
    for (const name of lost) console.error(`NOT RUN (${variant}): ${name}`);
    if (results.size === 0) console.error('No test was run.');
    const failed = new Set([...broken, ...stillFailing].map(([name]) => name).concat(lost)).size;
    if (failed > 0 || results.size === 0) process.exitCode = 1;
    const inPlainToo = results.size - passesOf(results) - broken.length - stillFailing.length;
    return [`${runtime} ${plain.version}`, VARIANTS[variant], results.size, passesOf(results), inPlainToo, failed];
  });
}

const rows = [['runtime', 'threads', 'tests run', 'passed', 'failed in plain tfjs too', 'failed']];
for (const runtime of chosen) {
  try {
    rows.push(...print(runtime, await runAll(runtime)));
  } catch (error) {
    // The others are run all the same.
    console.error(error);
    process.exitCode = 1;
    rows.push([runtime, '', 0, 0, 0, 'did not run']);
  }
}
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
console.log();
for (const row of rows)
  console.log(
    row
      .map((cell, column) => String(cell).padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
