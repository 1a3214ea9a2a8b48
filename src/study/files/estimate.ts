/** What the runs of a study will take, measured on this backend before the first step; what cannot fit is refused. */
import { totalmem } from 'node:os';
import { divisor } from '../../models/index.js';
import { InvalidArgumentError, OutOfMemoryError } from '../../runtime/errors.js';
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
    const size = { height, width, batchSize: Math.min(config.batch, samples), samples, threads: config.threads };
    const { bytes } = requireMemory(model, size, totalmem());
    return { bytes, seconds: await estimateStepSeconds(model, size) };
  } finally {
    model.dispose();
  }
}

/**
 * Estimates every run; each network is measured once for each size of image.
 *
 * @throws OutOfMemoryError that names every network that does not fit, with a batch or size that does; InvalidArgumentError
 *   for a size that a network cannot take; `signal.reason` where aborted.
 */
export async function estimateRuns(
  runs: readonly (PreparedRun & { readonly finished: boolean })[],
  signal?: AbortSignal,
): Promise<RunEstimate[]> {
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
    if (costs.has(costKey(run)) || refusals.has(costKey(run))) continue;
    try {
      costs.set(costKey(run), await measureStep(run));
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      refusals.set(costKey(run), `${run.key.model} on ${run.key.dataset}: ${error.message}`);
    }
  }
  if (refusals.size > 0) throw new OutOfMemoryError([...refusals.values()].join('\n'));
  return runs.map((run) => {
    const { seconds = Number.NaN, bytes = Number.NaN } = costs.get(costKey(run)) ?? {};
    const steps = stepsOf(run.parts, run.config);
    return { ...run.key, steps, seconds: steps * seconds, bytes, finished: run.finished };
  });
}
