/** A training run in its folder: the network that its configuration says, trained from the start or from a checkpoint. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { expand } from '../../augment/index.js';
import type { Sample, Split } from '../../data/index.js';
import { defaultClasses, setMetadata } from '../../inference/index.js';
import { create, type NetworkName } from '../../models/index.js';
import { widthOptions } from '../../models/widths.js';
import { InvalidArgumentError } from '../../runtime/errors.js';
import type { LongCallOptions } from '../../runtime/progress.js';
import type { TrainingState } from '../state.js';
import { type EpochReport, type TrainingProgress, type TrainResult, train } from '../train.js';
import { writeCheckpoint } from './checkpoint.js';
import { saveModel } from './model.js';
import { writeHistory } from './runFolder.js';
import type { RunConfig } from './schemas.js';

/** What of a run's configuration makes its network. */
export type NetworkConfig = Pick<
  RunConfig,
  'model' | 'widths' | 'classes' | 'seed' | 'preprocessing' | 'deepSupervision'
>;

function supervision(name: NetworkName, deepSupervision: boolean) {
  if (!deepSupervision) return {};
  if (name !== 'unet++') {
    throw new InvalidArgumentError(
      `Deep supervision belongs to unet++ alone. Received: deep supervision of ${name}. Leave it out.`,
    );
  }
  return { deepSupervision };
}

/**
 * The network of a run with its initial weights, and what it says of its images.
 *
 * @throws InvalidArgumentError where the network cannot have these widths, or no deep supervision.
 */
export function buildModel(config: NetworkConfig): tfl.LayersModel {
  const { model: name, widths, classes, seed, preprocessing, deepSupervision } = config;
  const model = create<NetworkName>(name, {
    inputShape: [null, null, preprocessing.channels],
    numClasses: classes ?? 1,
    seed,
    ...widthOptions(name, widths),
    ...supervision(name, deepSupervision),
  });
  setMetadata(model, {
    formatVersion: 1,
    network: name,
    preprocessing,
    classes: defaultClasses(classes ?? 1),
    threshold: 0.5,
  });
  return model;
}

/** Images of an epoch of a run. */
export const imagesOf = ({ train }: Pick<Split<Sample>, 'train'>, { augment }: Pick<RunConfig, 'augment'>): number =>
  augment === 'expand' ? expand(train).length : train.length;

/** Optimizer steps of a run. */
export const stepsOf = (
  parts: Pick<Split<Sample>, 'train'>,
  config: Pick<RunConfig, 'augment' | 'batch' | 'epochs'>,
): number => Math.ceil(imagesOf(parts, config) / config.batch) * config.epochs;

/** Options of {@link trainInFolder}. */
export interface FolderTrainingOptions extends LongCallOptions<TrainingProgress> {
  /** The state to go on from. */
  readonly state?: TrainingState;
  readonly onEpoch?: (report: EpochReport) => void;
}

/**
 * Trains a run's network and keeps its folder true: the best model, the history and the checkpoint of each epoch.
 *
 * @param folder The run's folder, with its config.json.
 * @param model Of {@link buildModel}; it ends with the weights of the last epoch.
 * @throws What `train` throws; where `signal` aborts, the checkpoint has been written.
 */
export function trainInFolder(
  folder: string,
  model: tfl.LayersModel,
  parts: Pick<Split<Sample>, 'train' | 'validation'>,
  config: RunConfig,
  { onEpoch, ...options }: FolderTrainingOptions,
): Promise<TrainResult> {
  const { epochs, batch: batchSize, microBatch, learningRate, loss, augment, seed, threads } = config;
  return train(
    model,
    { training: parts.train, validation: parts.validation },
    {
      ...{ epochs, batchSize, microBatch, learningRate, loss, augment, seed, threads },
      ...options,
      onEpoch: async (report) => {
        if (report.isBest) await saveModel(model, folder);
        onEpoch?.(report);
      },
      onState: async (state) => {
        await writeHistory(folder, state.history);
        await writeCheckpoint(folder, state);
      },
    },
  );
}
