// `npm run build`, then `node bench/run.mjs`: this package against other runtimes; bench/README.md says how to install them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { summarise } from '../dist/benchmark/summary.js';
import { PAUSE_MS, whyNotTimed } from './lib/check.mjs';
import { ContenderProcess } from './lib/contenderProcess.mjs';
import { CONTENDERS, commandOf, OURS } from './lib/contenders.mjs';
import { describeMachine, machineText } from './lib/machine.mjs';
import { NETWORKS, readOptions, USAGE, UsageError } from './lib/options.mjs';
import { prepareReference, pythonVersions, SetupError } from './lib/reference.mjs';
import { lightnessTable, networkTable } from './lib/table.mjs';

const folder = fileURLToPath(new URL('.', import.meta.url));
const log = (line) => console.error(line);

/** Starts one contender and checks it: how it came out, and its process where it can be timed. */
async function enter(id, options, network) {
  const { work, threads } = options;
  if (!CONTENDERS[id].works.includes(work)) return { id, status: 'skipped', reason: `has no ${work}` };
  const process = new ContenderProcess(commandOf(id, options, network), threads);
  try {
    const { skipped, ...header } = await process.start();
    const fault = whyNotTimed({ skipped, ...header }, options);
    if (fault !== null) {
      await process.stop();
      return { id, ...header, ...fault };
    }
    return { id, ...header, status: 'timed', process, turns: [] };
  } catch (error) {
    await process.stop();
    return { id, status: 'failed', reason: error.message };
  }
}

/** A turn of one contender; one that dies is out. */
async function takeTurn(entry, samples) {
  await sleep(PAUSE_MS);
  try {
    entry.turns.push(await entry.process.measure(samples));
  } catch (error) {
    entry.status = 'failed';
    entry.reason = error.message;
  }
}

/** All contenders on one network, round by round. */
async function compete(network, options, multiplyAccumulates) {
  const entries = [];
  for (const id of options.contenders) {
    const entry = await enter(id, options, network);
    log(
      `${NETWORKS[network]}, ${id}: ${entry.status === 'timed' ? `ready, ${entry.setting}` : `${entry.status}: ${entry.reason}`}`,
    );
    entries.push(entry);
  }
  const running = entries.filter(({ process }) => process !== undefined);
  for (let round = 0; round < options.rounds && running.length > 0; round++) {
    log(`${NETWORKS[network]}, round ${round + 1} of ${options.rounds}`);
    // Each round begins with another one, so that nobody always follows the same one.
    const first = round % running.length;
    for (const entry of [...running.slice(first), ...running.slice(0, first)]) {
      if (entry.status === 'timed') await takeTurn(entry, options.samples);
    }
  }
  await Promise.all(running.map(({ process }) => process.stop()));

  // A training step counts as three times the forward pass: outputs, gradients of inputs, gradients of filters.
  const flops = 2 * multiplyAccumulates * (options.work === 'training' ? 3 : 1);
  const timed = entries
    .filter(({ status }) => status === 'timed')
    .map(({ process, turns, status, ...rest }) => {
      const summary = summarise(turns);
      return { ...rest, ...summary, gflops: flops / summary.ms / 1e6 };
    });
  const ours = timed.find(({ id }) => id === OURS);
  return {
    multiplyAccumulates,
    timed: timed.map((entry) => ({ ...entry, ratioToOurs: ours === undefined ? null : entry.ms / ours.ms })),
    notTimed: entries
      .filter(({ status }) => status !== 'timed')
      .map(({ id, status, reason }) => ({ id, status, reason })),
  };
}

function print({ work, threads, machine, networks }) {
  console.log(`${work}, one image of 256x256, float32, ${threads === 1 ? '1 thread' : `${threads} threads`}`);
  console.log(machineText(machine));
  for (const [network, { timed, notTimed, multiplyAccumulates }] of Object.entries(networks)) {
    console.log(`\n${NETWORKS[network]}, ${(multiplyAccumulates / 1e9).toFixed(2)} GMac`);
    if (timed.length > 0) console.log(networkTable(timed));
    for (const { id, status, reason } of notTimed) console.log(`${status}: ${id}: ${reason}`);
  }
  if (networks.pyconvunet !== undefined && networks.unet !== undefined) console.log(`\n${lightnessTable(networks)}`);
}

function write(file, results) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  log(`written: ${file}`);
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(USAGE);
  options.data ??= join(folder, '.work');
  const versions = pythonVersions(options.python);
  const machine = describeMachine(options, versions);
  prepareReference(options, versions, log);
  const { networks: costs } = JSON.parse(readFileSync(join(options.data, 'data.json'), 'utf8'));
  const networks = {};
  for (const network of options.networks) {
    networks[network] = await compete(network, options, costs[network].multiplyAccumulates);
  }
  const { work, threads, rounds, samples } = options;
  const results = { work, threads, rounds, samples, date: new Date().toISOString().slice(0, 10), machine, networks };
  print(results);
  // A part of the contenders must not replace the results of all.
  const usual = options.complete ? join(folder, 'results', `${work}-${threads}.json`) : undefined;
  const file = options.json ?? usual;
  if (file !== undefined) write(file, results);
  const bad = Object.values(networks).flatMap(({ notTimed }) => notTimed.filter(({ status }) => status !== 'skipped'));
  if (bad.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  if (!(error instanceof UsageError || error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
});
