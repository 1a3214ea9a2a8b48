/** Networks on the backends of this machine, timed side by side. */
import * as tf from '@tensorflow/tfjs-core';
import { complexity } from '../complexity/index.js';
import { UnplannableError } from '../plan/index.js';
import { findProvider } from '../runtime/providers.js';
import { type CompetitionProgress, compete, type NotTimed, type Timed } from './compete.js';
import type { Contender, ContenderName, Work } from './contender.js';
import { inferenceContender } from './inferenceContenders.js';
import { type Profile, profile } from './profile.js';
import { type Size, type Subject, sizeFor } from './subject.js';
import { trainingContender } from './trainingContenders.js';

/** A backend that is started and takes part. */
export interface Place {
  readonly name: string;
  /** Null where it does not say. */
  readonly threads: number | null;
}

/** What is measured, and how. */
export interface BenchmarkSettings {
  readonly work: Work;
  /** [height, width]; left out: the network's own, else 256x256. */
  readonly size?: Size;
  /** Images in a training step. */
  readonly batchSize: number;
  /** Numbers of threads of the planned engine, each a contender. */
  readonly threads: readonly number[];
  /** Wasm plans as well as running layer by layer. */
  readonly backends: readonly Place[];
  readonly rounds: number;
  readonly isProfiled: boolean;
}

/** A contender beside the others. */
export interface Result extends Timed {
  /** Two operations for each multiply-accumulate of the network's convolutions, in 1e9 a second, three times that for a training step: what an algorithm saves counts for it. */
  readonly gflops: number;
  /** Time in units of the fastest contender's. */
  readonly ratio: number;
}

/** One network. */
export interface NetworkResult {
  readonly name: string;
  /** [height, width, channels]. */
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  readonly params: number;
  /** Multiply-accumulates of a forward pass of one image. */
  readonly macs: number;
  /** Fastest first. */
  readonly timed: readonly Result[];
  readonly notTimed: readonly NotTimed[];
  /** Of the planned engine; null where it was not asked for, or the network is not planned. */
  readonly profile: Profile | null;
}

/** A report of a benchmark under way. */
export interface BenchmarkProgress extends CompetitionProgress {
  readonly network: string;
}

/** Options of {@link benchmark}. */
export interface BenchmarkOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BenchmarkProgress) => void;
  /** Receives a line for each contender that has started. */
  readonly log: (line: string) => void;
}

/** A training step counts as three forward passes: outputs, gradients of inputs, gradients of filters. */
const FORWARDS = { inference: 1, training: 3 } as const;

/** What a network is, read from one that is made for it. */
async function describe(subject: Subject, wanted: Size | undefined) {
  const model = await subject.build();
  try {
    const size = sizeFor(model, subject.name, wanted);
    const channels = model.inputs[0]?.shape[3] ?? 1;
    const inputShape = [...size, channels] as const;
    const { macs, params } = complexity(model, { inputShape: [...inputShape] });
    return { size, inputShape, macs, params: params.total, classes: model.outputs.at(-1)?.shape[3] ?? 1 };
  } finally {
    model.dispose();
  }
}

function contendersOf(
  subject: Subject,
  size: Size,
  { work, batchSize, threads, backends }: BenchmarkSettings,
): Contender[] {
  const names = backends.flatMap(({ name, threads: own }): ContenderName[] => [
    ...(name === 'wasm' ? threads.map((n) => ({ backend: name, way: 'planned' as const, threads: n })) : []),
    { backend: name, way: 'layer by layer', threads: own },
  ]);
  return names.map((name) =>
    work === 'training'
      ? trainingContender(name, subject, { size, batchSize })
      : inferenceContender(name, subject, size),
  );
}

async function profileOf(
  subject: Subject,
  size: Size,
  { work, batchSize }: BenchmarkSettings,
  options: BenchmarkOptions,
): Promise<Profile | null> {
  const kernels = findProvider('wasm')?.kernels;
  if (kernels === undefined) return null;
  await tf.setBackend('wasm');
  const model = await subject.build();
  try {
    return await profile(model, kernels, { work, size, batchSize }, options);
  } catch (error) {
    if (!(error instanceof UnplannableError)) throw error;
    options.log(`${subject.name} has no profile: ${error.message}`);
    return null;
  } finally {
    model.dispose();
  }
}

/**
 * Measures networks one after the other; the contenders on each are checked against each other and timed in turns.
 *
 * @returns One result for each network. The backend that was current is so again.
 * @throws InvalidArgumentError where a network does not take the size; `signal.reason` where aborted.
 */
export async function benchmark(
  subjects: readonly Subject[],
  settings: BenchmarkSettings,
  options: BenchmarkOptions,
): Promise<NetworkResult[]> {
  const { signal, onProgress, log } = options;
  const before = tf.getBackend();
  const results: NetworkResult[] = [];
  try {
    // What a network refuses is said before anything is measured.
    const described = [];
    for (const subject of subjects) described.push({ subject, ...(await describe(subject, settings.size)) });
    for (const [i, { subject, size, ...facts }] of described.entries()) {
      const { name } = subject;
      const { timed, notTimed } = await compete(contendersOf(subject, size, settings), {
        work: settings.work,
        rounds: settings.rounds,
        signal,
        onEntry: (line) => log(`${name}, ${line}`),
        onProgress: ({ done, total, ...rest }) =>
          onProgress({ ...rest, network: name, done: i * total + done, total: subjects.length * total }),
      });
      const images = settings.work === 'training' ? settings.batchSize : 1;
      const flops = 2 * facts.macs * images * FORWARDS[settings.work];
      const least = Math.min(...timed.map(({ ms }) => ms));
      results.push({
        name,
        ...facts,
        timed: timed
          .map((entry) => ({ ...entry, gflops: flops / entry.ms / 1e6, ratio: entry.ms / least }))
          .sort((a, b) => a.ms - b.ms),
        notTimed,
        profile: settings.isProfiled ? await profileOf(subject, size, settings, options) : null,
      });
    }
    return results;
  } finally {
    if (before !== '') await tf.setBackend(before);
  }
}
