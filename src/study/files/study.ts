/** The study: every run of a configuration in one folder, each begun, gone on with or kept. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { DataError, InvalidArgumentError } from '../../runtime/errors.js';
import type { LongCallOptions, Progress } from '../../runtime/progress.js';
import { stepsOf, writeJson } from '../../training/files/index.js';
import type { EpochReport } from '../../training/index.js';
import { listRuns, type RunKey, runTitle } from '../runs.js';
import { type RunResult, type StudyConfig, studyConfigSchema } from '../schemas.js';
import { resolveStudy, type StudyInput } from './config.js';
import { type LoadedDataset, loadDataset } from './datasets.js';
import { estimateRuns, type RunEstimate } from './estimate.js';
import { readResult, runFolder } from './results.js';
import { type PreparedRun, performRun, requireSameRun, runConfigOf } from './run.js';

/** Progress of a study: `done` and `total` count optimizer steps of all runs. */
export interface StudyProgress extends Progress {
  /** The run under way, counted from 1. */
  readonly run: number;
  readonly runs: number;
  /** What is trained, such as `unet on lung, seed 1`. */
  readonly title: string;
}

/** Progress of the loading of a study's data: `done` and `total` count data sets, the one under way by its share. */
export interface StudyLoading extends Progress {
  /** Name of the data set under way. */
  readonly dataset: string;
  /** Its images that have been read or drawn, and all of them. */
  readonly images: readonly [done: number, total: number];
}

/** What a run reports after each epoch. */
export interface StudyEpoch extends EpochReport {
  readonly key: RunKey;
  readonly epochs: number;
}

/** Options of a study. */
export interface StudyOptions extends LongCallOptions<StudyProgress> {
  /** Called with the estimate of every run before the first step. */
  readonly onEstimate?: (estimates: readonly RunEstimate[]) => void;
  /** Called before a run begins or goes on, and for one that is kept. */
  readonly onRun?: (
    key: RunKey,
    position: { readonly run: number; readonly runs: number; readonly kept: boolean },
  ) => void;
  /** Called after each epoch, with the run that it belongs to. */
  readonly onEpoch?: (epoch: StudyEpoch) => void;
}

/** A study that has been loaded and checked. */
export interface PreparedStudy {
  readonly folder: string;
  readonly config: StudyConfig;
  readonly datasets: readonly LoadedDataset[];
  readonly runs: readonly (PreparedRun & { readonly finished: boolean; readonly result: RunResult | undefined })[];
}

async function currentBackend(): Promise<string> {
  await tf.ready();
  return tf.getBackend();
}

/**
 * Loads the data of a study, divides it, and looks for what has been done already. Nothing is written. The study runs on the
 * backend that is active now.
 *
 * @param input Networks, data sets, seeds, protocol; what is left out comes from the protocol.
 * @param folder The study's folder: new, or that of an earlier call to go on with.
 * @param options signal, onProgress (status 'loading'; data sets, and images of the one under way).
 * @returns The study with its data and its runs, finished ones with their results; for {@link estimateStudy},
 *   {@link performStudy} and `writeReport`.
 * @throws InvalidArgumentError or DataError for an illegal configuration, data that cannot be used, or a folder that holds
 *   anything else or runs of other settings; `signal.reason` where aborted.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { prepareStudy } from 'pyconvunet/files';
 *
 * const { runs } = await prepareStudy(
 *   { data: [{ source: 'phantom:lung', images: 4 }], models: ['unet'], size: [32, 32], seeds: [1, 2] },
 *   'prepared',
 * );
 * console.log(runs.map(({ key, finished }) => [key.seed, finished])); // [ [ 1, false ], [ 2, false ] ]
 * ```
 */
export async function prepareStudy(
  input: StudyInput,
  folder: string,
  options: LongCallOptions<StudyLoading> = {},
): Promise<PreparedStudy> {
  const config = resolveStudy({ backend: await currentBackend(), ...input });
  if (config.backend !== (await currentBackend())) {
    throw new InvalidArgumentError(
      `The study is to run on backend ${config.backend}, but ${tf.getBackend()} is active. Call useBackend('${config.backend}') first, or leave backend out.`,
    );
  }
  await requireStudyFolder(folder, config);
  const datasets: LoadedDataset[] = [];
  for (const [i, dataset] of config.data.entries()) {
    const report = ({ done, total }: Progress) =>
      options.onProgress?.({
        ...{ status: 'loading', done: i + done / total, total: config.data.length },
        ...{ dataset: dataset.name, images: [done, total] },
      });
    datasets.push(await loadDataset(dataset, config, { ...options, onProgress: report }));
  }
  const runs: PreparedStudy['runs'][number][] = [];
  // One after the other, so that of several that do not fit it is always the first that is named.
  for (const key of listRuns(config)) {
    const data = datasets.find(({ dataset }) => dataset.name === key.dataset);
    const parts = data?.splits[(key.fold ?? 1) - 1];
    if (data === undefined || parts === undefined) throw new Error(`There is no part for ${runTitle(key)}.`);
    const run = { key, folder: runFolder(folder, key), data, parts, config: runConfigOf(key, data, config) };
    await requireSameRun(run.folder, run.config);
    const result = await readResult(run.folder);
    runs.push({ ...run, result, finished: result !== undefined });
  }
  return { folder, config, datasets, runs };
}

/**
 * Estimates every run of a study on the current backend, finished ones too: each network passes one image forward.
 *
 * @param study Of {@link prepareStudy}.
 * @param signal Aborts between two networks.
 * @returns Steps, seconds and peak bytes of each run, in the order of `listRuns`.
 * @throws OutOfMemoryError naming every network that does not fit, with a batch or size that does; InvalidArgumentError for
 *   a size that a network cannot take; `signal.reason` where aborted.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { estimateStudy, prepareStudy } from 'pyconvunet/files';
 *
 * const study = await prepareStudy(
 *   { data: [{ source: 'phantom:lung', images: 10 }], models: ['unet'], widths: [4, 8], size: [32, 32], epochs: 3 },
 *   'estimated',
 * );
 * const [run] = await estimateStudy(study);
 * console.log(run?.steps, (run?.bytes ?? 0) < 2 ** 30); // 6 true
 * ```
 */
export const estimateStudy = ({ runs }: PreparedStudy, signal?: AbortSignal): Promise<RunEstimate[]> =>
  estimateRuns(runs, signal === undefined ? {} : { signal });

/**
 * Performs the runs of a study that are not finished. Finished ones are kept byte for byte, an interrupted one goes on from
 * its checkpoint.
 *
 * @param study Of {@link prepareStudy}.
 * @param options signal, onProgress (steps of all runs), onEstimate, onRun, onEpoch.
 * @returns The result of every run, in the order of `listRuns`.
 * @throws OutOfMemoryError before the first step where a run cannot fit; `signal.reason` where aborted: the study goes on
 *   from there when it is called again.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { performStudy, prepareStudy } from 'pyconvunet/files';
 *
 * const study = await prepareStudy(
 *   { data: [{ source: 'phantom:lung', images: 4 }], models: ['unet'], widths: [4, 8], size: [32, 32], epochs: 1 },
 *   'performed',
 * );
 * const [result] = await performStudy(study, { onEpoch: ({ epoch, epochs }) => console.log(epoch, epochs) }); // 1 1
 * console.log(result?.best.cases.length); // 1
 * ```
 */
export async function performStudy(study: PreparedStudy, options: StudyOptions = {}): Promise<RunResult[]> {
  const { folder, config, runs } = study;
  const { signal, onProgress, onEstimate, onRun, onEpoch } = options;
  const left = runs.filter(({ finished }) => !finished);
  if (left.length > 0) {
    const estimates = await estimateRuns(left, signal === undefined ? {} : { signal });
    onEstimate?.(estimates);
  }
  await mkdir(folder, { recursive: true });
  await writeJson(join(folder, 'study.json'), config);
  const steps = runs.map(({ parts, config: run }) => stepsOf(parts, run));
  const total = steps.reduce((sum, each) => sum + each, 0);
  let before = 0;
  const results: RunResult[] = [];
  for (const [i, run] of runs.entries()) {
    const position = { run: i + 1, runs: runs.length };
    onRun?.(run.key, { ...position, kept: run.finished });
    const result =
      run.result ??
      (await performRun(run, {
        ...(signal === undefined ? {} : { signal }),
        onProgress: ({ done }) =>
          onProgress?.({ status: 'training', done: before + done, total, ...position, title: runTitle(run.key) }),
        onEpoch: (report) => onEpoch?.({ ...report, key: run.key, epochs: run.config.epochs }),
      }));
    results.push(result);
    before += steps[i] ?? 0;
  }
  return results;
}

/** Refuses a folder that holds anything but a study. Hidden files are nobody's result. */
async function requireStudyFolder(folder: string, config: StudyConfig): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[];
    throw new DataError(`${folder} cannot be the folder of a study: ${error.message}. Give another --out.`, {
      cause: error,
    });
  });
  if (names.includes('study.json')) return requireSameStudy(folder, config);
  const foreign = names.find((name) => !name.startsWith('.') && !/^study\.json\.\d+\.tmp$/.test(name));
  if (foreign !== undefined) {
    throw new DataError(`${folder} holds something that is no study (${foreign}). Give a new folder as --out.`);
  }
}

/** What may grow in the folder of a study: runs are added then, and none is lost from its report. */
const GROWING = ['data', 'models', 'seeds'] as const;

/**
 * Refuses to put another study in the place of one: every setting is the same, but that data sets, networks and seeds may be
 * added, and that threads decide no result.
 */
async function requireSameStudy(folder: string, config: StudyConfig): Promise<void> {
  const path = join(folder, 'study.json');
  let earlier: StudyConfig;
  try {
    earlier = studyConfigSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new DataError(`${path} is damaged. Give a new folder as --out.`, { cause });
  }
  const show = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
  const names = (key: (typeof GROWING)[number], { data, ...lists }: StudyConfig): readonly (string | number)[] =>
    key === 'data' ? data.map(({ name }) => name) : lists[key];
  for (const key of Object.keys(config) as (keyof StudyConfig)[]) {
    if (key === 'threads') continue;
    const growing = GROWING.find((each) => each === key);
    const [was, is] =
      growing === undefined ? [earlier[key], config[key]] : [names(growing, earlier), names(growing, config)];
    const isKept =
      growing === undefined
        ? show(was) === show(is)
        : [was].flat().every((each) => [is].flat().some((other) => other === each));
    if (isKept) continue;
    throw new DataError(
      `${folder} holds a study with other settings: ${key} was ${show(was)} and is now ${show(is)}. Give another --out; in a study's folder data sets, networks and seeds may only be added.`,
    );
  }
}
