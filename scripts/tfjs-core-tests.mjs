// Runs the tests that @tensorflow/tfjs-core ships in its npm package over the ops that segmentation networks use, on one
// backend: once plain, once with this package's kernels (on wasm also on two threads), and compares. Which tests fail is found
// by running, never listed.
//   node scripts/tfjs-core-tests.mjs --backend wasm|cpu [--all] [--grep TEXT] [--verbose]
// --all takes the tests of every op instead.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const core = join(root, 'node_modules/@tensorflow/tfjs-core/dist');
// Convolution, pooling, normalisation, concatenation, resize and matrix product.
const FILES =
  /^(conv|depthwise_conv|fused_|avg_pool|max_pool|pool|identity_pool|batchnorm|local_response|concat|resize|mat_mul).*_test\.js$/;

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    all: { type: 'boolean', default: false },
    grep: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
if (values.backend !== 'wasm' && values.backend !== 'cpu') {
  console.error(`--backend must be wasm or cpu. Received: ${values.backend ?? 'nothing'}.`);
  process.exit(2);
}

const opFolders = ['ops', 'ops/image', 'ops/fused'];
const otherFolders = ['ops/linalg', 'ops/losses', 'ops/signal', 'ops/sparse', 'ops/string', 'optimizers'];
const files = (values.all ? [...opFolders, ...otherFolders] : opFolders).flatMap((folder) =>
  readdirSync(join(core, folder))
    .filter((name) => (values.all ? /_test\.js$/ : FILES).test(name))
    .map((name) => join(core, folder, name)),
);

/** Bundles the tests with one copy of tfjs-core (its ES modules), runs them in a process of their own, returns name → message ('' = passed). */
async function run(variant, folder) {
  const outfile = join(folder, `${variant}.cjs`);
  const entry = join(root, 'test/tfjs-core', `${values.backend}-${variant}.ts`);
  await build({
    stdin: {
      contents: [
        `import { runTests } from ${JSON.stringify(join(root, 'test/tfjs-core/run.mjs'))};`,
        `import * as variant from ${JSON.stringify(entry)};`,
        ...files.map((file) => `import ${JSON.stringify(file)};`),
        'runTests(variant);',
      ].join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    outfile,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    loader: { '.wasm': 'binary' },
    // tfjs-core declares its files free of side effects, and a test file has nothing else.
    ignoreAnnotations: true,
    logLevel: 'error',
  });
  const child = spawnSync(process.execPath, [outfile], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, TFJS_CORE_TESTS_BACKEND: values.backend, TFJS_CORE_TESTS_GREP: values.grep ?? '' },
  });
  const report = child.stdout.split('\n').find((line) => line.startsWith('RESULTS '));
  if (report === undefined) throw new Error(`The ${variant} run printed no results.\n${child.stdout}\n${child.stderr}`);
  const { kernels, results, problem } = JSON.parse(report.slice('RESULTS '.length));
  if (problem !== null) throw new Error(`The ${variant} run tested something else: ${problem}`);
  return { kernels: new Set(kernels), results: new Map(Object.entries(results)) };
}

const isPass = (message) => message === '';
const missingKernel = (message) => /Kernel '(.*?)' not registered/.exec(message)?.[1];

function summary(results) {
  const passed = [...results.values()].filter(isPass).length;
  return `${passed} pass, ${results.size - passed} fail`;
}

/** Runs with this package's kernels. */
const VARIANTS = values.backend === 'wasm' ? ['ours', 'threads'] : ['ours'];

const folder = mkdtempSync(join(tmpdir(), 'tfjs-core-tests-'));
let plain;
let again;
const runs = [];
try {
  plain = await run('plain', folder);
  for (const variant of VARIANTS) {
    const { kernels, results } = await run(variant, folder);
    let broken = [...results].filter(([name, message]) => !isPass(message) && isPass(plain.results.get(name) ?? ''));
    // Some of tfjs's kernels leave part of their output uninitialised, so that a test passes by luck: it counts as passing on
    // the plain backend only if it does so twice.
    if (broken.length > 0) {
      again ??= await run('plain', folder);
      broken = broken.filter(([name]) => isPass(again.results.get(name) ?? ''));
    }
    runs.push({ variant, kernels, results, broken });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

console.log(`tfjs-core's own tests on backend ${values.backend}: ${plain.results.size}`);
console.log(`  plain:      ${summary(plain.results)}`);
for (const { variant, kernels, results, broken } of runs) {
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
  if (broken.length + stillFailing.length + lost.length > 0 || results.size === 0) process.exitCode = 1;
}
