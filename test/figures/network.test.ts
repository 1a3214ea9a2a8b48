/** The figure of a network says what its graph and its counts say. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { complexity } from '../../src/complexity/index.js';
import { networkFigure, networkGraph } from '../../src/figures/index.js';
import { layoutNetwork } from '../../src/figures/layout.js';
import { textWidth } from '../../src/figures/theme.js';
import { create, type NetworkName, names } from '../../src/models/index.js';
import { descendants, having, parseXml, type XmlElement } from './xml.js';

const inputShape = [64, 64, 3];

/** For three widths, by hand from the networks' papers: `from>to kind`. */
const SKIPS: Readonly<Record<NetworkName, readonly string[]>> = {
  pyconvunet: ['encoder1>decoder1 concatenated', 'encoder2>decoder2 concatenated'],
  unet: ['encoder1>decoder1 concatenated', 'encoder2>decoder2 concatenated'],
  'unet++': [
    'node0_0>node0_1 concatenated',
    'node0_0>node0_2 concatenated',
    'node0_1>node0_2 concatenated',
    'node1_0>node1_1 concatenated',
  ],
  'attention-unet': ['encoder1>decoder1 gated', 'encoder2>decoder2 gated'],
  'resnet34-unet': ['encoder1>decoder2 added', 'encoder2>decoder3 added'],
  multiresunet: [
    'encoder1>respath1 concatenated',
    'encoder2>respath2 concatenated',
    'respath1>decoder1 concatenated',
    'respath2>decoder2 concatenated',
  ],
  fcn8s: ['encoder1>decoder2 added', 'encoder2>decoder3 added'],
};

const U = ['input', 'encoder1', 'encoder2', 'encoder3', 'decoder2', 'decoder1', 'logits'];
const STAGES: Readonly<Record<NetworkName, readonly string[]>> = {
  pyconvunet: U,
  unet: U,
  'unet++': ['input', 'node0_0', 'node1_0', 'node2_0', 'node0_1', 'node1_1', 'node0_2', 'logits'],
  'attention-unet': U,
  'resnet34-unet': [...U, 'stem', 'decoder3', 'tail'],
  multiresunet: [...U, 'respath1', 'respath2', 'head'],
  fcn8s: [...U, 'decoder3'],
};

const models = new Map<NetworkName, tfl.LayersModel>();
beforeAll(() => {
  for (const name of names) models.set(name, create(name, { widths: [8, 16, 32], seed: 0 }));
});
afterAll(() => {
  for (const model of models.values()) model.dispose();
});

function modelOf(name: NetworkName): tfl.LayersModel {
  const model = models.get(name);
  if (model === undefined) throw new Error(`No model ${name}.`);
  return model;
}

const pair = (element: XmlElement) => `${element.attributes.get('data-from')}>${element.attributes.get('data-to')}`;

/** What passes between stages, read from the configuration that a saved model holds. */
function passagesOf(model: tfl.LayersModel): string[] {
  const stage = (layer: string) => {
    const [first = ''] = layer.split('/');
    return { size: 'input', probability: 'logits' }[first] ?? first;
  };
  const { layers } = model.getConfig() as unknown as {
    layers: { name: string; inboundNodes: [string, ...unknown[]][][] }[];
  };
  const pairs = layers.flatMap(({ name, inboundNodes }) =>
    inboundNodes.flatMap((node) => node.map(([source]) => `${stage(source)}>${stage(name)}`)),
  );
  return [...new Set(pairs.filter((text) => text.split('>')[0] !== text.split('>')[1]))].sort();
}

describe.each(names)('%s', (name) => {
  test('is well-formed, with a title and a description', () => {
    const root = parseXml(networkFigure(modelOf(name), { inputShape }));
    expect(root.name).toBe('svg');
    expect(root.attributes.get('role')).toBe('img');
    expect(root.children.slice(0, 2).map((child) => child.name)).toEqual(['title', 'desc']);
    expect(root.children[0]?.text).toBe(networkGraph(modelOf(name), { inputShape }).title);
  });

  test('every stage stands there once, and their counts add up to the whole', () => {
    const stages = having(parseXml(networkFigure(modelOf(name), { inputShape })), 'data-stage');
    expect(stages.map(({ attributes }) => attributes.get('data-stage')).sort()).toEqual([...STAGES[name]].sort());
    const sum = (key: string) => stages.reduce((total, { attributes }) => total + Number(attributes.get(key)), 0);
    const report = complexity(modelOf(name), { inputShape });
    expect(sum('data-params')).toBe(report.params.total);
    expect(sum('data-macs')).toBe(report.macs);
    for (const stage of stages) {
      const own = report.layers.filter((layer) => layer.name.split('/')[0] === stage.attributes.get('data-stage'));
      expect(Number(stage.attributes.get('data-params'))).toBe(own.reduce((total, { params }) => total + params, 0));
    }
  });

  test('its arrows are those of the graph', () => {
    const arrows = having(parseXml(networkFigure(modelOf(name), { inputShape })), 'data-from');
    expect(arrows.map(pair).sort()).toEqual(passagesOf(modelOf(name)));
    const skips = arrows.filter(({ attributes }) => attributes.get('data-kind') !== 'main');
    expect(skips.map((skip) => `${pair(skip)} ${skip.attributes.get('data-kind')}`).sort()).toEqual(SKIPS[name]);
    // The legend explains what there is.
    const words = descendants(parseXml(networkFigure(modelOf(name), { inputShape }))).map(({ text }) => text);
    for (const kind of ['concatenated', 'added', 'gated']) {
      const isDrawn = SKIPS[name].some((skip) => skip.endsWith(kind));
      expect(words.some((text) => text.startsWith(`skip, ${kind}`))).toBe(isDrawn);
    }
  });

  test('boxes follow resolution and channels, and nothing covers a label', () => {
    const graph = networkGraph(modelOf(name), { inputShape });
    const placed = [...layoutNetwork(graph, 0).stages.values()];
    for (const a of placed) {
      for (const b of placed) {
        if (a.stage.shape[0] > b.stage.shape[0]) expect(a.bottom - a.top).toBeGreaterThan(b.bottom - b.top);
        // Very few channels share the least width.
        if (a.stage.shape[2] > Math.max(6, b.stage.shape[2])) expect(a.width).toBeGreaterThan(b.width);
        if (a === b) continue;
        const half = (s: typeof a) =>
          Math.max(s.width, ...s.label.map((line, i) => textWidth(line, { bold: i === 0 }))) / 2;
        const labelTop = (s: typeof a) => s.top - s.label.length * 17;
        const beside = Math.abs(a.x - b.x) >= half(a) + half(b);
        const apart = a.bottom <= labelTop(b) || b.bottom <= labelTop(a);
        expect(beside || apart, `${a.stage.name} and ${b.stage.name}`).toBe(true);
      }
    }
  });
});

test('labels say size, parameters and multiply-accumulates', () => {
  const root = parseXml(networkFigure(modelOf('unet'), { inputShape, title: 'Ours' }));
  const stage = having(root, 'data-stage').find(({ attributes }) => attributes.get('data-stage') === 'encoder1');
  const lines = stage?.children.filter(({ name }) => name === 'text').map(({ text }) => text);
  // (9 * 3 + 1) * 8 + (9 * 8 + 1) * 8 + twice 4 * 8 of the normalisations; 9 * (3 + 8) * 8 multiplications a pixel.
  expect(lines).toEqual(['encoder1', '64×64×8', '872 params', '3.24 MMAC']);
  expect(stage?.children[0]?.text).toBe('encoder1: 64×64×8, 872 parameters, 3,244,032 multiply-accumulates');
});

test('a pooling whose input nobody else sees belongs to its stage; a shared one to the way', () => {
  const shapes = (name: NetworkName) =>
    Object.fromEntries(networkGraph(modelOf(name), { inputShape }).stages.map((stage) => [stage.name, stage.shape]));
  expect(shapes('fcn8s').encoder1).toEqual([32, 32, 8]);
  expect(shapes('unet').encoder1).toEqual([64, 64, 8]);
  expect(shapes('resnet34-unet').stem).toEqual([16, 16, 8]);
});

test('deep supervision: every head stands there and is an output', () => {
  const model = create('unet++', { widths: [8, 16, 32, 32], deepSupervision: true, seed: 0 });
  const { stages } = networkGraph(model, { inputShape });
  const heads = stages.filter(({ isOutput }) => isOutput);
  expect(heads.map(({ name, role }) => `${name} ${role}`).sort()).toEqual([
    'logits head',
    'logits1 head',
    'logits2 head',
  ]);
  const placed = [...layoutNetwork(networkGraph(model, { inputShape }), 0).stages.values()];
  expect(placed.filter(({ row }) => row === -1).length).toBe(3);
  expect(parseXml(networkFigure(model, { inputShape })).name).toBe('svg');
  model.dispose();
});

test('dropout belongs to the stage that it follows', () => {
  const model = create('unet', { widths: [8, 16], dropout: 0.5, seed: 0 });
  const { stages } = networkGraph(model, { inputShape });
  expect(stages.map(({ name }) => name)).toEqual(['input', 'encoder1', 'encoder2', 'decoder1', 'logits']);
  model.dispose();
});

test('a title is text, whatever it holds', () => {
  const title = '<script>alert("&amp;")</script>\u0000 \ud800 ]]> 網';
  const root = parseXml(networkFigure(modelOf('unet'), { inputShape, title }));
  const legal = title.replace('\u0000', '\ufffd').replace('\ud800', '\ufffd');
  expect(root.children[0]?.text).toBe(legal);
  expect(descendants(root).filter(({ text }) => text === legal)).toHaveLength(2);
  expect(descendants(root).some(({ name }) => name === 'script')).toBe(false);
});

test('a network of others is drawn by its layer names', () => {
  const input = tfl.input({ shape: [16, 16, 1], name: 'in' });
  const a = tfl.layers.conv2d({ name: 'a', filters: 2, kernelSize: 3, padding: 'same' }).apply(input);
  const b = tfl.layers.conv2d({ name: 'b', filters: 2, kernelSize: 3, padding: 'same' }).apply(a);
  const sum = tfl.layers.add({ name: 'sum' }).apply([a as tfl.SymbolicTensor, b as tfl.SymbolicTensor]);
  const model = tfl.model({ inputs: input, outputs: sum as tfl.SymbolicTensor, name: 'mine' });
  const graph = networkGraph(model);
  expect(graph.title).toBe('mine');
  expect(graph.connections).toEqual([
    { from: 'in', to: 'a', kind: 'main' },
    { from: 'a', to: 'b', kind: 'main' },
    { from: 'a', to: 'sum', kind: 'added' },
    { from: 'b', to: 'sum', kind: 'main' },
  ]);
  model.dispose();
});

test('refuses what it cannot draw', () => {
  expect(() => networkFigure(modelOf('unet'))).toThrow(
    'The input of model unet has the shape [null, null, 3]. Received: inputShape=undefined. Give inputShape with whole numbers.',
  );
  const input = tfl.input({ shape: [4, 4, 1] });
  const flat = tfl.layers.flatten({ name: 'flat' }).apply(input);
  const model = tfl.model({ inputs: input, outputs: flat as tfl.SymbolicTensor });
  expect(() => networkFigure(model)).toThrow(
    "A figure shows networks whose layers make maps of height, width and channels. Received: layer 'flat' with the output [16].",
  );
});

test('no tensor is made', () => {
  const before = tf.memory().numTensors;
  networkFigure(modelOf('pyconvunet'), { inputShape });
  expect(tf.memory().numTensors).toBe(before);
});
