/**
 * Work for several threads: calls that follow each other are cut into tasks, by channels where a kernel goes channel by channel, by
 * pixels or outputs where it computes products. No sum is cut, so that results do not depend on the number of threads.
 */
import type { KernelName } from './contract.js';
import type { Machine } from './lower/context.js';
import { Buffer, type Call, type Phase, Place, type Program, type Step, type Word } from './program.js';

type NumberOf = (name: string) => number;

/** How a call is cut. */
interface Cut {
  /** The parameter that counts what can be shared out. */
  readonly count: string;
  /** Parts are multiples of it; `wide`: pixels of a register tile. */
  readonly unit: (arg: NumberOf, wide: number) => number;
  /** Bytes from one of the counted things to the next, per address. */
  readonly shifts: Readonly<Record<string, string | number | ((arg: NumberOf) => number)>>;
  /** Addresses of memory that each part needs of its own. */
  readonly scratch?: readonly string[];
  /** About how many values are touched for one of the counted things. */
  readonly work: (arg: NumberOf) => number;
}

const one = () => 1;
const pair = () => 2;
const registerTile = (_: NumberOf, wide: number) => wide;
/** Strassen's algorithm computes two of them together. */
const registerTiles = (_: NumberOf, wide: number) => 2 * wide;
const length = (arg: NumberOf) => arg('length');

const channels = (shifts: Cut['shifts'], work: Cut['work'] = length): Cut => ({
  count: 'count',
  unit: one,
  shifts,
  work,
});

/** Rows of a product that belong to one output stay together, and pairs of rows. */
const rowUnit = (arg: NumberOf): number => (arg('phases') % 2 === 0 ? arg('phases') : 2 * arg('phases'));

/** Bytes of the weights of a pair of outputs of both halves. */
const pairBytes = (inner: number): number => 28 * inner;

/** Products by Strassen's algorithm by such pairs; `inputs`: the parameter that counts the inputs. */
const outputPairs = (inputs: string, places: (arg: NumberOf) => number): Cut => ({
  count: 'pairs',
  unit: one,
  shifts: { out: (arg) => 2 * arg('outChannel'), epilogue: 40, weights: (arg) => pairBytes(arg(inputs)) },
  scratch: ['panel', 'spill'],
  work: (arg) => (places(arg) * arg(inputs)) / 2,
});

/** Channels of a line of the cache: neighbours in one would wait for each other. */
const line = () => 16;
/** Rows of a block. */
const block = () => 32;
const rowBytes = (arg: NumberOf): number => 4 * arg('channels');

/** A row of an image, and the part of a row of tiles that stands for it. */
const imageRows: Cut['shifts'] = {
  image: (arg) => 4 * arg('width') * arg('imageChannels'),
  first: (arg) => (4 * arg('pitch')) / arg('tile'),
};
const imageWork = (arg: NumberOf): number => arg('width') * arg('channels');

/**
 * Products are cut by pixels, so that each thread reads its own part of the inputs; by outputs, where all read all inputs, only where there
 * are too few pixels for parts of one size.
 */
const CUTS: Partial<Record<KernelName, Cut | readonly Cut[]>> = {
  affine: channels({ input: 'inputChannel', out: 'outChannel', epilogue: 20 }),
  sum: channels({ a: 'aChannel', b: 'bChannel', out: 'outChannel', epilogue: 20 }),
  product: channels({ a: 'aChannel', b: 'bChannel', out: 'outChannel', epilogue: 20 }),
  sigmoid: channels({ input: 'inputChannel', out: 'outChannel' }),
  pool3: channels({ input: 'inputChannel', out: 'outChannel' }, (arg) => 36 * arg('tileRows') * arg('tileColumns')),
  pool4: channels({ input: 'inputChannel', out: 'outChannel' }, (arg) => 64 * arg('tileRows') * arg('tileColumns')),
  poolGradient3: channels(
    { input: 'inputChannel', gradient: 'gradientChannel', target: 'inputChannel' },
    (arg) => 72 * arg('tileRows') * arg('tileColumns'),
  ),
  poolGradient4: channels(
    { input: 'inputChannel', gradient: 'gradientChannel', target: 'inputChannel' },
    (arg) => 128 * arg('tileRows') * arg('tileColumns'),
  ),
  gatherMax: channels({ input: 'inputChannel', out: 'outChannel' }, (arg) => 4 * arg('taps') * arg('pixels')),
  gatherSum: channels({ input: 'inputChannel', out: 'outChannel' }, (arg) => 4 * arg('taps') * arg('pixels')),
  gatherMaxGradient: channels(
    { input: 'inputChannel', gradient: 'gradientChannel', target: 'targetChannel' },
    (arg) => 4 * arg('taps') * arg('pixels'),
  ),
  zeroMargins: channels({ map: 'channelStride' }, (arg) => 4 * arg('height') + (arg('height') * arg('width')) / 8),
  channelMoments: channels({ input: 'inputChannel', moments: 16 }),
  normSums: channels({
    gradient: 'gradientChannel',
    input: 'inputChannel',
    record: 20,
    statistics: 16,
    sums: 16,
  }),
  normApply: channels({ gradient: 'gradientChannel', input: 'inputChannel', record: 20, factors: 16 }),
  reluGradient: channels({ gradient: 'gradientChannel', output: 'outputChannel' }),
  sigmoidGradient: channels({ gradient: 'gradientChannel', output: 'outputChannel' }),
  biasGradient: channels({ gradient: 'gradientChannel', out: 4 }),
  clear: { count: 'bytes', unit: () => 4096, shifts: { map: 1 }, work: () => 0.1 },
  adam: {
    count: 'bytes',
    unit: () => 4096,
    shifts: { weights: 1, mean: 1, square: 1, gradient: 1 },
    work: one,
  },
  gemm: [
    {
      count: 'length',
      unit: registerTile,
      shifts: { start: 4 },
      scratch: ['panel', 'spill'],
      work: (arg) => (arg('planes') * arg('outputs') * arg('inner')) / 8,
    },
    {
      count: 'outputs',
      unit: pair,
      shifts: { out: 'outChannel', epilogue: 20, weights: (arg) => 4 * arg('inner') },
      scratch: ['panel', 'spill'],
      work: (arg) => (arg('planes') * arg('length') * arg('inner')) / 8,
    },
  ],
  gatherGemm: [
    {
      count: 'pixels',
      unit: registerTile,
      shifts: { from: 4, to: 4 },
      scratch: ['panel'],
      work: (arg) => (arg('rows') * arg('inputs') * arg('taps')) / 8,
    },
    {
      count: 'rows',
      unit: rowUnit,
      shifts: {
        out: (arg) => arg('outChannel') / arg('phases'),
        epilogue: (arg) => 20 / arg('phases'),
        weights: (arg) => 4 * arg('inputs') * arg('taps'),
      },
      scratch: ['panel'],
      work: (arg) => (arg('pixels') * arg('inputs') * arg('taps')) / 8,
    },
  ],
  strassen: [
    {
      count: 'length',
      unit: registerTiles,
      shifts: { start: 4 },
      scratch: ['panel', 'spill'],
      work: (arg) => (arg('planes') * arg('pairs') * arg('inner')) / 2,
    },
    outputPairs('inner', (arg) => arg('planes') * arg('length')),
  ],
  gatherStrassen: [
    {
      count: 'pixels',
      unit: registerTiles,
      shifts: { from: 4, to: 4 },
      scratch: ['panel', 'spill'],
      work: (arg) => (arg('phases') * arg('pairs') * arg('inputs')) / 2,
    },
    outputPairs('inputs', (arg) => arg('phases') * arg('pixels')),
  ],
  packStrassen: {
    count: 'pairs',
    unit: one,
    shifts: { product: (arg) => 8 * arg('inner'), weights: (arg) => pairBytes(arg('inner')) },
    work: (arg) => 4 * arg('inner'),
  },
  packGemm: {
    count: 'rows',
    unit: rowUnit,
    shifts: {
      filter: (arg) => arg('rowStride') / arg('phases'),
      scale: (arg) => 4 / arg('phases'),
      weights: (arg) => 4 * arg('inputs') * arg('taps'),
    },
    work: (arg) => 4 * arg('inputs') * arg('taps'),
  },
  gemmGradient: {
    count: 'outputs',
    unit: pair,
    shifts: { gradient: 'gradientChannel', sums: (arg) => 4 * arg('block') },
    work: (arg) => (arg('planes') * arg('length') * arg('rows')) / 8,
  },
  gatherGradient: {
    count: 'outputs',
    unit: pair,
    shifts: { gradient: 'gradientChannel', sums: (arg) => 4 * arg('block') },
    scratch: ['panel'],
    work: (arg) => (arg('pixels') * arg('rows')) / 8,
  },
  rowSums: {
    count: 'count',
    unit: line,
    shifts: { input: 4, centre: 4, sums: 8, products: 8 },
    work: (arg) => arg('rows'),
  },
  rowGradientSums: {
    count: 'count',
    unit: line,
    shifts: { gradient: 4, input: 4, output: 4, centre: 4, sums: 8, products: 8 },
    work: (arg) => arg('rows'),
  },
  rowAffine: { count: 'rows', unit: block, shifts: { input: rowBytes, out: rowBytes }, work: (arg) => arg('channels') },
  rowGradient: {
    count: 'rows',
    unit: block,
    shifts: { gradient: rowBytes, input: rowBytes, output: rowBytes, out: rowBytes },
    work: (arg) => arg('channels'),
  },
  toTiles: { count: 'height', unit: (arg) => arg('tile'), shifts: imageRows, work: imageWork },
  fromTiles: { count: 'height', unit: (arg) => arg('tile'), shifts: imageRows, work: imageWork },
  unpackGemm: {
    count: 'outputs',
    unit: one,
    shifts: { gradient: 'outputStride', sums: (arg) => 4 * arg('block') },
    work: (arg) => 4 * arg('inputs') * arg('taps'),
  },
};

/** Kernels of which one call does not depend on the one before it: each writes a place of its own. */
const INDEPENDENT: readonly KernelName[] = ['packNested3', 'packNested4', 'unpackNested3', 'unpackNested4'];

/** A phase of less work costs more than it saves. */
const LEAST_WORK = 30_000;

/** Parts are of one size where the largest is so little above its share. */
const EVEN = 1.06;

const shifted = (word: Word, bytes: number): Word => (word instanceof Place ? word.plus(bytes) : word + bytes);

function numberOf({ kernel, args }: Call): NumberOf {
  return (name) => {
    const word = args[name];
    if (typeof word !== 'number') throw new Error(`Kernel ${kernel} has no number ${name}.`);
    return word;
  };
}

/** A cut of one call: so many things, in so many units. */
interface FittedCut {
  readonly cut: Cut;
  readonly total: number;
  readonly unit: number;
  readonly units: number;
  /** Share of the largest part. */
  readonly largest: number;
}

/** How a call is cut: in the first way whose largest part is about its share, else in the one whose largest part is the least. */
function cutOf(kernel: KernelName, arg: NumberOf, { threads, vectors }: Machine): FittedCut | null {
  let best: FittedCut | null = null;
  for (const cut of [CUTS[kernel] ?? []].flat()) {
    const total = arg(cut.count);
    const unit = cut.unit(arg, 4 * vectors);
    const units = Math.ceil(total / unit);
    if (units < 2 || total * cut.work(arg) < LEAST_WORK) continue;
    const largest = Math.ceil(units / threads) / units;
    if (best === null || largest < best.largest) best = { cut, total, unit, units, largest };
    if (best.largest * threads < EVEN) break;
  }
  return best;
}

/** A call as parts for several threads, or null where that is not worth it. */
function cutCall(call: Call, machine: Machine): Phase | null {
  const arg = numberOf(call);
  const found = cutOf(call.kernel, arg, machine);
  if (found === null) return null;
  const { cut, total, unit, units } = found;
  const parts = Math.min(machine.threads, units);
  return Array.from({ length: parts }, (_, part) => {
    const from = unit * Math.floor((part * units) / parts);
    const to = Math.min(total, unit * Math.floor(((part + 1) * units) / parts));
    const args: Record<string, Word> = { ...call.args, [cut.count]: to - from };
    for (const [name, stride] of Object.entries(cut.shifts)) {
      const word = call.args[name];
      if (word === undefined) throw new Error(`Kernel ${call.kernel} has no parameter ${name}.`);
      const bytes = typeof stride === 'number' ? stride : typeof stride === 'string' ? arg(stride) : stride(arg);
      args[name] = shifted(word, from * bytes);
    }
    for (const name of part === 0 ? [] : (cut.scratch ?? [])) {
      const word = call.args[name];
      if (word instanceof Place) args[name] = new Buffer(word.buffer.bytes, word.buffer.kind).at(word.offset);
    }
    return [{ kernel: call.kernel, args }];
  });
}

/** Calls that follow each other, cut where that is worth it. */
function cutTask(calls: readonly Call[], machine: Machine): Phase[] {
  const phases: Phase[] = [];
  let waiting: Call[] = [];
  const flush = () => {
    if (waiting.length > 0) phases.push([waiting]);
    waiting = [];
  };
  for (let i = 0; i < calls.length; ) {
    const call = calls[i];
    if (call === undefined) break;
    let run = i;
    while (INDEPENDENT.includes(call.kernel) && calls[run]?.kernel === call.kernel) run++;
    if (run > i + 1) {
      flush();
      const members = calls.slice(i, run);
      const parts = Math.min(machine.threads, members.length);
      phases.push(Array.from({ length: parts }, (_, part) => members.filter((_member, j) => j % parts === part)));
      i = run;
      continue;
    }
    const parts = cutCall(call, machine);
    if (parts === null) waiting.push(call);
    else {
      flush();
      phases.push(parts);
    }
    i++;
  }
  flush();
  return phases;
}

/** The steps of a program for several threads. */
export function parallelSteps({ steps }: Program, machine: Machine): Step[] {
  if (machine.threads === 1) return [...steps];
  return steps.map((step) => ({
    ...step,
    phases: step.phases.flatMap((phase) => {
      const [only, ...others] = phase;
      return only !== undefined && others.length === 0 ? cutTask(only, machine) : [phase];
    }),
  }));
}
