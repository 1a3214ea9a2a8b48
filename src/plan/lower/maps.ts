/** Everything but convolutions: element by element, pooling, and resampling over lists of places. */
import { EPILOGUE_BYTES } from '../../engine/epilogue.js';
import { type Lowering, type Segment, segmentsOf, type Target, type View } from '../../engine/lower/context.js';
import {
  fillUp,
  nameOf,
  pixelCount,
  pixelList,
  placeLists,
  placesOf,
  windowPlaces,
} from '../../engine/lower/places.js';
import type { Place } from '../../engine/program.js';
import { inOrder, roundUp, type Tiles } from '../../engine/tiles.js';
import type { Pair } from '../../engine/types.js';
import { UnplannableError } from '../graph/readModel.js';
import type { Op } from '../graph/types.js';

/** Channels that lie one behind the other in every one of the views. */
function* commonRuns(views: readonly View[], channels: number): Generator<{ start: number; parts: Segment[] }> {
  for (let start = 0; start < channels; ) {
    const parts = views.map((view) => segmentsOf(view, start, channels)[0]);
    const count = Math.min(...parts.map((part) => part?.channels ?? 0));
    if (!(count > 0)) throw new Error('The maps of an operation differ in their channels.');
    yield { start, parts: parts.flatMap((part) => (part === undefined ? [] : [{ ...part, channels: count }])) };
    start += count;
  }
}

const at = (target: Target, channel: number): Place => target.place.plus(channel * target.tiles.channelStride);

/** A normalisation or a ReLU with no operation before it that could compute it. */
export function lowerAffine(lowering: Lowering, input: View, target: Target, epilogue: Place): void {
  const { channelStride } = target.tiles;
  for (const { start, parts } of commonRuns([input], target.channels)) {
    const [part] = parts;
    if (part === undefined) continue;
    lowering.program.call('affine', {
      input: part.place,
      inputChannel: channelStride,
      out: at(target, start),
      outChannel: channelStride,
      length: target.tiles.places,
      count: part.channels,
      epilogue: epilogue.plus(start * EPILOGUE_BYTES),
    });
  }
}

/** A sum of maps; all but the last addition without the epilogue. */
export function lowerSum(
  lowering: Lowering,
  inputs: readonly View[],
  target: Target,
  { last, none }: { last: Place; none: Place },
): void {
  const [first, ...others] = inputs;
  if (first === undefined || others.length === 0) throw new Error('A sum has two maps at least.');
  let sum = first;
  for (const [i, other] of others.entries()) {
    combine(lowering, 'sum', [sum, other], target, i === others.length - 1 ? last : none);
    sum = target;
  }
}

/** A product of two maps, one of which may have a single channel. */
export function lowerProduct(lowering: Lowering, inputs: readonly View[], target: Target, epilogue: Place): void {
  const [a, b, ...others] = inputs;
  if (a === undefined || b === undefined || others.length > 0)
    throw new UnplannableError('a product has other than two maps');
  combine(lowering, 'product', [a, b], target, epilogue);
}

function combine(
  lowering: Lowering,
  kernel: 'sum' | 'product',
  views: readonly [View, View],
  target: Target,
  epilogue: Place,
): void {
  const { channelStride } = target.tiles;
  const full = views.filter(({ channels }) => channels === target.channels);
  for (const { start, parts } of commonRuns(full, target.channels)) {
    const rest = [...parts];
    const [a, b] = views.map((view) => {
      const single = segmentsOf(view, 0, 1)[0];
      const part = view.channels === target.channels ? rest.shift() : single;
      if (part === undefined) throw new Error('A map has no channels.');
      return { place: part.place, stride: view.channels === target.channels ? channelStride : 0 };
    });
    if (a === undefined || b === undefined) continue;
    lowering.program.call(kernel, {
      a: a.place,
      aChannel: a.stride,
      b: b.place,
      bChannel: b.stride,
      out: at(target, start),
      outChannel: channelStride,
      length: target.tiles.places,
      count: parts[0]?.channels ?? 0,
      epilogue: epilogue.plus(start * EPILOGUE_BYTES),
    });
  }
}

/** The activation behind the logits. */
export function lowerActivation(
  lowering: Lowering,
  input: View,
  target: Target,
  activation: 'sigmoid' | 'softmax',
): void {
  const runs = [...commonRuns([input], target.channels)];
  if (activation === 'softmax' && runs.length > 1) throw new UnplannableError('a softmax reads a concatenation');
  for (const { start, parts } of runs) {
    const [part] = parts;
    if (part === undefined) continue;
    lowering.program.call(activation, {
      input: part.place,
      inputChannel: target.tiles.channelStride,
      out: at(target, start),
      outChannel: target.tiles.channelStride,
      length: target.tiles.places,
      count: part.channels,
    });
  }
}

type PoolOp = Extract<Op, { kind: 'pool' }>;

/** Whether a pooling takes 2x2 pixels to one and leaves none out. */
const halves = ({ size, strides, padding }: PoolOp, from: Tiles, to: Tiles): boolean =>
  [...size, ...strides].every((n) => n === 2) &&
  padding.top === 0 &&
  padding.left === 0 &&
  from.height === 2 * to.height &&
  from.width === 2 * to.width;

/** Maximum over windows. */
function lowerPool(lowering: Lowering, input: View, target: Target, op: PoolOp): void {
  const { tiles: from } = input;
  const { tiles: to } = target;
  const is2x2 = halves(op, from, to);
  for (const { start, parts } of commonRuns([input], target.channels)) {
    const [part] = parts;
    if (part === undefined) continue;
    const common = {
      input: part.place,
      inputChannel: from.channelStride,
      out: at(target, start),
      outChannel: to.channelStride,
      count: part.channels,
    };
    if (is2x2) {
      for (let sample = 0; sample < to.batch; sample++) {
        lowering.program.call(to.tile === 3 ? 'pool3' : 'pool4', {
          ...common,
          inputPlane: from.planeStride,
          inputFirst: from.first + sample * from.sampleStride,
          inputPitch: from.pitch,
          outPlane: to.planeStride,
          outFirst: to.first + sample * to.sampleStride,
          outPitch: to.pitch,
          tileRows: to.tileRows,
          tileColumns: to.tileColumns,
        });
      }
    } else lowering.program.call('gatherMax', { ...common, ...windowLists(lowering, from, to, op) });
  }
}

/** Values of a vector. */
const VECTOR = 4;

/** Lists of places, filled up to whole vectors: so many for each pixel of `to`, and where it stands itself. */
function vectorLists(lowering: Lowering, key: string, to: Tiles, taps: number, content: () => Float64Array[]) {
  const places = pixelCount(to);
  return {
    from: placeLists(lowering, key, { lists: taps, places, unit: VECTOR }, content),
    to: pixelList(lowering, to, VECTOR),
    taps,
    pixels: roundUp(places, VECTOR),
  };
}

function windowLists(lowering: Lowering, from: Tiles, to: Tiles, { size, strides, padding, zeros }: PoolOp) {
  const key = `pool ${nameOf(from)} ${nameOf(to)} ${size} ${strides} ${padding.top},${padding.left} ${zeros}`;
  // A pixel of the same window stands for one outside, where padding does not count.
  const along = (length: number, stride: number, start: number) => (tap: number) => (position: number) => {
    const found = position * stride + tap - start;
    return zeros ? found : Math.min(Math.max(found, 0), length - 1);
  };
  const row = along(from.height, strides[0], padding.top);
  const column = along(from.width, strides[1], padding.left);
  return vectorLists(lowering, key, to, size[0] * size[1], () => windowPlaces(to, from, size, row, column));
}

/** What a resampling reads for one pixel along one axis: as many terms for each. */
type Sampling = (position: number) => readonly Term[];

interface Term {
  readonly index: number;
  readonly share: number;
}

function resample(
  lowering: Lowering,
  input: View,
  target: Target,
  { key, rows, columns }: { key: string; rows: Sampling; columns: Sampling },
): void {
  const { tiles: from } = input;
  const { tiles: to } = target;
  const termsAlong = (sampling: Sampling) =>
    sampling(0).map((_, i) => {
      const termAt = (position: number): Term => {
        const term = sampling(position)[i];
        if (term === undefined) throw new Error(`Pixel ${position} of a resampling has no term ${i}.`);
        return term;
      };
      return {
        index: (position: number) => termAt(position).index,
        share: (position: number) => termAt(position).share,
      };
    });
  const taps = termsAlong(rows).flatMap((row) => termsAlong(columns).map((column) => ({ row, column })));
  const full = `${key} ${nameOf(from)} ${nameOf(to)}`;
  const places = vectorLists(lowering, full, to, taps.length, () =>
    taps.map(({ row, column }) => placesOf(to, from, row.index, column.index)),
  );
  const length = places.taps * places.pixels;
  const shares = lowering.table(`${full} shares`, length, () =>
    fillUp(
      new Float32Array(length),
      taps.map(({ row, column }) => inOrder(to, row.share, column.share, (a, b) => a * b)),
      places.pixels,
    ),
  );
  for (const { start, parts } of commonRuns([input], target.channels)) {
    const [part] = parts;
    if (part === undefined) continue;
    lowering.program.call('gatherSum', {
      input: part.place,
      inputChannel: from.channelStride,
      out: at(target, start),
      outChannel: to.channelStride,
      count: part.channels,
      accumulate: 0,
      shares,
      ...places,
    });
  }
}

/** The gradient of a pooling; `target` gets a map of its own. */
export function lowerPoolGradient(lowering: Lowering, input: View, dy: Target, op: PoolOp, target: Target): void {
  const { tiles: from } = input;
  const { tiles: to } = dy;
  if (halves(op, from, to)) {
    for (const { start, parts } of commonRuns([input], dy.channels)) {
      const [part] = parts;
      for (let sample = 0; sample < to.batch && part !== undefined; sample++) {
        lowering.program.call(to.tile === 3 ? 'poolGradient3' : 'poolGradient4', {
          input: part.place,
          inputChannel: from.channelStride,
          inputPlane: from.planeStride,
          inputFirst: from.first + sample * from.sampleStride,
          inputPitch: from.pitch,
          gradient: at(dy, start),
          gradientChannel: to.channelStride,
          gradientPlane: to.planeStride,
          gradientFirst: to.first + sample * to.sampleStride,
          gradientPitch: to.pitch,
          target: at(target, start),
          tileRows: to.tileRows,
          tileColumns: to.tileColumns,
          count: part.channels,
        });
      }
    }
    return;
  }
  lowering.program.call('clear', { map: target.place, bytes: target.channels * from.channelStride });
  const lists = windowLists(lowering, from, to, op);
  for (const { start, parts } of commonRuns([input], dy.channels)) {
    const [part] = parts;
    if (part === undefined) continue;
    lowering.program.call('gatherMaxGradient', {
      input: part.place,
      inputChannel: from.channelStride,
      from: lists.from,
      taps: lists.taps,
      listLength: lists.pixels,
      pixels: pixelCount(to),
      gradient: at(dy, start),
      gradientChannel: to.channelStride,
      to: lists.to,
      target: at(target, start),
      targetChannel: from.channelStride,
      count: part.channels,
    });
  }
}

/** How the pixels of an input along an axis are reached from those of an output: a sampling turned round. */
function turned(sampling: Sampling, from: number, to: number): Sampling {
  const found = Array.from({ length: from }, (): Term[] => []);
  for (let o = 0; o < to; o++) {
    for (const { index, share } of sampling(o)) if (share !== 0) found[index]?.push({ index: o, share });
  }
  const most = Math.max(1, ...found.map((row) => row.length));
  // Every pixel has as many terms as the one that has most.
  return (i) => {
    const row = found[i] ?? [];
    const [first = { index: 0, share: 0 }] = row;
    return [...row, ...Array.from({ length: most - row.length }, () => ({ index: first.index, share: 0 }))];
  };
}

/** An enlargement: nearest, or bilinear with aligned corners. */
interface Enlargement {
  readonly method: 'nearest' | 'bilinear';
  readonly factors: Pair;
}

function enlargedAxis({ method, factors }: Enlargement, axis: 0 | 1, from: number, to: number): Sampling {
  if (method === 'nearest') return (o) => [{ index: Math.floor(o / factors[axis]), share: 1 }];
  const step = to > 1 ? (from - 1) / (to - 1) : 0;
  return (o) => {
    const position = o * step;
    const index = Math.min(Math.floor(position), from - 1);
    const share = position - index;
    return [
      { index, share: 1 - share },
      { index: Math.min(index + 1, from - 1), share },
    ];
  };
}

/** Enlargement by whole factors. */
function lowerEnlarge(lowering: Lowering, input: View, target: Target, enlargement: Enlargement): void {
  const { tiles: from } = input;
  const { tiles: to } = target;
  resample(lowering, input, target, {
    key: `${enlargement.method} ${enlargement.factors}`,
    rows: enlargedAxis(enlargement, 0, from.height, to.height),
    columns: enlargedAxis(enlargement, 1, from.width, to.width),
  });
}

/** An operation that moves values, or takes the largest. */
export function lowerMove(
  lowering: Lowering,
  input: View,
  target: Target,
  op: Extract<Op, { kind: 'pool' | 'enlarge' | 'shift' }>,
): void {
  if (op.kind === 'pool') lowerPool(lowering, input, target, op);
  else if (op.kind === 'enlarge') lowerEnlarge(lowering, input, target, op);
  else lowerShift(lowering, input, target, op.shift);
}

/** The gradient of an enlargement. */
export function lowerEnlargeGradient(lowering: Lowering, dy: Target, enlargement: Enlargement, target: Target): void {
  const { tiles: from } = target;
  const { tiles: to } = dy;
  const axis = (i: 0 | 1, small: number, large: number) =>
    turned(enlargedAxis(enlargement, i, small, large), small, large);
  resample(lowering, dy, target, {
    key: `${enlargement.method} gradient ${enlargement.factors}`,
    rows: axis(0, from.height, to.height),
    columns: axis(1, from.width, to.width),
  });
}

/** The gradient of a crop or a padding. */
export function lowerShiftGradient(lowering: Lowering, dy: Target, [rows, columns]: Pair, target: Target): void {
  lowerShift(lowering, dy, target, [-rows, -columns]);
}

/** A crop or a padding of its own. */
function lowerShift(lowering: Lowering, input: View, target: Target, [rows, columns]: Pair): void {
  resample(lowering, input, target, {
    key: `shift ${rows},${columns}`,
    rows: (o) => [{ index: o + rows, share: 1 }],
    columns: (o) => [{ index: o + columns, share: 1 }],
  });
}
