/** Rules counted by hand on small models, sharing and nesting, and each message by its text. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { type Convention, complexity } from '../../src/complexity/index.js';
import { bilinearUpsampling } from '../../src/layers/bilinearUpsampling.js';
import { crop } from '../../src/layers/crop.js';
import { dropout } from '../../src/layers/dropout.js';
import { batchNorm, groupConv2d, PyConv2D, type PyConv2DArgs, pyConv2d } from '../../src/layers/index.js';
import { nearestUpsampling } from '../../src/layers/nearestUpsampling.js';
import { SizeGuard } from '../../src/layers/sizeGuard.js';
import { uNet } from '../../src/models/index.js';

type Layer = tfl.layers.Layer;

/** A model of one layer on maps of 6 x 4 pixels with 8 channels. */
function single(layer: Layer, shape: (number | null)[] = [null, null, 8]): tfl.LayersModel {
  const input = tfl.input({ shape });
  return tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
}

const PIXELS = 24;
const rules: [string, () => Layer, number, number][] = [
  // name, layer, macs, what convention 'paper' adds
  ['Conv2D', () => tfl.layers.conv2d({ filters: 5, kernelSize: 3, padding: 'same' }), 9 * 8 * 5 * PIXELS, 5 * PIXELS],
  [
    'Conv2D of stride 2 with ReLU, without bias',
    () =>
      tfl.layers.conv2d({
        filters: 5,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        useBias: false,
        activation: 'relu',
      }),
    (9 * 8 * 5 * PIXELS) / 4,
    (5 * PIXELS) / 4,
  ],
  ['Conv2D valid', () => tfl.layers.conv2d({ filters: 1, kernelSize: 3 }), 9 * 8 * 4 * 2, 4 * 2],
  [
    'Conv2DTranspose at its input size',
    () => tfl.layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 2 }),
    4 * 8 * 3 * PIXELS,
    3 * 4 * PIXELS,
  ],
  ['DepthwiseConv2D', () => tfl.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }), 9 * 8 * PIXELS, 8 * PIXELS],
  [
    'SeparableConv2D',
    () => tfl.layers.separableConv2d({ filters: 4, kernelSize: 3, padding: 'same' }),
    (9 * 8 + 8 * 4) * PIXELS,
    4 * PIXELS,
  ],
  ['Dense', () => tfl.layers.dense({ units: 3 }), 8 * 3 * PIXELS, 3 * PIXELS],
  [
    'PyConv2D with its real groups',
    () => pyConv2d({ filters: 8, kernelSizes: [3, 5], groups: [1, 4], activation: 'relu' }),
    (9 * 8 * 4 + 25 * 2 * 4) * PIXELS,
    2 * 8 * PIXELS,
  ],
  [
    'GroupConv2D of stride [2, 1]',
    () => groupConv2d({ filters: 8, kernelSize: 3, groups: 8, strides: [2, 1], useBias: false }),
    (9 * 8 * PIXELS) / 2,
    0,
  ],
  ['BatchNorm', () => batchNorm({}), 0, 2 * 8 * PIXELS],
  ['BatchNorm with ReLU', () => batchNorm({ activation: 'relu', scale: false }), 0, 3 * 8 * PIXELS],
  ['BatchNormalization', () => tfl.layers.batchNormalization(), 0, 2 * 8 * PIXELS],
  ['a ReLU', () => tfl.layers.activation({ activation: 'relu' }), 0, 8 * PIXELS],
  ['ReLU as a layer', () => tfl.layers.reLU(), 0, 8 * PIXELS],
  ['a sigmoid', () => tfl.layers.activation({ activation: 'sigmoid' }), 0, 0],
  ['a softmax', () => tfl.layers.activation({ activation: 'softmax' }), 0, 0],
  ['pooling at its input size', () => tfl.layers.maxPooling2d({ poolSize: 2 }), 0, 8 * PIXELS],
  ['average pooling', () => tfl.layers.averagePooling2d({ poolSize: 2 }), 0, 8 * PIXELS],
  ['global pooling', () => tfl.layers.globalAveragePooling2d({}), 0, 8 * PIXELS],
  ['upsampling at its output size', () => tfl.layers.upSampling2d({ size: [2, 2] }), 0, 4 * 8 * PIXELS],
  ['bilinear upsampling', () => bilinearUpsampling({}), 0, 4 * 8 * PIXELS],
  ['nearest upsampling', () => nearestUpsampling({}), 0, 4 * 8 * PIXELS],
  ['zero padding', () => tfl.layers.zeroPadding2d({}), 0, 0],
  [
    'cropping',
    () =>
      crop({
        cropping: [
          [1, 0],
          [1, 0],
        ],
      }),
    0,
    0,
  ],
  ['dropout', () => dropout({ rate: 0.5 }), 0, 0],
  ['the check of the size', () => new SizeGuard({ divisor: 2 }), 0, 0],
];

describe('the rules', () => {
  it.each(rules)('%s', (_, layer, macs, extra) => {
    const model = single(layer());
    const inputShape = [6, 4, 8];
    const plain = complexity(model, { inputShape });
    const paper = complexity(model, { inputShape, convention: 'paper' });
    expect(plain.macs).toBe(macs);
    expect(plain.flops).toBe(2 * macs);
    expect(paper.macs).toBe(macs + extra);
    expect([...plain.warnings, ...paper.warnings]).toEqual([]);
    expect(plain.params.total).toBe(model.countParams());
    model.dispose();
  });

  it('count nothing for sums, products and concatenations', () => {
    const input = tfl.input({ shape: [6, 4, 8] });
    const merge = (layer: Layer, maps: tfl.SymbolicTensor[]) => layer.apply(maps) as tfl.SymbolicTensor;
    const sum = merge(tfl.layers.add(), [input, input]);
    const product = merge(tfl.layers.multiply(), [sum, input]);
    const outputs = merge(tfl.layers.concatenate(), [product, sum]);
    const report = complexity(tfl.model({ inputs: input, outputs }), { convention: 'paper' });
    expect(report.macs).toBe(0);
    expect(report.warnings).toEqual([]);
    expect(report.classes).toBe(16);
  });

  it('hold for maps with channels first', () => {
    const layer = tfl.layers.conv2d({ filters: 5, kernelSize: 3, padding: 'same', dataFormat: 'channelsFirst' });
    const model = single(layer, [8, 6, 4]);
    expect(complexity(model).macs).toBe(9 * 8 * 5 * PIXELS);
    model.dispose();
  });

  it('warn of a layer without a rule, once for each layer', () => {
    class Mystery extends tfl.layers.Layer {
      static readonly className = 'Mystery';
    }
    const input = tfl.input({ shape: [6, 4, 8] });
    const layer = new Mystery({ name: 'mystery' });
    const outputs = layer.apply(layer.apply(input)) as tfl.SymbolicTensor;
    for (const convention of ['macs', 'paper'] satisfies Convention[]) {
      expect(complexity(tfl.model({ inputs: input, outputs }), { convention }).warnings).toEqual([
        `Layer 'mystery' of class Mystery has no rule under the convention '${convention}' and counts as 0.`,
      ]);
    }
  });

  it('count a class that extends one of the table as that one', () => {
    class Downstream extends PyConv2D {
      static override readonly className: string = 'Downstream';
    }
    const args: PyConv2DArgs = { filters: 8, kernelSizes: [3, 5], groups: [1, 4] };
    const [own, wrapped] = [single(pyConv2d(args)), single(new Downstream(args))];
    const inputShape = [6, 4, 8];
    const report = complexity(wrapped, { inputShape });
    expect(report.macs).toBe(complexity(own, { inputShape }).macs);
    expect(report.warnings).toEqual([]);
    own.dispose();
    wrapped.dispose();
  });
});

describe('complexity', () => {
  it('reports a row for each layer with its shape, weights and cost', () => {
    const input = tfl.input({ shape: [null, null, 3], name: 'image' });
    const features = pyConv2d({ filters: 16, groups: 'auto', name: 'pyramid' }).apply(input) as tfl.SymbolicTensor;
    const normalised = batchNorm({ name: 'norm' }).apply(features) as tfl.SymbolicTensor;
    const pooled = tfl.layers.maxPooling2d({ name: 'pool' }).apply(normalised) as tfl.SymbolicTensor;
    const head = tfl.layers.conv2d({ filters: 2, kernelSize: 1, name: 'logits' }).apply(pooled) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs: head, name: 'small' });
    const tensors = tf.memory().numTensors;
    const report = complexity(model, { inputShape: [8, 8, 3] });
    expect(tf.memory().numTensors).toBe(tensors);
    // 3 channels allow one group only: (9 * 2 + 25 * 2 + 49 * 4 + 81 * 8) filters of 3 channels, and 16 biases.
    const filters = 3 * (9 * 2 + 25 * 2 + 49 * 4 + 81 * 8);
    const real = { params: filters, macs: filters * 64 };
    const closedForm = { params: 9 * 3 * 16, macs: 9 * 3 * 16 * 64 };
    expect(report).toEqual({
      model: 'small',
      inputShape: [8, 8, 3],
      classes: 2,
      params: { trainable: filters + 16 + 32 + 34, nonTrainable: 32, total: filters + 16 + 64 + 34 },
      macs: filters * 64 + 32 * 16,
      flops: 2 * (filters * 64 + 32 * 16),
      convention: 'macs',
      layers: [
        { name: 'image', className: 'InputLayer', outputShape: [8, 8, 3], params: 0, macs: 0 },
        {
          name: 'pyramid',
          className: 'pyconvunet>PyConv2D',
          outputShape: [8, 8, 16],
          params: filters + 16,
          macs: real.macs,
          closedForm,
        },
        { name: 'norm', className: 'pyconvunet>BatchNorm', outputShape: [8, 8, 16], params: 64, macs: 0 },
        { name: 'pool', className: 'MaxPooling2D', outputShape: [4, 4, 16], params: 0, macs: 0 },
        { name: 'logits', className: 'Conv2D', outputShape: [4, 4, 2], params: 34, macs: 32 * 16 },
      ],
      pyramidalConvolutions: { real, closedForm, note: expect.stringContaining('eqs. 7 and 8') },
      warnings: [],
    });
    expect(JSON.parse(JSON.stringify(report))).toEqual({
      ...report,
      pyramidalConvolutions: { real, closedForm, note: report.pyramidalConvolutions?.note },
    });
    expect(complexity(model, { inputShape: [8, 8, 3], name: 'renamed' }).model).toBe('renamed');
    model.dispose();
  });

  it('counts a layer that is applied twice once in weights and twice in work', () => {
    const input = tfl.input({ shape: [8, 8, 4] });
    const layer = pyConv2d({ filters: 4, kernelSizes: [3, 5], groups: [1, 2], strides: 2 });
    const outputs = layer.apply(layer.apply(input)) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs });
    const weights = 9 * 4 * 2 + 25 * 2 * 2;
    const report = complexity(model);
    expect(report.params.total).toBe(weights + 4);
    expect(report.macs).toBe(weights * (16 + 4));
    expect(report.layers[1]).toMatchObject({ outputShape: [4, 4, 4], params: weights + 4, macs: weights * 20 });
    expect(report.pyramidalConvolutions?.real).toEqual({ params: weights, macs: weights * 20 });
    expect(report.pyramidalConvolutions?.closedForm).toEqual({ params: 9 * 4 * 4, macs: 9 * 4 * 4 * 20 });
    model.dispose();
  });

  it('walks through nested models, sequential ones too', () => {
    const block = tfl.sequential({
      name: 'block',
      layers: [
        tfl.layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', inputShape: [null, null, 4], name: 'conv' }),
        tfl.layers.maxPooling2d({ name: 'pool' }),
      ],
    });
    const input = tfl.input({ shape: [8, 8, 4], name: 'image' });
    const outputs = block.apply(block.apply(input)) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs });
    const report = complexity(model);
    expect(report.layers.map(({ name, macs }) => [name, macs]).filter(([, macs]) => macs !== 0)).toEqual([
      ['block/conv', 9 * 4 * 4 * (64 + 16)],
    ]);
    expect(report.params.total).toBe(9 * 4 * 4 + 4);
    expect(complexity(block, { inputShape: [8, 8, 4] }).macs).toBe(9 * 4 * 4 * 64);
    model.dispose();
  });

  it('counts frozen layers as not trainable', () => {
    const model = single(tfl.layers.conv2d({ filters: 2, kernelSize: 1, trainable: false }));
    expect(complexity(model, { inputShape: [4, 4, 8] }).params).toEqual({ trainable: 0, nonTrainable: 18, total: 18 });
    model.dispose();
  });

  const model = single(tfl.layers.zeroPadding2d({}));
  const at = (inputShape?: readonly number[], convention?: string) => () =>
    complexity(model, {
      ...(inputShape === undefined ? {} : { inputShape }),
      ...(convention === undefined ? {} : { convention: convention as Convention }),
    });
  it.each([
    [
      'free sizes without an input shape',
      at(),
      `The input of model ${model.name} has the shape [null, null, 8]. Received: inputShape=undefined. Give inputShape with whole numbers.`,
    ],
    [
      'other channels',
      at([4, 4, 3]),
      `The input of model ${model.name} has the shape [null, null, 8]. Received: inputShape=[4, 4, 3]. Give whole numbers that fit it.`,
    ],
    [
      'a size that is no whole number',
      at([4, 1.5, 8]),
      `The input of model ${model.name} has the shape [null, null, 8]. Received: inputShape=[4, 1.5, 8]. Give whole numbers that fit it.`,
    ],
    [
      'a batch',
      at([1, 4, 4, 8]),
      `The input of model ${model.name} has the shape [null, null, 8]. Received: inputShape=[1, 4, 4, 8]. Give whole numbers that fit it.`,
    ],
    [
      'an unknown convention',
      at([4, 4, 8], 'flops'),
      'convention must be one of macs, paper. Received: convention=flops.',
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  it('refuses a model of two inputs', () => {
    const inputs = [tfl.input({ shape: [4] }), tfl.input({ shape: [4] })];
    const outputs = tfl.layers.add().apply(inputs) as tfl.SymbolicTensor;
    expect(() => complexity(tfl.model({ inputs, outputs, name: 'two' }))).toThrow(
      'complexity counts models of one input. Received: model two with 2 inputs.',
    );
  });

  it('passes on the refusal of a size that the network cannot take', () => {
    const network = uNet({ widths: [2, 4, 8] });
    expect(() => complexity(network, { inputShape: [6, 8, 3] })).toThrow(
      'U-Net needs height and width that are multiples of 4. Received: 6x8.',
    );
  });
});
