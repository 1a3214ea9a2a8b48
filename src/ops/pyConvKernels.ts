/** The pyramidal convolution and its backprop kernels, composed of dense convolutions: for any backend. */
import * as tf from '@tensorflow/tfjs-core';
import type { PyConvLevel, PyConvSpec } from '../spec/index.js';
import { applyActivation } from './activationGradient.js';
import { type ConvGeometry, convBackpropFilter, convBackpropInput, convForward } from './convolution.js';
import type { PyConvAttrs, PyConvFilterAttrs } from './kernelNames.js';

const geometry = ({ strides, dilations }: PyConvSpec, { padding }: PyConvLevel): ConvGeometry => ({
  strides,
  dilations,
  padding,
});

/** Channels of one group, or the whole where there is one group. */
function channelSlice(map: tf.Tensor4D, group: number, groups: number, start = 0, end = map.shape[3]): tf.Tensor4D {
  const size = (end - start) / groups;
  if (size === map.shape[3]) return map;
  return tf.slice(map, [0, 0, 0, start + group * size], [-1, -1, -1, size]);
}

const perGroup = (groups: number, part: (group: number) => tf.Tensor4D): tf.Tensor4D[] =>
  Array.from({ length: groups }, (_, group) => part(group));

const concatChannels = (parts: tf.Tensor4D[]): tf.Tensor4D => {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : tf.concat(parts, 3);
};

/** Forward: every group of every level is one dense convolution. */
export function composedPyConv(inputs: readonly tf.Tensor[], { spec }: PyConvAttrs): tf.Tensor4D {
  const [x, ...rest] = inputs as tf.Tensor4D[];
  if (x === undefined) throw new Error('PyConv2D received no input tensor.');
  const parts = spec.levels.flatMap((level, i) => {
    const filter = rest[i];
    if (filter === undefined) throw new Error(`PyConv2D received no filter for level ${i + 1}.`);
    return perGroup(level.groups, (g) =>
      convForward(channelSlice(x, g, level.groups), channelSlice(filter, g, level.groups), geometry(spec, level)),
    );
  });
  const bias = rest[spec.levels.length];
  const y = concatChannels(parts);
  return applyActivation(bias === undefined ? y : tf.add<tf.Tensor4D>(y, bias), spec.activation);
}

/** Gradient of the input: the sum over levels. */
export function composedPyConvBackpropInput(inputs: readonly tf.Tensor[], { spec }: PyConvAttrs): tf.Tensor4D {
  const [dy, ...filters] = inputs as tf.Tensor4D[];
  if (dy === undefined) throw new Error('PyConv2DBackpropInput received no gradient.');
  const { height, width } = spec.input;
  return spec.levels
    .map((level, i) => {
      const filter = filters[i];
      if (filter === undefined) throw new Error(`PyConv2DBackpropInput received no filter for level ${i + 1}.`);
      const { start, end } = level.channels;
      const parts = perGroup(level.groups, (g) =>
        convBackpropInput(
          channelSlice(dy, g, level.groups, start, end),
          channelSlice(filter, g, level.groups),
          geometry(spec, level),
          [height, width],
        ),
      );
      return concatChannels(parts);
    })
    .reduce((sum, part) => tf.add(sum, part));
}

/** Gradient of one level's filter. */
export function composedPyConvBackpropFilter(
  inputs: readonly tf.Tensor[],
  { spec, level: index }: PyConvFilterAttrs,
): tf.Tensor4D {
  const [x, dy] = inputs as tf.Tensor4D[];
  const level = spec.levels[index];
  if (x === undefined || dy === undefined || level === undefined) {
    throw new Error(
      `PyConv2DBackpropFilter needs [x, dy] and a level below ${spec.levels.length}; received level ${index}.`,
    );
  }
  const { start, end } = level.channels;
  const parts = perGroup(level.groups, (g) =>
    convBackpropFilter(
      channelSlice(x, g, level.groups),
      channelSlice(dy, g, level.groups, start, end),
      geometry(spec, level),
      [level.kernelSize, level.kernelSize],
    ),
  );
  return concatChannels(parts);
}
