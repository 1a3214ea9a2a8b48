/** Normalisation by the statistics of a batch, and its gradient. */

import type { Target, View } from '../../../engine/lower/context.js';
import type { Place } from '../../../engine/program.js';
import type { Weight } from '../../../engine/types.js';
import type { TrainingNode } from '../../graph/training.js';
import type { NormOp } from '../../graph/types.js';
import { lowerAffine } from '../maps.js';
import { FLOOR, records, type TrainingStep } from './step.js';

/** What a normalisation keeps from forward to backward. */
export interface NormState {
  readonly sums: Place;
  readonly statistics: Place;
  /** Scale and shift of each channel. */
  readonly record: Place;
  readonly factors: Place;
  readonly constants: Place;
  readonly gamma: Place;
  readonly beta: Place;
  readonly gammaGradient: Place;
  readonly betaGradient: Place;
}

/** Float64 numbers as the words of a buffer. */
const doubles = (values: readonly number[]): Float32Array => new Float32Array(Float64Array.from(values).buffer);

/** Normalises a map and takes its statistics into the moving ones. */
export function lowerNorm(step: TrainingStep, node: TrainingNode, op: NormOp, input: View, target: Target): NormState {
  const { lowering, program } = step;
  const { channels } = input;
  const { tiles } = target;
  const pixels = tiles.batch * tiles.height * tiles.width;
  const correction = op.movingVariance === 'unbiased' ? pixels / (pixels - 1) : 1;
  const ones = step.constant(new Float32Array(channels).fill(1));
  const zeros = step.constant(new Float32Array(channels));
  const spare = step.constant(new Float32Array(channels + 4));
  const master = (variable: Weight | null, otherwise: Place) => (variable === null ? otherwise : step.master(variable));
  const state: NormState = {
    sums: step.constant(new Float32Array(4 * channels)),
    statistics: step.constant(new Float32Array(4 * channels)),
    record: step.constant(records(channels, FLOOR, node.relu ? 0 : FLOOR)),
    factors: step.constant(new Float32Array(4 * channels)),
    constants: step.constant(doubles([pixels, op.epsilon, op.momentum, 1 - op.momentum, correction])),
    gamma: master(op.gamma, ones),
    beta: master(op.beta, zeros),
    gammaGradient: step.gradient(op.gamma) ?? spare,
    betaGradient: step.gradient(op.beta) ?? spare,
  };
  const { sums, statistics, record, gamma, beta, constants } = state;
  const moving = { mean: step.master(op.mean), variance: step.master(op.variance) };
  if (op.isFrozen) {
    program.call('normFixed', { statistics, record, gamma, beta, ...moving, constants, count: channels });
  } else {
    let first = 0;
    for (const segment of input.segments) {
      program.call('channelSums', {
        input: segment.place,
        inputChannel: tiles.channelStride,
        length: tiles.places,
        count: segment.channels,
        sums: sums.plus(16 * first),
      });
      first += segment.channels;
    }
    program.call('normFinish', { sums, statistics, record, gamma, beta, ...moving, constants, count: channels });
  }
  lowering.endStep(node.name, 'statistics');
  lowerAffine(lowering, input, target, record);
  return state;
}

/** Turns the gradient of a normalised map into that of its input, in its place; adds the gradients of gamma and beta. */
export function lowerNormGradient(step: TrainingStep, op: NormOp, state: NormState, input: View, dy: Target): void {
  const { program } = step;
  const { tiles, place, channels } = dy;
  const { record, sums, factors, statistics, gamma, gammaGradient, betaGradient, constants } = state;
  for (const kernel of ['normSums', 'normApply'] as const) {
    let first = 0;
    for (const segment of input.segments) {
      const common = {
        gradient: place.plus(first * tiles.channelStride),
        gradientChannel: tiles.channelStride,
        input: segment.place,
        inputChannel: tiles.channelStride,
        length: tiles.places,
        count: segment.channels,
        record: record.plus(20 * first),
      };
      if (kernel === 'normSums') program.call('normSums', { ...common, sums: sums.plus(16 * first) });
      else program.call('normApply', { ...common, factors: factors.plus(16 * first) });
      first += segment.channels;
    }
    if (kernel === 'normSums') {
      program.call('normGradient', {
        sums,
        statistics,
        gamma,
        gammaGradient,
        betaGradient,
        constants,
        count: channels,
        factors,
        isFixed: op.isFrozen ? 1 : 0,
      });
    }
  }
}
