/** From decoded images with masks to samples: every check that is possible before training. */
import { DataError, InvalidArgumentError } from '../runtime/errors.js';
import { requireOneSize } from './batches.js';
import { requireClasses, toLabels } from './labels.js';
import { type Preprocessing, type PreprocessingOptions, preprocess, resolvePreprocessing } from './preprocess.js';
import type { Raster } from './raster.js';
import { resizeNearest } from './resize.js';
import type { Sample } from './sample.js';

/** An image with its mask as decoded. */
export interface RasterPair {
  readonly name: string;
  readonly group?: string;
  readonly image: Raster;
  readonly mask: Raster;
  /** What messages call the image and the mask, such as their paths; by default the name. */
  readonly imageFile?: string;
  readonly maskFile?: string;
}

/** Options of {@link prepareSamples}. */
export interface PrepareOptions extends PreprocessingOptions {
  /** The preprocessing of a trained model: it is applied as it is; channels, size and window must be left out then. */
  readonly preprocessing?: Preprocessing;
  /** Number of classes C of masks with the values 0..C-1; left out, masks are binary. */
  readonly classes?: number;
  /** Whether images of different sizes are accepted where no size is given; default false, as batches need one size. */
  readonly mixedSizes?: boolean;
}

/** A data set in memory. */
export interface LoadedSamples {
  readonly samples: Sample[];
  /** What was done to the images: belongs into the run's model.json. */
  readonly preprocessing: Preprocessing;
}

/**
 * Turns decoded images and masks into samples.
 *
 * @param pairs Images with masks of the same size, in any units.
 * @param options Size, window, channels, classes; or the preprocessing of a trained model.
 * @returns The samples in the order of the pairs, and the preprocessing that was decided.
 * @throws DataError that names the file, where a mask has another size than its image or values that are no labels, and
 * where sizes differ and none is given; InvalidArgumentError for illegal options or no pairs.
 * @example
 * ```ts
 * import { phantom, prepareSamples } from 'pyconvunet/training';
 *
 * const { samples, preprocessing } = prepareSamples(phantom('lung', { count: 2, size: 64 }), { size: 32 });
 * console.log(samples[0].image.length, preprocessing.channels); // 1024 1
 * ```
 */
export function prepareSamples(pairs: readonly RasterPair[], options: PrepareOptions = {}): LoadedSamples {
  requireOptions(options);
  const masks = pairs.map((pair) => checkedLabels(pair, options.classes));
  const images = pairs.map(({ image }) => image);
  const preprocessing = options.preprocessing ?? resolvePreprocessing(images, options);
  const { size } = preprocessing;
  const samples = pairs.map(({ name, group, image, imageFile = name }, index): Sample => {
    const { width, height } = image;
    const data = masks[index];
    return {
      name,
      ...(group === undefined ? {} : { group }),
      ...preprocess(image, preprocessing, imageFile),
      mask: size === null ? data : resizeNearest({ width, height, data }, size),
    };
  });
  if (options.mixedSizes !== true) requireOneSize(samples);
  return { samples, preprocessing };
}

/** Refuses illegal options before a file is read. */
export function requireOptions(options: PrepareOptions): void {
  const { preprocessing, classes, size, channels, window } = options;
  requireClasses(classes);
  if (preprocessing !== undefined && [size, channels, window].some((option) => option !== undefined)) {
    throw new InvalidArgumentError(
      'Give either preprocessing (of a trained model) or size, channels and window, but not both.',
    );
  }
}

/** The labels of a mask that has its image's size. */
function checkedLabels(pair: RasterPair, classes: number | undefined): Uint8Array {
  const { image, mask, imageFile = pair.name, maskFile = `the mask of ${pair.name}` } = pair;
  if (image.width !== mask.width || image.height !== mask.height) {
    throw new DataError(
      `${maskFile} has ${mask.width} x ${mask.height} pixels, but its image ${imageFile} has ` +
        `${image.width} x ${image.height}. Both must have one size (width x height).`,
    );
  }
  return toLabels(mask, maskFile, classes);
}
