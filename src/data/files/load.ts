/** Loading of a data set: every file is read and checked before the first training step. */
import { DataError, InvalidArgumentError } from '../../runtime/errors.js';
import type { LongCallOptions } from '../../runtime/progress.js';
import { requireOneSize } from '../batches.js';
import { decodeImage } from '../decode/index.js';
import { grouping } from '../groups.js';
import { requireClasses, toLabels } from '../labels.js';
import { type Preprocessing, type PreprocessingOptions, preprocess, resolvePreprocessing } from '../preprocess.js';
import type { Raster } from '../raster.js';
import { resizeNearest } from '../resize.js';
import type { Sample } from '../sample.js';
import { findPairs, type PageRef, type Pair, readBytes } from './layouts.js';

/** Options of {@link loadSamples}. */
export interface LoadOptions extends PreprocessingOptions, LongCallOptions {
  /** The preprocessing of a trained model: it is applied as it is, and channels, size and window are left out. */
  readonly preprocessing?: Preprocessing;
  /** Number of classes C of masks with the values 0..C-1; left out, masks are binary. */
  readonly classes?: number;
  /** 'volume' or a regular expression on the name: slices of one group never lie in two parts. See `grouping`. */
  readonly groupBy?: string | RegExp;
  /** Whether images of different sizes are accepted where no size is given; default false, as batches need one size. */
  readonly mixedSizes?: boolean;
}

/** A data set in memory. */
export interface LoadedSamples {
  readonly samples: Sample[];
  /** What was done to the images: belongs into the run's model.json. */
  readonly preprocessing: Preprocessing;
}

interface DecodedPair {
  readonly pair: Pair;
  readonly image: Raster;
  readonly mask: Uint8Array;
}

/**
 * Loads a data set into memory: finds the pairs, decodes and checks every file, prepares images and masks.
 *
 * @param dir The data set's folder, in one of the layouts of `findPairs`.
 * @param options Size, window, channels, classes, grouping; signal and onProgress (status 'loading', one unit a pair).
 * @returns The samples ordered by name, and the preprocessing that was decided. Without `groupBy`, pages are grouped by
 * their stack where the set has several stacks.
 * @throws DataError that names the file: missing partner, mask of another size or with values that are no labels,
 * unreadable file, image of another size where no size is given; InvalidArgumentError for illegal options;
 * `signal.reason` where aborted.
 * @example
 * ```ts
 * const { samples, preprocessing } = await loadSamples('data/liver_ct', { size: 128, groupBy: 'volume' });
 * ```
 */
export async function loadSamples(dir: string, options: LoadOptions = {}): Promise<LoadedSamples> {
  const { classes, preprocessing: given, signal, mixedSizes = false } = options;
  requireClasses(classes);
  if (given !== undefined && [options.size, options.channels, options.window].some((option) => option !== undefined)) {
    throw new InvalidArgumentError(
      'Give either preprocessing (of a trained model) or size, channels and window, but not both.',
    );
  }
  const pairs = await findPairs(dir);
  const groupOf = options.groupBy === undefined ? stackOf(pairs) : grouping(options.groupBy);
  const groups = pairs.map(({ name }) => groupOf(name));
  const decoded = await decodePairs(pairs, options);
  const preprocessing =
    given ??
    resolvePreprocessing(
      decoded.map(({ image }) => image),
      options,
    );
  const samples = decoded.map((each, index): Sample => {
    signal?.throwIfAborted();
    const group = groups[index];
    return { ...prepare(each, preprocessing), ...(group === undefined ? {} : { group }) };
  });
  if (!mixedSizes) requireOneSize(samples);
  return { samples, preprocessing };
}

/** Pages of several stacks are grouped by their stack; the pages of a single one could not be split then. */
function stackOf(pairs: readonly Pair[]): (name: string) => string | undefined {
  const stacks = new Set(pairs.flatMap(({ image }) => (image.page === undefined ? [] : [image.path])));
  if (stacks.size < 2) return () => undefined;
  const byName = new Map(pairs.map(({ name, image }) => [name, image.page]));
  return (name) => (byName.get(name) === undefined ? undefined : name.slice(0, name.lastIndexOf('#')));
}

async function decodePairs(pairs: readonly Pair[], options: LoadOptions): Promise<DecodedPair[]> {
  const { classes, signal, onProgress } = options;
  const images = new PageReader('colours');
  const masks = new PageReader('labels');
  const decoded: DecodedPair[] = [];
  for (const pair of pairs) {
    signal?.throwIfAborted();
    const image = await images.read(pair.image);
    const mask = await masks.read(pair.mask);
    if (image.width !== mask.width || image.height !== mask.height) {
      throw new DataError(
        `The mask ${describe(pair.mask)} has ${mask.width} x ${mask.height} pixels, but its image ` +
          `${describe(pair.image)} has ${image.width} x ${image.height}. Both must have one size (width x height).`,
      );
    }
    decoded.push({ pair, image, mask: toLabels(mask, describe(pair.mask), classes) });
    onProgress?.({ status: 'loading', done: decoded.length, total: pairs.length });
  }
  return decoded;
}

function prepare({ pair, image, mask }: DecodedPair, preprocessing: Preprocessing): Sample {
  const prepared = preprocess(image, preprocessing);
  const { width, height } = image;
  const { size } = preprocessing;
  return {
    name: pair.name,
    ...prepared,
    mask: size === null ? mask : resizeNearest({ width, height, data: mask }, size),
  };
}

function describe({ path, page }: PageRef): string {
  return page === undefined ? path : `${path} (page ${page})`;
}

/** Reads pages and keeps the last file decoded, so that a stack is decoded once and not once a page. */
class PageReader {
  private path = '';
  private pages: Raster[] = [];

  constructor(private readonly indexedAs: 'colours' | 'labels') {}

  async read({ path, page = 0 }: PageRef): Promise<Raster> {
    if (path !== this.path) {
      this.pages = decodeImage(await readBytes(path), path, { indexedAs: this.indexedAs });
      this.path = path;
    }
    const raster = this.pages[page];
    if (raster === undefined) throw new DataError(`${path} has no page ${page}: it changed while it was read.`);
    return raster;
  }
}
