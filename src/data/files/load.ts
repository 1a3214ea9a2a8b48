/** Loading of a data set: every file is read and checked before the first training step. */
import { DataError } from '../../runtime/errors.js';
import type { LongCallOptions } from '../../runtime/progress.js';
import { yieldToOthers } from '../../runtime/yieldToOthers.js';
import { decodeImage } from '../decode/index.js';
import { grouping } from '../groups.js';
import { drawPhantoms, isPhantomName, type Phantom, phantomNames } from '../phantoms/index.js';
import {
  type LoadedSamples,
  type PrepareOptions,
  prepareSamples,
  type RasterPair,
  requireOptions,
} from '../prepare.js';
import type { Raster } from '../raster.js';
import { findPairs, type PageRef, type Pair, readBytes } from './layouts.js';

/** Options of {@link loadSamples}. */
export interface LoadOptions extends PrepareOptions, LongCallOptions {
  /** 'volume' or a regular expression on the name: slices of one group never lie in two parts. See `grouping`. */
  readonly groupBy?: string | RegExp;
  /** Number of images of `phantom:NAME`; default 50. */
  readonly phantomCount?: number;
  /** Seed of `phantom:NAME`; default 0. */
  readonly phantomSeed?: number;
}

/** Sources that begin so are generated. */
const phantomPrefix = 'phantom:';

/**
 * Loads a data set into memory: finds the pairs, decodes and checks every file, prepares images and masks.
 *
 * @param source The data set's folder, in one of the layouts of `findPairs`; or `phantom:lung`, `phantom:liver`,
 * `phantom:cell` for generated images (drawn at the given size, else at 512 pixels).
 * @param options Size, window, channels, classes, grouping; signal and onProgress (status 'loading', one unit a pair).
 * @returns The samples ordered by name, and the preprocessing that was decided. Without `groupBy`, pages are grouped by
 * their stack.
 * @throws DataError that names the file: missing partner, mask of another size or with values that are no labels,
 * unreadable file, image of another size where no size is given; InvalidArgumentError for illegal options;
 * `signal.reason` where aborted.
 * @example
 * ```ts
 * import { mkdir, writeFile } from 'node:fs/promises';
 * import { loadSamples } from 'pyconvunet/files';
 * import { encodePng, phantom } from 'pyconvunet/training';
 *
 * await mkdir('livers/image', { recursive: true });
 * await mkdir('livers/mask', { recursive: true });
 * for (const { name, image, mask } of phantom('liver', { count: 2, size: 64 })) {
 *   await writeFile(`livers/image/${name}.png`, encodePng(image));
 *   await writeFile(`livers/mask/${name}.png`, encodePng(mask));
 * }
 * const { samples, preprocessing } = await loadSamples('livers', { size: 32 });
 * console.log(samples.length, preprocessing.size); // 2 [32, 32]
 * ```
 */
export async function loadSamples(source: string, options: LoadOptions = {}): Promise<LoadedSamples> {
  requireOptions(options);
  const pairs = source.startsWith(phantomPrefix)
    ? await generate(source.slice(phantomPrefix.length), options)
    : await readFolder(source, options);
  options.signal?.throwIfAborted();
  return prepareSamples(pairs, options);
}

async function generate(name: string, options: LoadOptions): Promise<RasterPair[]> {
  if (!isPhantomName(name)) {
    throw new DataError(
      `There is no phantom '${name}'. Give ${phantomNames.map((each) => phantomPrefix + each).join(', ')}.`,
    );
  }
  const { phantomCount: count = 50, phantomSeed: seed = 0, signal, onProgress } = options;
  const drawn: Phantom[] = [];
  signal?.throwIfAborted();
  for (const each of drawPhantoms(name, { count, size: phantomSize(options), seed })) {
    drawn.push(each);
    onProgress?.({ status: 'loading', done: drawn.length, total: count });
    // An abort arrives in the event loop's turn, which reading of files has by itself.
    await yieldToOthers();
    signal?.throwIfAborted();
  }
  return withGroups(drawn, groupsOf(options, []));
}

/** Phantoms are drawn at the size that is asked for; one that is not square is resized from its larger side. */
function phantomSize({ size, preprocessing }: LoadOptions): number {
  const wanted = preprocessing === undefined ? size : preprocessing.size;
  if (wanted === undefined || wanted === null) return 512;
  return typeof wanted === 'number' ? wanted : Math.max(wanted[0], wanted[1]);
}

async function readFolder(dir: string, options: LoadOptions): Promise<RasterPair[]> {
  const pairs = await findPairs(dir);
  // A name that has no group is told before files are decoded.
  const named = withGroups(pairs, groupsOf(options, pairs));
  const { signal, onProgress } = options;
  const images = new PageReader('colours');
  const masks = new PageReader('labels');
  const decoded: RasterPair[] = [];
  for (const { image, mask, ...identity } of named) {
    signal?.throwIfAborted();
    decoded.push({
      ...identity,
      image: await images.read(image),
      mask: await masks.read(mask),
      imageFile: describe(image),
      maskFile: describe(mask),
    });
    onProgress?.({ status: 'loading', done: decoded.length, total: named.length });
  }
  return decoded;
}

type GroupOf = (name: string) => string | undefined;

function withGroups<T extends { readonly name: string }>(
  items: readonly T[],
  groupOf: GroupOf,
): (T & { group?: string })[] {
  return items.map((item) => {
    const group = groupOf(item.name);
    return group === undefined ? item : { ...item, group };
  });
}

/** By the pattern; without one, pages of a stack by their stack. */
function groupsOf({ groupBy }: LoadOptions, pairs: readonly Pair[]): GroupOf {
  if (groupBy !== undefined) return grouping(groupBy);
  const pages = new Set(pairs.flatMap(({ name, image }) => (image.page === undefined ? [] : [name])));
  return (name) => (pages.has(name) ? name.slice(0, name.lastIndexOf('#')) : undefined);
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
    if (raster === undefined) throw new DataError(`${path} has no page ${page}. Was it changed while it was read?`);
    return raster;
  }
}
