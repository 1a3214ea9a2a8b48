/** Programs for one convolution by itself: from images to images, its filters packed on the way. */
import { Epilogue } from './epilogue.js';
import { Lowering, type Machine, type Target } from './lower/context.js';
import { lowerConv, stencilOf } from './lower/convolution.js';
import { lowerFilterGradients, lowerInputGradient } from './lower/convolutionGradients.js';
import { backwardConnection, type Finish } from './lower/filters.js';
import { isNestable } from './lower/nested.js';
import { productsPerTile } from './lower/sections.js';
import { type Images, lowerMargins, lowerTransfer } from './lower/transfer.js';
import { Buffer, Program } from './program.js';
import { roundUp, tilesOf } from './tiles.js';
import type { ConvLevel, ConvOp, MapShape, Precision, Weight } from './types.js';
import { ChangingWeights } from './weights.js';

/** A convolution between images [batch, height, width, channels]. */
export interface Convolution {
  readonly batch: number;
  readonly input: MapShape;
  readonly output: MapShape;
  readonly op: ConvOp;
}

/** A program, and the tensors that it reads and writes where they are. */
export interface ConvolutionProgram {
  readonly program: Program;
  readonly tensors: readonly Buffer[];
}

const outside = (floats: number): Buffer => new Buffer(4 * floats, 'outside');

/** Tiles of 4 pixels serve dense 3x3 convolutions best, tiles of 3 every larger kernel. */
export const tileFor = ({ levels, strides }: ConvOp): 3 | 4 =>
  strides.every((n) => n === 1) && levels.some(({ kernelSize: [k] }) => k > 3) ? 3 : 4;

/** The levels that nested Winograd can compute. */
function nestableLevels({ op, input, output }: Convolution): readonly ConvLevel[] {
  const sameSize = input.height === output.height && input.width === output.width;
  return op.levels.filter((level) => isNestable(stencilOf(op, level), tileFor(op), sameSize));
}

/** Whether every level is computed by nested Winograd. */
export const isNested = (convolution: Convolution): boolean =>
  nestableLevels(convolution).length === convolution.op.levels.length;

/**
 * What one factor costs in the time of a product, measured (docs/decisions.md): to pack for either way, and for a direct sum to
 * gather the values that it is multiplied with, which all outputs of a group share.
 */
const PACKING = { nested: 27, direct: 15 } as const;
const GATHERING = 4;

/**
 * Whether nested Winograd costs less than direct sums: where maps are small it packs much and computes beyond their borders. Levels
 * that it cannot compute have no say.
 */
function precisionOf(convolution: Convolution, { vectors }: Machine): Precision {
  const levels = nestableLevels(convolution);
  if (levels.length === 0) return 'fast';
  const { batch, op, input, output } = convolution;
  const wide = 4 * vectors;
  const tile = tileFor(op);
  const { tileRows, pitch } = tilesOf(output, tile, batch);
  const places = batch * roundUp(tileRows * pitch, wide);
  const pixels = roundUp(batch * output.height * output.width, wide);
  let saved = 0;
  for (const { kernelSize, groups, start, end } of levels) {
    const outputs = (end - start) / groups;
    const pairs = (input.channels / groups) * (end - start);
    const direct = kernelSize[0] * kernelSize[1] * (pixels + PACKING.direct) * (1 + GATHERING / outputs);
    const nested = productsPerTile(kernelSize[0], tile) * (places + PACKING.nested);
    saved += pairs * (direct - nested);
  }
  return saved > 0 ? 'fast' : 'exact';
}

const floatsOf = ({ levels }: ConvOp, channels: number): Map<Weight, number> =>
  new Map(
    levels.map(({ filter, kernelSize: [kh, kw], groups, start, end }) => [
      filter,
      kh * kw * (channels / groups) * (end - start),
    ]),
  );

/** What the programs of a convolution begin with. */
function begin({ op, batch, input }: Convolution, machine: Machine) {
  const program = new Program();
  const filters = new Map([...floatsOf(op, input.channels)].map(([filter, floats]) => [filter, outside(floats)]));
  const lowering = new Lowering(program, new ChangingWeights(program, filters), machine, tileFor(op), batch);
  return { program, filters, lowering };
}

/** Images as a map with zeros around it. */
function lowerImages(lowering: Lowering, shape: MapShape, images: Images): Target {
  const target = lowering.newMap(shape);
  lowerTransfer(lowering, 'toTiles', target, images);
  lowerMargins(lowering, target);
  lowering.endStep('images', 'toTiles');
  return target;
}

const whole = (image: Buffer, { channels }: MapShape): Images => ({ place: image.at(), imageChannels: channels });

const imageFloats = (batch: number, { height, width, channels }: MapShape): number => batch * height * width * channels;

/** What follows the sums: nothing, or a ReLU; a bias can be written into the record. */
function finishOf(lowering: Lowering, channels: number, relu: boolean): Finish {
  const epilogue = new Epilogue(channels, true);
  if (relu) epilogue.addRelu();
  const record = lowering.table('record', 5 * channels, () => epilogue.record());
  return { owner: 'convolution', factors: epilogue.factors, record };
}

/**
 * The convolution itself, a bias and a ReLU behind it where asked for.
 *
 * @returns Tensors: x, the filters, the bias where there is one, y.
 */
export function forwardProgram(
  convolution: Convolution,
  machine: Machine,
  { bias, relu }: { readonly bias: boolean; readonly relu: boolean },
): ConvolutionProgram {
  const { op, batch, input, output } = convolution;
  const { program, filters, lowering } = begin(convolution, machine);
  const x = outside(imageFloats(batch, input));
  const y = outside(imageFloats(batch, output));
  const offsets = bias ? [outside(output.channels)] : [];
  const finish = finishOf(lowering, output.channels, relu);
  const { record } = finish;
  for (const offset of offsets) program.call('biasRecord', { bias: offset.at(), record, count: output.channels });
  const map = lowerImages(lowering, input, whole(x, input));
  const target = lowering.newMap(output);
  lowerConv(lowering, map, { op, to: target.tiles, precision: precisionOf(convolution, machine) }, finish, {
    place: target.place,
    accumulate: false,
  });
  lowering.endStep('convolution', 'forward');
  lowerTransfer(lowering, 'fromTiles', target, whole(y, output));
  lowering.endStep('images', 'fromTiles');
  return { program, tensors: [x, ...filters.values(), ...offsets, y] };
}

/**
 * The gradient of the input.
 *
 * @returns Tensors: dy, the filters, dx.
 */
export function inputGradientProgram(convolution: Convolution, machine: Machine): ConvolutionProgram {
  const { op, batch, input, output } = convolution;
  const { program, filters, lowering } = begin(convolution, machine);
  const dy = outside(imageFloats(batch, output));
  const dx = outside(imageFloats(batch, input));
  const map = lowerImages(lowering, output, whole(dy, output));
  const target = lowering.newMap(input);
  const finish = finishOf(lowering, input.channels, false);
  for (const [i, level] of op.levels.entries()) {
    const connection = backwardConnection(level, input.channels);
    const destination = { place: target.place, accumulate: i > 0 };
    lowerInputGradient(
      lowering,
      map,
      { op, level, connection, to: target.tiles, precision: precisionOf(convolution, machine) },
      finish,
      destination,
    );
  }
  lowering.endStep('convolution', 'input gradient');
  lowerTransfer(lowering, 'fromTiles', target, whole(dx, input));
  lowering.endStep('images', 'fromTiles');
  return { program, tensors: [dy, ...filters.values(), dx] };
}

/**
 * The gradient of one level's filter, added to what stands there.
 *
 * @returns Tensors: x, dy, the gradient.
 */
export function filterGradientProgram(
  convolution: Convolution,
  machine: Machine,
  level: ConvLevel,
): ConvolutionProgram {
  const { op, batch, input, output } = convolution;
  const { program, filters, lowering } = begin(convolution, machine);
  const x = outside(imageFloats(batch, input));
  const dy = outside(imageFloats(batch, output));
  const gradient = filters.get(level.filter);
  if (gradient === undefined) throw new Error('The level does not belong to the convolution.');
  const map = lowerImages(lowering, input, whole(x, input));
  // Of the gradient's channels, those of the level alone.
  const channels = level.end - level.start;
  const slice = { place: dy.at(4 * level.start), imageChannels: output.channels };
  const own = lowerImages(lowering, { ...output, channels }, slice);
  const alone = { ...op, levels: [{ ...level, start: 0, end: channels }] };
  lowerFilterGradients(lowering, map, own, { op: alone, precision: precisionOf(convolution, machine) }, () =>
    gradient.at(),
  );
  lowering.endStep('convolution', 'filter gradient');
  return { program, tensors: [x, dy, gradient] };
}
