/** Where the time of a planned network goes: its steps one by one, on one thread. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { ReadyStep } from '../engine/engine.js';
import { InferencePlan, readWeights, TrainingPlan, UnplannableError, withWeights } from '../plan/index.js';
import type { LongCallOptions } from '../runtime/progress.js';
import type { KernelBinaries } from '../runtime/providers.js';
import { yieldToOthers } from '../runtime/yieldToOthers.js';
import { dropoutMasks } from '../training/dropoutMasks.js';
import { logitsModel } from '../training/logitsModel.js';
import { penaltiesOf } from '../training/penalties.js';
import { whyNotPlanned } from '../training/stepper.js';
import type { Work } from './contender.js';
import { randomBatch, type Size } from './subject.js';

/** Steps that belong together. */
export interface ProfileRow {
  readonly name: string;
  readonly ms: number;
  /** Of the whole. */
  readonly share: number;
  /** Two operations for each multiply-accumulate that the kernels really do, in 1e9 a second; null where a step has none. */
  readonly gflops: number | null;
  /** Calls of kernels. */
  readonly calls: number;
}

/** One step of the plan. */
export interface ProfiledStep extends ProfileRow {
  /** What it does. */
  readonly kind: string;
}

/** The time of a planned network in parts. */
export interface Profile {
  /** Sum of the steps, each at its fastest pass. */
  readonly ms: number;
  readonly gflops: number;
  /** By what a step does, the longest first. */
  readonly kinds: readonly ProfileRow[];
  /** By the part of a layer's name before the stroke, in order of the network. */
  readonly stages: readonly ProfileRow[];
  /** In order. */
  readonly steps: readonly ProfiledStep[];
}

/** Passes over all steps, of which the fastest counts for each. */
const PASSES = 5;

/** One step with its time. */
export interface TimedStep {
  readonly name: string;
  readonly kind: string;
  readonly macs: number;
  readonly calls: number;
  readonly ms: number;
}

type Counted = Pick<TimedStep, 'ms' | 'macs' | 'calls'>;

const sumOf = (steps: readonly Counted[], key: keyof Counted): number =>
  steps.reduce((sum, step) => sum + step[key], 0);

const rate = (macs: number, ms: number): number | null => (macs === 0 ? null : (2 * macs) / ms / 1e6);

function row(name: string, steps: readonly Counted[], whole: number): ProfileRow {
  const ms = sumOf(steps, 'ms');
  return { name, ms, share: ms / whole, gflops: rate(sumOf(steps, 'macs'), ms), calls: sumOf(steps, 'calls') };
}

function grouped(steps: readonly TimedStep[], keyOf: (step: TimedStep) => string, whole: number): ProfileRow[] {
  const groups = new Map<string, TimedStep[]>();
  for (const step of steps) groups.set(keyOf(step), [...(groups.get(keyOf(step)) ?? []), step]);
  return [...groups].map(([name, members]) => row(name, members, whole));
}

const stageOf = ({ name }: TimedStep): string => name.split('/')[0] ?? name;

/** Sums up steps by kind and by stage. */
export function summariseSteps(steps: readonly TimedStep[]): Profile {
  const whole = sumOf(steps, 'ms');
  return {
    ms: whole,
    gflops: rate(sumOf(steps, 'macs'), whole) ?? 0,
    kinds: grouped(steps, ({ kind }) => kind, whole).sort((a, b) => b.ms - a.ms),
    stages: grouped(steps, stageOf, whole),
    steps: steps.map((step) => ({ ...row(step.name, [step], whole), kind: step.kind })),
  };
}

async function timeSteps(steps: readonly ReadyStep[], signal: AbortSignal | undefined): Promise<TimedStep[]> {
  const least = steps.map(() => Number.POSITIVE_INFINITY);
  for (let pass = 0; pass < PASSES; pass++) {
    await yieldToOthers();
    signal?.throwIfAborted();
    for (const [i, { calls }] of steps.entries()) {
      const started = performance.now();
      for (const { run, args } of calls) run(...args);
      least[i] = Math.min(least[i] ?? Number.POSITIVE_INFINITY, performance.now() - started);
    }
  }
  return steps.map(({ name, kind, macs, calls }, i) => ({
    ...{ name, kind, macs },
    calls: calls.length,
    ms: least[i] ?? Number.NaN,
  }));
}

/** What {@link profile} runs. */
export interface ProfileInput {
  readonly work: Work;
  readonly size: Size;
  readonly batchSize: number;
}

/**
 * Times the steps of a planned network one by one.
 *
 * @param model On backend wasm; not changed.
 * @throws UnplannableError where the network is not planned; `signal.reason` where aborted.
 */
export async function profile(
  model: tfl.LayersModel,
  binaries: KernelBinaries,
  { work, size, batchSize }: ProfileInput,
  { signal }: Pick<LongCallOptions, 'signal'>,
): Promise<Profile> {
  const batch = randomBatch(model, work === 'training' ? batchSize : 1, size);
  const shape = [...size, batch.channels] as const;
  if (work === 'inference') {
    const plan = await withWeights(
      model,
      (weights) => new InferencePlan(model, weights, binaries, { precision: 'fast' }),
    );
    try {
      plan.run(batch.images, shape);
      return summariseSteps(await timeSteps(plan.stepsFor(shape), signal));
    } finally {
      plan.dispose();
    }
  }
  const network = logitsModel(model);
  const reason = whyNotPlanned(network);
  if (reason !== null) throw new UnplannableError(reason);
  const plan = new TrainingPlan(network, binaries, { penalties: penaltiesOf(network) });
  try {
    plan.load(await readWeights(network));
    plan.loadMoments(new Map(), new Map());
    const outputs = plan.forward(batch.images, batch.count, shape, dropoutMasks(network, 0)({ step: 0, piece: 0 }));
    // Any gradients will do, of the size that a mean over pixels has.
    plan.backward(outputs.map(({ data }) => Float32Array.from(data, (value) => value / data.length)));
    plan.adam({ rate: 1e-3, correction: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    return summariseSteps(await timeSteps(plan.stepsFor(batch.count, shape), signal));
  } finally {
    plan.dispose();
  }
}
