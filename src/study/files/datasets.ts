/** The data sets of a study, loaded, reduced and divided. */
import { loadSamples } from '../../data/files/index.js';
import { isOneGroup, type Preprocessing, type Sample, type Split } from '../../data/index.js';
import { DataError } from '../../runtime/errors.js';
import type { LongCallOptions } from '../../runtime/progress.js';
import { describeParts } from '../../training/files/index.js';
import { partsOfStudy, subset } from '../parts.js';
import type { StudyConfig, StudyDataset } from '../schemas.js';

/** A data set in memory with its parts, one split for each fold. */
export interface LoadedDataset {
  readonly dataset: StudyDataset;
  readonly samples: readonly Sample[];
  readonly preprocessing: Preprocessing;
  /** The parts are blocks of one specimen. */
  readonly blocks: boolean;
  readonly splits: readonly Split<Sample>[];
  /** What the runs keep of each split. */
  readonly described: readonly ReturnType<typeof describeParts>[];
}

/**
 * Loads a data set of a study.
 *
 * @throws DataError where it cannot be read, has no foreground, or too few images.
 */
export async function loadDataset(
  dataset: StudyDataset,
  config: StudyConfig,
  options: LongCallOptions,
): Promise<LoadedDataset> {
  const { name, source, groupBy, window, images } = dataset;
  const { samples: all, preprocessing } = await loadSamples(source, {
    ...options,
    ...(config.size === null ? {} : { size: config.size }),
    ...(groupBy === null ? {} : { groupBy }),
    ...(window === null ? {} : { window }),
    ...(images !== null && source.startsWith('phantom:') ? { phantomCount: images } : {}),
  });
  const blocks = dataset.blocks || (groupBy === null && isOneGroup(all));
  const samples =
    images === null || images >= all.length ? all : subset(all, images, { seed: config.splitSeed, blocks });
  if (samples.length === 0) {
    throw new DataError(
      `Data set ${name}: images ${images} is fewer than any group (patient or volume) has. Give more images.`,
    );
  }
  if (!samples.some(({ mask }) => mask.includes(1))) {
    throw new DataError(`Data set ${name}: no mask holds any foreground, so that there is nothing to learn.`);
  }
  const splits = partsOfStudy(samples, config, blocks);
  return { dataset, samples, preprocessing, blocks, splits, described: splits.map(describeParts) };
}
