/** Normalisation by the statistics of a batch, and its gradient. */

import { EPILOGUE_BYTES } from '../../../engine/epilogue.js';
import { type Lowering, type Target, targetAt, type View } from '../../../engine/lower/context.js';
import { lowerMargins } from '../../../engine/lower/transfer.js';
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
  /** The moving statistics. */
  readonly mean: Place;
  readonly variance: Place;
}

/** Bytes of a channel's two numbers in float64, or of its factors. */
const PAIR_BYTES = 16;

/** The same from a channel on. */
const fromChannel = (state: NormState, first: number): NormState => ({
  sums: state.sums.plus(PAIR_BYTES * first),
  statistics: state.statistics.plus(PAIR_BYTES * first),
  record: state.record.plus(EPILOGUE_BYTES * first),
  factors: state.factors.plus(PAIR_BYTES * first),
  constants: state.constants,
  gamma: state.gamma.plus(4 * first),
  beta: state.beta.plus(4 * first),
  gammaGradient: state.gammaGradient.plus(4 * first),
  betaGradient: state.betaGradient.plus(4 * first),
  mean: state.mean.plus(4 * first),
  variance: state.variance.plus(4 * first),
});

/** Float64 numbers as the words of a buffer. */
const doubles = (values: readonly number[]): Float32Array => new Float32Array(Float64Array.from(values).buffer);

/** Which margins a normalisation has to make zero. */
interface Margins {
  /** Nobody has made those of the input: statistics are sums over whole planes. */
  readonly ofInput: boolean;
  /** Somebody reads those of the output. */
  readonly ofOutput: boolean;
}

/** Normalises a map and takes its statistics into the moving ones. */
export function lowerNorm(
  step: TrainingStep,
  node: TrainingNode,
  op: NormOp,
  { input, target, margins }: { input: View; target: Target; margins: Margins },
): NormState {
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
    mean: step.master(op.mean),
    variance: step.master(op.variance),
  };
  lowering.eachChannels(input, (part, first) => {
    if (margins.ofInput) lowerMargins(lowering, part);
    const { sums, statistics, record, gamma, beta, mean, variance, constants } = fromChannel(state, first);
    const common = { statistics, record, gamma, beta, mean, variance, constants, count: part.channels };
    if (op.isFrozen) program.call('normFixed', common);
    else {
      program.call('channelMoments', {
        input: part.place,
        inputChannel: tiles.channelStride,
        first: tiles.first,
        length: tiles.places,
        count: part.channels,
        constants,
        moments: sums,
      });
      program.call('normFinish', { ...common, moments: sums });
    }
    normalise(lowering, part, channelsOf(target, part, first), { record, margins: margins.ofOutput });
  });
  return state;
}

/** Normalises a map once more. */
export function lowerNormAgain(
  { lowering }: TrainingStep,
  state: NormState,
  { input, target, margins }: { input: View; target: Target; margins: boolean },
): void {
  lowering.eachChannels(input, (part, first) => {
    const { record } = fromChannel(state, first);
    normalise(lowering, part, channelsOf(target, part, first), { record, margins });
  });
}

/** As many channels of a map as a part has. */
function channelsOf({ tiles, place }: Target, { channels }: Target, first: number): Target {
  return targetAt(tiles, channels, place.plus(first * tiles.channelStride));
}

function normalise(
  lowering: Lowering,
  part: Target,
  out: Target,
  { record, margins }: { record: Place; margins: boolean },
): void {
  lowerAffine(lowering, part, out, record);
  if (margins) lowerMargins(lowering, out);
}

/**
 * Turns the gradient of a normalised map into that of its input, in its place; adds the gradients of gamma and beta. Its margins may
 * hold anything before, and are zero behind.
 */
export function lowerNormGradient(step: TrainingStep, op: NormOp, state: NormState, input: View, dy: Target): void {
  const { lowering, program } = step;
  const { tiles } = dy;
  lowering.eachChannels(input, (part, first) => {
    const gradient = channelsOf(dy, part, first);
    const { sums, factors, statistics, record, gamma, gammaGradient, betaGradient, constants } = fromChannel(
      state,
      first,
    );
    const common = {
      gradient: gradient.place,
      gradientChannel: tiles.channelStride,
      input: part.place,
      inputChannel: tiles.channelStride,
      length: tiles.places,
      count: part.channels,
      record,
    };
    lowerMargins(lowering, gradient);
    program.call('normSums', { ...common, statistics, sums });
    program.call('normGradient', {
      sums,
      statistics,
      gamma,
      gammaGradient,
      betaGradient,
      constants,
      count: part.channels,
      factors,
      isFixed: op.isFrozen ? 1 : 0,
    });
    program.call('normApply', { ...common, factors });
    lowerMargins(lowering, gradient);
  });
}
