/** Which options and states the training loop accepts: refused before the first step, with what is legal. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { isThreads, LEGAL_THREADS } from '../runtime/threads.js';
import { checkKeys } from '../spec/index.js';
import type { TrainingPosition } from './state.js';

const AUGMENTATIONS = ['none', 'random', 'expand'] as const;

/** How the training part is varied: see `TrainOptions.augment`. */
export type Augmentation = (typeof AUGMENTATIONS)[number];

/** What a run is set to, with every default in place. */
export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly microBatch: number;
  readonly learningRate: number;
  readonly augment: Augmentation;
  readonly seed: number;
  readonly threads: number;
}

const OPTIONS = [
  'epochs',
  'batchSize',
  'microBatch',
  'learningRate',
  'threads',
  'loss',
  'augment',
  'seed',
  'state',
  'signal',
  'onProgress',
  'onEpoch',
  'onState',
] as const;

/** Refuses misspelt options, and data that has no two parts. */
export function requireCall(data: unknown, options: unknown): void {
  checkKeys('train', options, OPTIONS);
  const parts: readonly unknown[] =
    typeof data === 'object' && data !== null && 'training' in data && 'validation' in data
      ? [data.training, data.validation]
      : [];
  if (parts.length !== 2 || !parts.every(Array.isArray)) {
    throw new InvalidArgumentError(
      'train takes its data as {training: samples, validation: samples}, two lists of samples. Use split for images that are not divided yet.',
    );
  }
}

/** Refuses settings that a caller without types, or with a number from a form, may have put together. */
export function requireSettings(settings: Settings): void {
  const { epochs, batchSize, microBatch, learningRate, augment, seed, threads } = settings;
  const refuse = (name: string, legal: string, value: unknown): never => {
    throw new InvalidArgumentError(`train: ${name} must be ${legal}. Received: ${String(value)}.`);
  };
  if (!Number.isInteger(epochs) || epochs < 1) refuse('epochs', 'a whole number of at least 1', epochs);
  if (!Number.isInteger(batchSize) || batchSize < 1) refuse('batchSize', 'a whole number of at least 1', batchSize);
  if (!Number.isInteger(microBatch) || microBatch < 1 || microBatch > batchSize) {
    refuse('microBatch', `a whole number from 1 to batchSize (${batchSize} here)`, microBatch);
  }
  if (!isThreads(threads)) refuse('threads', LEGAL_THREADS, threads);
  if (!Number.isFinite(learningRate) || learningRate <= 0) {
    refuse('learningRate', 'a finite number above 0', learningRate);
  }
  if (!AUGMENTATIONS.includes(augment)) refuse('augment', `one of ${AUGMENTATIONS.join(', ')}`, augment);
  if (!Number.isSafeInteger(seed)) refuse('seed', 'a whole number (0 is legal)', seed);
}

/**
 * Refuses a state whose steps are not those of this run. The optimizer has counted every step, so that another batch size
 * or another number of samples shows wherever it changes the number of steps in an epoch.
 */
export function requireFittingState(
  { epoch, step, optimizerSteps }: TrainingPosition,
  { epochs, stepsPerEpoch }: { readonly epochs: number; readonly stepsPerEpoch: number },
): void {
  if (step > stepsPerEpoch || epoch * stepsPerEpoch + step !== optimizerSteps) {
    throw new InvalidArgumentError(
      `train: the state was taken after ${optimizerSteps} steps, in epoch ${epoch + 1} after its step ${step}, but an epoch has ${stepsPerEpoch} steps here. Go on with the training samples, batchSize and augment of the run that wrote it.`,
    );
  }
  if (epoch > epochs || (epoch === epochs && step > 0)) {
    throw new InvalidArgumentError(
      `train: the state has finished ${epoch} epochs and ${step} steps, but the run ends after ${epochs} epochs. Raise epochs.`,
    );
  }
}
