/** Generated images with masks: three tasks of graded difficulty that need no data set. */
import { InvalidArgumentError } from '../../runtime/errors.js';
import { deriveSeed, Random } from '../../runtime/random.js';
import type { Raster } from '../raster.js';
import { cellScene } from './cell.js';
import { liverScene } from './liver.js';
import { lungScene } from './lung.js';
import type { Scene } from './scene.js';

const scenes = { lung: lungScene, liver: liverScene, cell: cellScene };

/** The phantoms by growing difficulty. */
export type PhantomName = keyof typeof scenes;

/** The names of all phantoms, by growing difficulty. */
export const phantomNames: readonly PhantomName[] = ['lung', 'liver', 'cell'];

/** Options of {@link phantom}. */
export interface PhantomOptions {
  /** Number of images; each depends on seed, size and its index alone, so that more images keep the first ones. */
  readonly count: number;
  /** Height and width in pixels, at least 32; default 512. */
  readonly size?: number;
  /** Any whole number; default 0. */
  readonly seed?: number;
}

/** A generated image of 8-bit grey and its mask of 0 and 255. */
export interface Phantom {
  /** Task and index, such as `lung_007`. */
  readonly name: string;
  readonly image: Raster & { readonly data: Uint8Array };
  readonly mask: Raster & { readonly data: Uint8Array };
}

/** Whether a text names a phantom. */
export function isPhantomName(name: string): name is PhantomName {
  return Object.hasOwn(scenes, name);
}

/**
 * Generates phantoms: images that show whether training works, never which network is better.
 *
 * - `lung`: two dark lungs with blurred borders; the air around the body is as dark.
 * - `liver`: a large mottled organ among others of the same brightness.
 * - `cell`: granular cells between thin membranes; smooth regions of the same brightness are background.
 *
 * No threshold finds the object: even the best one for each image stays below a Dice of 0.80, on every task.
 *
 * @param name 'lung', 'liver' or 'cell'.
 * @param options How many, their size in pixels (default 512) and the seed (default 0).
 * @returns Grey images of 8 bits and masks of 0 and 255, the same in every runtime.
 * @throws InvalidArgumentError for an unknown name, an illegal count, size or seed.
 * @example
 * ```ts
 * import { phantom } from 'pyconvunet/training';
 *
 * const [first] = phantom('lung', { count: 4, size: 128, seed: 7 });
 * console.log(first.name, first.image.data.length); // lung_000 16384
 * ```
 */
export function phantom(name: PhantomName, options: PhantomOptions): Phantom[] {
  return [...drawPhantoms(name, options)];
}

/** {@link phantom} one image at a time, for callers that do something between two: large ones take seconds each. */
export function* drawPhantoms(name: PhantomName, options: PhantomOptions): Generator<Phantom, void> {
  if (!isPhantomName(name)) {
    throw new InvalidArgumentError(`A phantom is one of ${phantomNames.join(', ')}. Received: '${String(name)}'.`);
  }
  if (options === undefined) throw new InvalidArgumentError(`Say how many: phantom('${name}', { count: 5 }).`);
  const { count, size = 512, seed = 0 } = options;
  if (!Number.isInteger(count) || count < 1) {
    throw new InvalidArgumentError(`The count of phantoms must be a whole number of at least 1. Received: ${count}.`);
  }
  if (!Number.isInteger(size) || size < 32) {
    throw new InvalidArgumentError(`A phantom's size must be a whole number of at least 32 pixels. Received: ${size}.`);
  }
  for (let index = 0; index < count; index++) {
    // Structure and noise have streams of their own: the noise takes as many numbers as there are pixels.
    const scene = scenes[name](new Random(deriveSeed(seed, 'phantom', name, index)), size);
    yield {
      name: `${name}_${String(index).padStart(3, '0')}`,
      ...draw(scene, size, new Random(deriveSeed(seed, 'phantom noise', name, index))),
    };
  }
}

function draw(scene: Scene, size: number, random: Random): Pick<Phantom, 'image' | 'mask'> {
  const image = new Uint8ClampedArray(size * size);
  const mask = new Uint8Array(size * size);
  // The sum of two uniform numbers, scaled to a standard deviation of 1: close enough to normal, and fast.
  const deviation = Math.sqrt(6) * scene.noise;
  for (let y = 0, i = 0; y < size; y++) {
    for (let x = 0; x < size; x++, i++) {
      const { value, foreground } = scene.render((x + 0.5) / size, (y + 0.5) / size);
      image[i] = value + deviation * (random.next() + random.next() - 1);
      mask[i] = foreground ? 255 : 0;
    }
  }
  const shape = { width: size, height: size, channels: 1 };
  return { image: { ...shape, data: new Uint8Array(image.buffer) }, mask: { ...shape, data: mask } };
}
