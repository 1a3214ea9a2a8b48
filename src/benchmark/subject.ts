/** The networks that a benchmark measures, and the images that they get. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Batch } from '../data/batches.js';
import { inputShapeOf } from '../inference/inputShape.js';
import { getMetadata } from '../inference/metadata.js';
import { nextMultiple } from '../inference/padding.js';
import { divisor } from '../models/index.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { Random } from '../runtime/random.js';

/** A network that can be made any number of times, always the same, on the backend that is current then. */
export interface Subject {
  readonly name: string;
  readonly build: () => Promise<tfl.LayersModel>;
}

/** [height, width]. */
export type Size = readonly [number, number];

/** A size where neither the caller nor the model names one. */
const USUAL_SIZE: Size = [256, 256];

/** Images with their masks are made on the host before anything asks whether a backend holds them. */
const MOST_PIXELS = 2 ** 26;

/**
 * The size of the images of a model: the caller's, else the model's own, else that of its training, filled up as prediction does it.
 *
 * @throws InvalidArgumentError where the model does not take the caller's, or the benchmark does not.
 */
export function sizeFor(model: tfl.LayersModel, name: string, wanted: Size | undefined): Size {
  const [height, width] = inputShapeOf(model);
  const step = divisor(model);
  const own = getMetadata(model)?.preprocessing.size ?? USUAL_SIZE;
  const filled: Size = [height ?? nextMultiple(own[0], step), width ?? nextMultiple(own[1], step)];
  if (wanted === undefined) return filled;
  const sides = [height, width] as const;
  if (sides.some((side, i) => side !== null && side !== wanted[i])) {
    throw new InvalidArgumentError(
      `${name} was built for images of ${height ?? 'any'}x${width ?? 'any'} (height x width). Received: size ${wanted.join('x')}. Leave the size out.`,
    );
  }
  if (wanted[0] * wanted[1] > MOST_PIXELS) {
    throw new InvalidArgumentError(
      `A benchmark takes images of up to ${MOST_PIXELS} pixels, such as 8192x8192. Received: size ${wanted.join('x')}. Give a smaller one.`,
    );
  }
  const fitting = wanted.map((side) => nextMultiple(side, step));
  if (wanted.some((side, i) => side !== fitting[i])) {
    throw new InvalidArgumentError(
      `${name} computes on sizes that are multiples of ${step}. Received: size ${wanted.join('x')}. Give ${fitting.join('x')}, to which prediction fills such images up.`,
    );
  }
  return wanted;
}

/** Rings around the middle of an image, a label each: shapes that a first step of training learns something of. */
function rings(classes: number, [height, width]: Size): number[] {
  return Array.from({ length: height * width }, (_, i) => {
    const row = Math.floor(i / width) / height - 0.5;
    const column = (i % width) / width - 0.5;
    return Math.min(classes - 1, Math.floor(2 * classes * Math.hypot(row, column)));
  });
}

/** Images of numbers in [-1, 1] and their masks, the same at every call. */
export function randomBatch(model: tfl.LayersModel, count: number, size: Size): Batch {
  const [height, width] = size;
  const [, , channels] = inputShapeOf(model);
  const classes = Math.max(2, model.outputs.at(-1)?.shape[3] ?? 2);
  const random = new Random(1);
  const mask = rings(classes, size);
  return {
    ...{ count, height, width, channels },
    images: Float32Array.from({ length: count * height * width * channels }, () => 2 * random.next() - 1),
    masks: Uint8Array.from({ length: count * mask.length }, (_, i) => mask[i % mask.length] ?? 0),
    names: Array.from({ length: count }, (_, i) => `image ${i}`),
  };
}
