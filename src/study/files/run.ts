/** One run of a study: trained or gone on with, scored at its last and its best epoch, and its result written once. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Sample, Split } from '../../data/index.js';
import { releasePredictors } from '../../inference/predictor.js';
import { percentile } from '../../metrics/index.js';
import { load } from '../../models/index.js';
import { threadsOf as backendThreads } from '../../runtime/backends.js';
import { DataError } from '../../runtime/errors.js';
import type { LongCallOptions } from '../../runtime/progress.js';
import {
  buildModel,
  createRun,
  ONE_SPECIMEN,
  type RunConfig,
  readCheckpoint,
  readRunConfig,
  removeCheckpoint,
  trainInFolder,
} from '../../training/files/index.js';
import type { EpochReport, Execution, TrainingProgress, TrainingState, TrainResult } from '../../training/index.js';
import { type ScoredPart, scoreCases } from '../cases.js';
import { peakBytes, secondsPerImage } from '../cost.js';
import type { RunKey } from '../runs.js';
import type { RunResult, StudyConfig } from '../schemas.js';
import type { LoadedDataset } from './datasets.js';
import { thisMachine } from './machine.js';
import { writeMasks, writeResult } from './results.js';

/** The configuration of a run as `train` keeps it, so that `predict` and `evaluate` take a study's runs too. */
export function runConfigOf(
  { model, seed, fold }: RunKey,
  { dataset, preprocessing, blocks, described }: LoadedDataset,
  study: StudyConfig,
): RunConfig {
  const { epochs, batch, learningRate, loss, augment, backend, validation, test, folds } = study;
  const parts = described[(fold ?? 1) - 1];
  if (parts === undefined) throw new Error(`There are no parts of fold ${fold}.`);
  const widths = study.widths === null ? null : [...study.widths];
  return {
    formatVersion: 1,
    data: dataset.source,
    ...{ model, widths, seed, epochs, batch, learningRate, loss, augment, backend, test, preprocessing, blocks },
    deepSupervision: study.deepSupervision && model === 'unet++',
    classes: null,
    groupBy: dataset.groupBy,
    validation: folds === null ? validation : (1 - test) / folds,
    microBatch: study.microBatch ?? batch,
    threads: study.threads,
    ...parts,
    command: `pyconvunet experiment (${model} on ${dataset.name}, seed ${seed}${fold === null ? '' : `, fold ${fold} of ${folds}`})`,
  };
}

/** Versions and threads may change on the way, and data may move: their digests tell them. The rest makes another run. */
function firstChange(ours: RunConfig, theirs: RunConfig): string | undefined {
  const { versions: _, data: __, threads: ___, ...rest } = ours;
  const key = (Object.keys(rest) as (keyof typeof rest)[]).find(
    (each) => JSON.stringify(ours[each]) !== JSON.stringify(theirs[each]),
  );
  if (key === undefined) return undefined;
  const show = (value: unknown): string => {
    const text = JSON.stringify(value) ?? 'nothing';
    return text.length > 80 ? `${text.slice(0, 77)}...` : text;
  };
  return `${key} was ${show(theirs[key])} and is now ${show(ours[key])}`;
}

/**
 * What there is of a run already.
 *
 * @throws DataError where the folder holds a run of other settings or data: nothing is overwritten.
 */
export async function requireSameRun(folder: string, config: RunConfig): Promise<void> {
  const names = await readdir(folder).catch(() => [] as string[]);
  if (!names.includes('config.json')) return;
  const change = firstChange(config, await readRunConfig(folder));
  if (change !== undefined) {
    throw new DataError(
      `${folder} holds a run with other settings: ${change}. Give another --out, or the settings that it was begun with.`,
    );
  }
}

/** What a run has written when it is ended before checkpoint.json stands. */
const BEFORE_FIRST_STATE = /^(config\.json|history\.json|checkpoint\.json|checkpoint-\d+-\d+\.bin)(\.\d+\.tmp)?$/;

/** The state to go on from; a run that ended before its first state is begun anew. */
async function begin(folder: string, config: RunConfig): Promise<TrainingState | undefined> {
  const names = await readdir(folder).catch(() => [] as string[]);
  if (names.includes('checkpoint.json')) return readCheckpoint(folder);
  for (const name of names.filter((each) => BEFORE_FIRST_STATE.test(each))) {
    await rm(join(folder, name));
  }
  await createRun(folder, config);
  return undefined;
}

/** Options of {@link performRun}. */
export interface RunOptions extends LongCallOptions<TrainingProgress> {
  readonly onEpoch?: (report: EpochReport) => void;
}

/** Threads that took the steps; where none were left, those of the scoring. */
function threadsOf(execution: Execution | null, asked: number): number | null {
  if (execution !== null) return execution.threads;
  return tf.getBackend() === 'wasm' ? asked : backendThreads(tf.getBackend());
}

/** A run with all that it is made of. */
export interface PreparedRun {
  readonly key: RunKey;
  /** The run's own folder. */
  readonly folder: string;
  readonly data: LoadedDataset;
  readonly parts: Split<Sample>;
  readonly config: RunConfig;
}

/**
 * Performs a run to its end.
 *
 * @returns The result that has been written.
 * @throws `signal.reason` where aborted, after the state was saved.
 */
export async function performRun(run: PreparedRun, { onEpoch, ...options }: RunOptions): Promise<RunResult> {
  const { key, folder, parts, config } = run;
  const state = await begin(folder, config);
  const model = buildModel(config);
  try {
    const seconds: number[] = [];
    // The first epoch after an interruption lacks the steps before it.
    let isWhole = state === undefined || state.step === 0;
    const trained = await trainInFolder(folder, model, parts, config, {
      ...options,
      ...(state === undefined ? {} : { state }),
      onEpoch: (report) => {
        if (isWhole) seconds.push(report.seconds);
        isWhole = true;
        onEpoch?.(report);
      },
    });
    const result: RunResult = {
      formatVersion: 1,
      ...key,
      history: { ...trained.history },
      ...(await measure(run, model, trained, options.signal)),
      secondsPerEpoch: seconds.length === 0 ? null : percentile(seconds, 50),
      machine: thisMachine(threadsOf(trained.execution, config.threads)),
      execution: trained.execution,
    };
    await writeResult(folder, result);
    await removeCheckpoint(folder);
    return result;
  } finally {
    releasePredictors(model);
    model.dispose();
  }
}

/** The scores of the network at its last and its best epoch, and what it costs. */
async function measure(
  { folder, data, parts, config }: PreparedRun,
  model: tfl.LayersModel,
  { history, best }: TrainResult,
  signal: AbortSignal | undefined,
): Promise<Pick<RunResult, 'best' | 'last' | 'test' | 'secondsPerImage' | 'peakBytes'>> {
  const [first] = parts.validation;
  if (first === undefined || best === null) throw new Error(`The run in ${folder} has no validated epoch.`);
  const { threads, loss, microBatch } = config;
  const options = {
    threads,
    ...(signal === undefined ? {} : { signal }),
    ...(data.blocks ? { group: ONE_SPECIMEN } : {}),
  };
  const last = await scoreCases(model, parts.validation, options);
  const bestModel = await load(join(folder, 'model.json'));
  try {
    const scored = await scoreCases(bestModel, parts.validation, options);
    await writeMasks(folder, parts.validation, scored.masks);
    const tested = parts.test.length === 0 ? null : await scoreCases(bestModel, parts.test, options);
    return {
      best: { epoch: best.epoch, ...withoutMasks(scored) },
      last: { epoch: history.valDice.length, ...withoutMasks(last) },
      test: tested === null ? null : withoutMasks(tested),
      secondsPerImage: await secondsPerImage(bestModel, first, threads),
      peakBytes: await peakBytes(model, parts.train.slice(0, config.batch), { loss, threads, microBatch }),
    };
  } finally {
    releasePredictors(bestModel);
    bestModel.dispose();
  }
}

const withoutMasks = ({ meanIoU, dice, cases }: ScoredPart) => ({ meanIoU, dice, cases });
