/** The results of a benchmark as lines for people. */
import {
  type NetworkResult,
  nameOf,
  type Profile,
  type ProfileRow,
  SAMPLES,
  TOLERANCE,
  type Work,
} from '../benchmark/index.js';
import { columns } from './columns.js';
import { machineLine } from './machine.js';
import type { Output } from './output.js';
import type { BenchmarkDocument } from './schemas.js';

/** Processes that wanted a core in the minute before, from which on times are not to be trusted. */
const BUSY = 0.5;

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const rate = (gflops: number | null): string => (gflops === null ? '-' : gflops.toFixed(1));

function networkTable({ timed }: NetworkResult): string[] {
  const header = ['contender', 'ms', 'spread', 'GFLOP/s', 'x fastest', 'memory', 'first result', 'difference'];
  const rows = timed.map((entry) => [
    nameOf(entry),
    entry.ms.toFixed(1),
    `${(100 * entry.spread).toFixed(0)} %`,
    entry.gflops.toFixed(1),
    entry.ratio.toFixed(2),
    mebibytes(entry.bytes),
    `${(entry.firstMs / 1000).toFixed(1)} s`,
    entry.difference === null ? '-' : entry.difference.toExponential(1),
  ]);
  return columns([header, ...rows]);
}

/** What the columns hold that their heads cannot say. */
function legend(work: Work): string[] {
  const output = { inference: "share of the output's range", training: 'in the losses of three steps' }[work];
  const lines = [
    ['spread', 'how much longer the slowest round took than the fastest: what other programs of the machine add'],
    ['x fastest', 'time in units of the fastest contender'],
    ['memory', "the plan's own; layer by layer that of all tensors at the fullest moment"],
    ['first result', 'seconds from the loaded network to its first result, planning and packing included'],
    ['difference', `from the nearest other implementation, ${output}; above ${TOLERANCE[work]} it is wrong`],
  ] as const;
  return lines.map(([name, text]) => `${name.padEnd('first result'.length)}  ${text}`);
}

function profileTable(title: string, rows: readonly ProfileRow[]): string[] {
  const cells = rows.map(({ name, ms, share, gflops, calls }) => [
    name,
    ms.toFixed(2),
    percent(share),
    rate(gflops),
    String(calls),
  ]);
  return columns([[title, 'ms', 'share', 'real GFLOP/s', 'calls'], ...cells]);
}

function profileLines({ ms, gflops, kinds, stages }: Profile): string[] {
  return [
    `Planned, step by step on 1 thread: ${ms.toFixed(1)} ms, ${gflops.toFixed(1)} real GFLOP/s (operations that the kernels do)`,
    ...profileTable('kind of step', kinds),
    ...profileTable('stage', stages),
  ];
}

/** Times of the first network in those of each other one, for the contenders that were timed on both. */
function lightness([first, ...others]: readonly NetworkResult[]): string[] {
  if (first === undefined) return [];
  return others.flatMap((other) => {
    const ideal = `${(first.macs / other.macs).toFixed(2)} of its multiply-accumulates`;
    return other.timed.flatMap((theirs) => {
      const ours = first.timed.find((entry) => nameOf(entry) === nameOf(theirs));
      return ours === undefined
        ? []
        : [
            `${first.name} takes ${(ours.ms / theirs.ms).toFixed(2)} of the time of ${other.name} (${ideal}): ${nameOf(theirs)}`,
          ];
    });
  });
}

/** Prints everything. */
export function printBenchmark(document: BenchmarkDocument, { log }: Output): void {
  const { work, batch, rounds, machine, skipped, networks } = document;
  const what =
    work === 'inference' ? 'Prediction of one image' : `Training step of ${batch} image${batch === 1 ? '' : 's'}`;
  log(`${what}, float32; the least of the medians of ${rounds} rounds of ${SAMPLES}`);
  log(machineLine(machine));
  if (machine.loadBefore > BUSY)
    log('Warning: other programs were using this machine just before. Times may be too long.');
  for (const { backend, reason } of skipped) log(`skipped: ${backend}: ${reason}`);
  for (const result of networks) {
    const { name, inputShape, params, macs, timed, notTimed } = result;
    log('');
    log(
      `${name} at ${inputShape.join('x')}: ${params.toLocaleString('en-US')} parameters, ${(macs / 1e9).toFixed(2)} GMac`,
    );
    if (timed.length > 0) for (const line of networkTable(result)) log(line);
    for (const entry of notTimed) {
      log(`${entry.status === 'wrong' ? 'WRONG' : entry.status}: ${nameOf(entry)}: ${entry.reason}`);
    }
    if (timed.some(({ difference }) => difference === null)) {
      log('No other implementation computes this network here, so that the output is not checked.');
    }
    if (result.profile !== null) for (const line of profileLines(result.profile)) log(line);
  }
  if (networks.some(({ timed }) => timed.length > 0)) for (const line of ['', ...legend(work)]) log(line);
  const ratios = lightness(networks);
  if (ratios.length > 0) log('');
  for (const line of ratios) log(line);
}
