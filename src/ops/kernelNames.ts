/** Names of our kernels in tfjs's registry, and the attributes that each receives. */
import type { BatchNormActivation, PyConvSpec } from '../spec/index.js';

/** Inputs `[x, filter0, ..., bias?]`, attributes {@link PyConvAttrs}; output y. */
export const PY_CONV_2D = 'PyConv2D';
/** Inputs `[dy, filter0, ...]`, attributes {@link PyConvAttrs}; output dx. */
export const PY_CONV_2D_BACKPROP_INPUT = 'PyConv2DBackpropInput';
/** Inputs `[x, dy]`, attributes {@link PyConvFilterAttrs}; output the gradient of one level's filter. */
export const PY_CONV_2D_BACKPROP_FILTER = 'PyConv2DBackpropFilter';
/** Inputs `[x, gamma?, beta?]`, attributes {@link BatchNormAttrs}; outputs y, mean, variance (biased). */
export const BATCH_NORM = 'BatchNorm';
/** Inputs `[dy, x, y, mean, variance, gamma?]`, attributes {@link BatchNormAttrs}; outputs dx, dgamma, dbeta. */
export const BATCH_NORM_GRAD = 'BatchNormGrad';

export interface PyConvAttrs {
  readonly spec: PyConvSpec;
}

export interface PyConvFilterAttrs extends PyConvAttrs {
  /** Which level's filter. */
  readonly level: number;
}

export interface BatchNormAttrs {
  readonly epsilon: number;
  readonly activation: BatchNormActivation;
  /** Whether gamma is among the inputs. */
  readonly scale: boolean;
  /** Whether beta is among the inputs. */
  readonly center: boolean;
}
