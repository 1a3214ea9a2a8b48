/** No public function leaves a tensor behind: every export of every entry has a case here, and each case is run. */
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import * as files from '../../src/files.js';
import * as core from '../../src/index.js';
import * as notebook from '../../src/notebook.js';
import * as training from '../../src/training.js';
import { describeBackends } from '../backends.js';
import { cases as augmentCases } from './cases/augment.js';
import { cases as complexityCases } from './cases/complexity.js';
import { cases as coreCases } from './cases/core.js';
import { cases as figuresCases } from './cases/figures.js';
import { cases as filesCases } from './cases/files.js';
import { cases as inferenceCases } from './cases/inference.js';
import { cases as layersCases } from './cases/layers.js';
import { cases as lossesCases } from './cases/losses.js';
import { cases as metricsCases } from './cases/metrics.js';
import { cases as modelsCases } from './cases/models.js';
import { cases as notebookCases } from './cases/notebook.js';
import { cases as studyCases } from './cases/study.js';
import { cases as trainingCases } from './cases/training.js';
import { complaints, type LeakCases, leftBehind, namespaces } from './leakCase.js';

interface Table {
  /** How its exports are written, such as `layers.`. */
  readonly prefix: string;
  readonly module: object;
  readonly cases: LeakCases;
  readonly file: string;
}

const table = (name: string, prefix: string, module: object, cases: LeakCases): Table => ({
  prefix,
  module,
  cases,
  file: `test/leaks/cases/${name}.ts`,
});
const namespace = (name: string, module: object, cases: LeakCases) => table(name, `${name}.`, module, cases);

const NAMESPACES = [
  namespace('augment', core.augment, augmentCases),
  namespace('complexity', core.complexity, complexityCases),
  namespace('figures', core.figures, figuresCases),
  namespace('inference', core.inference, inferenceCases),
  namespace('layers', core.layers, layersCases),
  namespace('losses', core.losses, lossesCases),
  namespace('metrics', core.metrics, metricsCases),
  namespace('models', core.models, modelsCases),
  namespace('study', training.study, studyCases),
];

/** The entries wasm, webgpu and tensorflow export nothing. */
const TABLES = [
  table('core', '', core, coreCases),
  ...NAMESPACES,
  table('training', 'pyconvunet/training: ', training, trainingCases),
  table('files', 'pyconvunet/files: ', files, filesCases),
  table('notebook', 'pyconvunet/notebook: ', notebook, notebookCases),
];

describe('every export has a leak case', () => {
  it.each(TABLES)('$file', ({ prefix, module, cases, file }) => {
    expect(complaints(prefix, module, cases, file)).toEqual([]);
  });

  it('and every namespace a table of them', () => {
    const found = [core, training, files, notebook].flatMap(namespaces).map((name) => `${name}.`);
    expect(
      found.filter((name) => !NAMESPACES.some(({ prefix }) => prefix === name)),
      'A new namespace needs test/leaks/cases/NAME.ts and a line in NAMESPACES of this file.',
    ).toEqual([]);
  });
});

describe('this test', () => {
  it('finds an export without a case, and a case without an export', () => {
    const cases = { old: () => {}, known: () => {} };
    expect(complaints('layers.', { known: () => {}, added: class {}, constant: 3 }, cases, 'layers.ts')).toEqual([
      "layers.added has no leak case: add 'added' to layers.ts.",
      "layers.old is exported no more: remove 'old' from layers.ts.",
    ]);
  });
});

describeBackends('no tensor is left behind by', () => {
  it('anything but a function that keeps one, which is found', async () => {
    const kept: tf.Tensor[] = [];
    expect(await leftBehind(() => kept.push(tf.zeros([2])))).toEqual({ tensors: 1, buffers: 1 });
    tf.dispose(kept);
  });

  for (const { prefix, cases } of TABLES) {
    it.each(Object.entries(cases))(`${prefix}%s`, async (_name, run) => {
      expect(await leftBehind(run)).toEqual({ tensors: 0, buffers: 0 });
    });
  }
});
