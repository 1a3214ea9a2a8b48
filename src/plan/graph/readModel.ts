/** From a tf.layers model to its graph of operations; what no rule covers is named. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { ConvLevel, MapShape, Pair } from '../../engine/types.js';
import { type CallOutput, type LayerCall, layerCalls } from '../../layers/calls.js';
import { BatchNorm, PyConv2D } from '../../layers/index.js';
import { axisPadding, type SidePadding } from '../../spec/index.js';
import type { ActivationKind, Graph, Node, Op } from './types.js';

/** A layer, or a use of it, that the plan has no rule for. */
export class UnplannableError extends Error {
  override name = 'UnplannableError';
}

type Config = Readonly<Record<string, unknown>>;

/** What a graph is read for: some layers act in training alone. */
export type Purpose = 'inference' | 'training';

/** What one layer becomes: operations one behind the other. */
type Rule = (call: LayerCall, config: Config, purpose: Purpose) => readonly Op[];

function refuse({ layer, name }: LayerCall, reason: string): never {
  throw new UnplannableError(`layer '${name}' (${layer.getClassName()}) ${reason}`);
}

function pair(call: LayerCall, config: Config, key: string, fallback?: number): Pair {
  const value = config[key] ?? fallback;
  if (typeof value === 'number') return [value, value];
  if (Array.isArray(value) && value.length === 2) return [Number(value[0]), Number(value[1])];
  return refuse(call, `has the option ${key}=${JSON.stringify(value)}`);
}

function shapeOf(call: LayerCall, shape: tfl.Shape | undefined): MapShape {
  const [, height = 0, width = 0, channels = 0] = (shape ?? []).map((size) => size ?? 0);
  if (shape?.length !== 4 || Math.min(height, width, channels) < 1) {
    return refuse(call, `works on the shape [${(shape ?? []).map((d) => d ?? 'null').join(', ')}]`);
  }
  return { height, width, channels };
}

function weight(call: LayerCall, index: number): tfl.LayerVariable {
  return call.layer.weights[index] ?? refuse(call, `has no weight ${index}`);
}

const isFirstAxis = (config: Config): boolean => config.dataFormat === 'channelsFirst';

function activation(call: LayerCall, config: Config): readonly Op[] {
  const name = config.activation ?? 'linear';
  if (name === 'linear') return [];
  if (name === 'relu' || name === 'sigmoid' || name === 'softmax') {
    return [{ kind: 'activation', activation: name satisfies ActivationKind }];
  }
  return refuse(call, `has the activation ${JSON.stringify(name)}`);
}

function sidePadding(call: LayerCall, config: Config, kernel: Pair, strides: Pair, dilations: Pair): SidePadding {
  const { padding } = config;
  if (padding !== 'same' && padding !== 'valid') return refuse(call, `has the padding ${JSON.stringify(padding)}`);
  const { height, width } = shapeOf(call, call.inputShapes[0]);
  const amount = padding === 'same' ? 'same' : 0;
  const [top, bottom] = axisPadding(height, kernel[0], strides[0], dilations[0], amount);
  const [left, right] = axisPadding(width, kernel[1], strides[1], dilations[1], amount);
  return { top, bottom, left, right };
}

const conv2d: Rule = (call, config) => {
  if (isFirstAxis(config)) return refuse(call, 'has channels first');
  const kernelSize = pair(call, config, 'kernelSize');
  const strides = pair(call, config, 'strides', 1);
  const dilations = pair(call, config, 'dilationRate', 1);
  const level: ConvLevel = {
    kernelSize,
    groups: 1,
    start: 0,
    end: shapeOf(call, call.outputShapes[0]).channels,
    padding: sidePadding(call, config, kernelSize, strides, dilations),
    filter: weight(call, 0),
  };
  const bias = config.useBias === false ? null : weight(call, 1);
  return [{ kind: 'conv', levels: [level], bias, strides, dilations }, ...activation(call, config)];
};

const pyConv2d: Rule = (call, config) => {
  const { layer } = call;
  if (!(layer instanceof PyConv2D)) return refuse(call, 'is no PyConv2D');
  const { height, width, channels } = shapeOf(call, call.inputShapes[0]);
  const spec = layer.spec([1, height, width, channels]);
  const levels = spec.levels.map(
    (level, i): ConvLevel => ({
      kernelSize: [level.kernelSize, level.kernelSize],
      groups: level.groups,
      start: level.channels.start,
      end: level.channels.end,
      padding: level.padding,
      filter: weight(call, i),
    }),
  );
  const bias = config.useBias === false ? null : weight(call, levels.length);
  const { strides, dilations } = spec;
  return [{ kind: 'conv', levels, bias, strides, dilations }, ...activation(call, config)];
};

const conv2dTranspose: Rule = (call, config) => {
  if (isFirstAxis(config)) return refuse(call, 'has channels first');
  const kernelSize = pair(call, config, 'kernelSize');
  const strides = pair(call, config, 'strides', 1);
  if (pair(call, config, 'dilationRate', 1).some((rate) => rate !== 1)) return refuse(call, 'is dilated');
  const input = shapeOf(call, call.inputShapes[0]);
  const output = shapeOf(call, call.outputShapes[0]);
  // What the convolution that it transposes would pad at the start.
  const shift = (from: number, to: number, axis: 0 | 1) => {
    if (config.padding !== 'same') return 0;
    return Math.floor(Math.max((from - 1) * strides[axis] + kernelSize[axis] - to, 0) / 2);
  };
  const op: Op = {
    kind: 'transposed',
    kernelSize,
    strides,
    shift: [shift(input.height, output.height, 0), shift(input.width, output.width, 1)],
    filter: weight(call, 0),
    bias: config.useBias === false ? null : weight(call, 1),
  };
  return [op, ...activation(call, config)];
};

const norm: Rule = (call, config) => {
  const { layer } = call;
  const rank = call.inputShapes[0]?.length ?? 0;
  if (!(layer instanceof BatchNorm) && config.axis !== -1 && config.axis !== rank - 1) {
    return refuse(call, `normalises axis ${String(config.axis)}`);
  }
  let next = 0;
  const gamma = config.scale === false ? null : weight(call, next++);
  const beta = config.center === false ? null : weight(call, next++);
  const mean = weight(call, next++);
  const variance = weight(call, next);
  const isOurs = layer instanceof BatchNorm;
  return [
    {
      kind: 'norm',
      gamma,
      beta,
      mean,
      variance,
      epsilon: Number(config.epsilon),
      momentum: Number(config.momentum),
      movingVariance: isOurs ? 'unbiased' : 'biased',
      // tf.layers' own normalises with the batch's statistics also where it is frozen.
      isFrozen: isOurs && !layer.trainable,
    },
    ...(isOurs ? activation(call, config) : []),
  ];
};

const pool: Rule = (call, config) => {
  if (isFirstAxis(config)) return refuse(call, 'has channels first');
  const size = pair(call, config, 'poolSize');
  const strides = pair(call, config, 'strides');
  return [{ kind: 'pool', size, strides, padding: sidePadding(call, config, size, strides, [1, 1]), zeros: false }];
};

const zeroPadding: Rule = (call, config) => {
  const { padding } = config;
  const sides: unknown[] = Array.isArray(padding) ? padding.flat() : [];
  const [top, , left] = sides.map(Number);
  if (sides.length !== 4 || top === undefined || left === undefined) {
    return refuse(call, `has the padding ${JSON.stringify(padding)}`);
  }
  return [{ kind: 'shift', shift: [-top, -left] }];
};

const crop: Rule = (call, config) => {
  const sides: unknown[] = Array.isArray(config.cropping) ? config.cropping.flat() : [];
  const [top, , left] = sides.map(Number);
  if (sides.length !== 4 || top === undefined || left === undefined) {
    return refuse(call, `crops ${JSON.stringify(config.cropping)}`);
  }
  return [{ kind: 'shift', shift: [top, left] }];
};

const concatenate: Rule = (call, config) => {
  const { axis } = config;
  return axis === -1 || axis === 3 ? [{ kind: 'concat' }] : refuse(call, `concatenates axis ${String(axis)}`);
};

const enlarge =
  (method: 'nearest' | 'bilinear'): Rule =>
  (call, config) => [{ kind: 'enlarge', method, factors: pair(call, config, 'size') }];

const upSampling: Rule = (call, config, purpose) => {
  // tfjs enlarges without aligned corners.
  if (config.interpolation !== 'nearest') return refuse(call, `interpolates ${String(config.interpolation)}`);
  return isFirstAxis(config) ? refuse(call, 'has channels first') : enlarge('nearest')(call, config, purpose);
};

const nothing: Rule = () => [];

const dropout: Rule = ({ name }, { rate }, purpose) => {
  const isActive = purpose === 'training' && Number(rate) > 0 && Number(rate) < 1;
  return isActive ? [{ kind: 'dropout', layer: name }] : [];
};

const RULES: Readonly<Record<string, Rule>> = {
  InputLayer: () => [{ kind: 'input' }],
  'pyconvunet>SizeGuard': nothing,
  'pyconvunet>Dropout': dropout,
  Dropout: dropout,
  Conv2D: conv2d,
  Conv2DTranspose: conv2dTranspose,
  'pyconvunet>PyConv2D': pyConv2d,
  'pyconvunet>GroupConv2D': pyConv2d,
  'pyconvunet>BatchNorm': norm,
  BatchNormalization: norm,
  Activation: activation,
  Softmax: (call, config) =>
    config.axis === -1 || config.axis === 3
      ? [{ kind: 'activation', activation: 'softmax' }]
      : refuse(call, `takes axis ${String(config.axis)}`),
  ReLU: (call, config) =>
    config.maxValue === undefined || config.maxValue === null
      ? [{ kind: 'activation', activation: 'relu' }]
      : refuse(call, `is limited to ${String(config.maxValue)}`),
  MaxPooling2D: pool,
  ZeroPadding2D: zeroPadding,
  Cropping2D: crop,
  'pyconvunet>Crop': crop,
  Concatenate: concatenate,
  Add: () => [{ kind: 'add' }],
  Multiply: () => [{ kind: 'multiply' }],
  UpSampling2D: upSampling,
  'pyconvunet>NearestUpsampling': enlarge('nearest'),
  'pyconvunet>BilinearUpsampling': enlarge('bilinear'),
};

/**
 * Reads a model for one size of image.
 *
 * @param shape [height, width, channels] of the image.
 * @throws UnplannableError that names the layer which no rule covers.
 */
export function readModel(
  model: tfl.LayersModel,
  shape: readonly [number, number, number],
  purpose: Purpose = 'inference',
): Graph {
  const { calls, outputs } = layerCalls(model, [[1, ...shape]]);
  const nodes: Node[] = [];
  const made = new Map<LayerCall, number>();
  const applied = new Map<string, number>();
  const idOf = ({ call }: CallOutput): number => {
    const id = made.get(call);
    return id ?? refuse(call, 'is read before it is computed');
  };
  for (const call of calls) {
    const { layer, name } = call;
    const rule = RULES[layer.getClassName()] ?? refuse(call, 'has no rule in the plan');
    const ops = rule(call, layer.getConfig(), purpose);
    const output = shapeOf(call, call.outputShapes[0]);
    let inputs = call.inputs.map(idOf);
    // A layer may be applied again, and its activation is an operation of its own: names are keys of packed weights.
    const uses = applied.get(name) ?? 0;
    applied.set(name, uses + 1);
    for (const [i, op] of ops.entries()) {
      const id = nodes.length;
      const own = `${name}${uses > 0 ? `#${uses + 1}` : ''}${i > 0 ? `/${op.kind}` : ''}`;
      nodes.push({ id, name: own, op, inputs, shape: output });
      inputs = [id];
    }
    const [last] = inputs;
    if (last === undefined) return refuse(call, 'has no input');
    made.set(call, last);
  }
  return { nodes, outputs: outputs.map(idOf) };
}
