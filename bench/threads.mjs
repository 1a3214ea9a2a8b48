// Several threads of this package against one, and what the machine allows: as many processes of one thread at once.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { summarise } from '../dist/benchmark/summary.js';
import { PAUSE_MS, whyNotTimed } from './lib/check.mjs';
import { ContenderProcess } from './lib/contenderProcess.mjs';
import { commandOf, OURS } from './lib/contenders.mjs';
import { describeMachine, machineText } from './lib/machine.mjs';
import { prepareReference, pythonVersions } from './lib/reference.mjs';
import { scriptOptions } from './lib/scriptOptions.mjs';
import { columns } from './lib/table.mjs';

const NETWORKS = ['pyconvunet', 'unet'];

const values = scriptOptions(
  'node bench/threads.mjs [--threads N] [--rounds N] [--samples N] [--node PATH] [--python PATH] [--data DIR] [--json FILE]',
  {
    ...{ threads: '2', rounds: '9', samples: '3' },
    node: process.execPath,
    python: process.env.PYTHON ?? 'python3',
    data: join(fileURLToPath(new URL('.', import.meta.url)), '.work'),
    json: undefined,
  },
);
const { threads, rounds, samples } = values;

/** Processes that are measured at the same time. */
async function start(work, network, { threads: own, count }) {
  const options = { work, threads: own, node: values.node, python: values.python, data: values.data };
  const processes = Array.from({ length: count }, () => new ContenderProcess(commandOf(OURS, options, network), own));
  for (const header of await Promise.all(processes.map((contender) => contender.start()))) {
    const fault = whyNotTimed(header, options);
    if (fault !== null) throw new Error(`${network}, ${work}: ${fault.status}, ${fault.reason}.`);
  }
  return { processes, turns: [] };
}

const WAYS = {
  one: { threads: 1, count: 1 },
  several: { threads, count: 1 },
  apart: { threads: 1, count: threads },
};

/** Each way takes its turn in every round. */
async function compete(work, network) {
  const entries = {};
  for (const [way, setting] of Object.entries(WAYS)) entries[way] = await start(work, network, setting);
  for (let round = 0; round < rounds; round++) {
    console.error(`${network}, ${work}, round ${round + 1} of ${rounds}`);
    for (const { processes, turns } of Object.values(entries)) {
      await sleep(PAUSE_MS);
      const runs = await Promise.all(processes.map((contender) => contender.measure(samples)));
      // Of processes side by side the slowest counts.
      turns.push(runs[0].map((_, i) => Math.max(...runs.map((ms) => ms[i]))));
    }
  }
  for (const { processes } of Object.values(entries)) await Promise.all(processes.map((contender) => contender.stop()));
  const [one, several, apart] = Object.keys(WAYS).map((way) => summarise(entries[way].turns));
  return { one, several, apart, speedup: one.ms / several.ms, possible: (threads * one.ms) / apart.ms };
}

const versions = pythonVersions(values.python);
const machine = describeMachine(values, versions);
prepareReference({ ...values, networks: NETWORKS }, versions, (line) => console.error(line));
const results = {};
for (const work of ['inference', 'training']) {
  for (const network of NETWORKS) results[`${network}, ${work}`] = await compete(work, network);
}
console.log(machineText(machine));
const text = ({ ms, spread }) => `${ms.toFixed(1)} (${(100 * spread).toFixed(0)} %)`;
console.log(
  columns([
    ['ms (spread)', '1 thread', `${threads} threads`, `${threads} processes of 1`, 'speedup', 'possible'],
    ...Object.entries(results).map(([name, { one, several, apart, speedup, possible }]) => [
      name,
      ...[one, several, apart].map(text),
      ...[speedup, possible].map((ratio) => ratio.toFixed(2)),
    ]),
  ]),
);
if (values.json !== undefined) {
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(values.json, `${JSON.stringify({ threads, rounds, samples, date, machine, results }, null, 2)}\n`);
}
