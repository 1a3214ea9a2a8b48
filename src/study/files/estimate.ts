/** What the runs of a study will take, measured on this backend before the first step; what cannot fit is refused. */
import { totalmem } from 'node:os';
import { divisor } from '../../models/index.js';
import { InvalidArgumentError, OutOfMemoryError } from '../../runtime/errors.js';
import { yieldToOthers } from '../../runtime/yieldToOthers.js';
import { buildModel, imagesOf, stepsOf } from '../../training/files/index.js';
import { estimateStepSeconds, requireMemory } from '../../training/index.js';
import { type RunKey, runTitle } from '../runs.js';
import type { PreparedRun } from './run.js';

/** The estimate of one run. */
export interface RunEstimate extends RunKey {
  /** Optimizer steps in all. */
  readonly steps: number;
  readonly seconds: number;
  /** Peak memory of a training step in bytes. */
  readonly bytes: number;
  readonly finished: boolean;
}

interface StepCost {
  readonly seconds: number;
  readonly bytes: number;
}

async function measureStep({ key, parts, config }: PreparedRun): Promise<StepCost> {
  const [first] = parts.train;
  if (first === undefined) throw new Error('The training part is empty.');
  const { height, width } = first;
  const model = buildModel(config);
  try {
    const step = divisor(model);
    if (height % step !== 0 || width % step !== 0) {
      throw new InvalidArgumentError(
        `${runTitle(key)}: the network takes heights and widths that are multiples of ${step}. Received: images of ${height}x${width}. Give another --size.`,
      );
    }
    const samples = imagesOf(parts, config);
    // A batch of more images than there are is one of all of them.
    const { microBatch, threads } = config;
    const size = { height, width, batchSize: Math.min(config.batch, samples), microBatch, samples, threads };
    const { bytes } = requireMemory(model, size, totalmem());
    return { bytes, seconds: await estimateStepSeconds(model, size) };
  } finally {
    model.dispose();
  }
}

/** Options of {@link estimateRuns}. */
export interface EstimateOptions {
  /** Aborts between two networks. */
  readonly signal?: AbortSignal;
  /** Called for each run in turn as soon as its network is measured; null where the backend cannot hold it. */
  readonly onRun?: (key: RunKey, estimate: RunEstimate | null) => void;
}

/**
 * Estimates every run; each network is measured once for each size of image, also behind one that does not fit.
 *
 * @throws OutOfMemoryError that names every network that does not fit, with a batch or size that does; InvalidArgumentError
 *   for a size that a network cannot take; `signal.reason` where aborted.
 */
export async function estimateRuns(
  runs: readonly (PreparedRun & { readonly finished: boolean })[],
  { signal, onRun }: EstimateOptions = {},
): Promise<RunEstimate[]> {
  const estimates: RunEstimate[] = [];
  const costs = new Map<string, StepCost>();
  const refusals = new Map<string, string>();
  const costKey = ({ key, parts, config }: PreparedRun) => {
    const { height, width, channels } = parts.train[0] ?? {};
    const images = imagesOf(parts, config);
    const batches = `${Math.min(config.batch, images)} ${images % config.batch}`;
    return `${key.model} ${height}x${width}x${channels} ${batches}`;
  };
  for (const run of runs) {
    signal?.throwIfAborted();
    const network = costKey(run);
    if (!costs.has(network) && !refusals.has(network)) {
      try {
        costs.set(network, await measureStep(run));
      } catch (error) {
        if (!(error instanceof OutOfMemoryError)) throw error;
        refusals.set(network, `${run.key.model} on ${run.key.dataset}: ${error.message}`);
      }
      await yieldToOthers();
    }
    const cost = costs.get(network);
    const estimate = cost === undefined ? null : estimateOf(run, cost);
    if (estimate !== null) estimates.push(estimate);
    onRun?.(run.key, estimate);
  }
  if (refusals.size > 0) throw new OutOfMemoryError([...refusals.values()].join('\n'));
  return estimates;
}

function estimateOf(run: PreparedRun & { readonly finished: boolean }, { seconds, bytes }: StepCost): RunEstimate {
  const steps = stepsOf(run.parts, run.config);
  return { ...run.key, steps, seconds: steps * seconds, bytes, finished: run.finished };
}
