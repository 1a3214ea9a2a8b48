/** Leak cases of the files entry: data sets, models and run folders on disk. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as files from '../../../src/files.js';
import { adam, captureState, encodePng } from '../../../src/training.js';
import { bytes, tinyNet } from '../inputs.js';
import { type LeakCases, withModel } from '../leakCase.js';

async function inFolder(use: (folder: string) => Promise<unknown>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'leaks-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A data set of one image and its mask. */
async function writeDataSet(folder: string): Promise<void> {
  const image = encodePng(bytes);
  const mask = encodePng({ ...bytes, data: bytes.data.map((value) => (value > 100 ? 255 : 0)) });
  for (const [name, content] of Object.entries({ images: image, masks: mask })) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'a.png'), content);
  }
}

const history = { loss: [], valLoss: [], valMeanIoU: [], valDice: [] };

const config: files.RunConfig = {
  formatVersion: 1,
  data: 'phantom:lung',
  model: 'unet',
  widths: null,
  deepSupervision: false,
  backend: 'cpu',
  epochs: 1,
  batch: 1,
  microBatch: 1,
  learningRate: 1e-3,
  loss: 'bce',
  augment: 'none',
  seed: 0,
  classes: null,
  groupBy: null,
  blocks: false,
  validation: 0.2,
  test: 0,
  threads: 1,
  preprocessing: { channels: 1, size: null, intensity: { kind: 'minmax' } },
  digests: {},
  parts: { train: ['a'], validation: ['b'], test: [] },
  trivial: { otsu: { polarity: 'bright' }, bestThreshold: { threshold: 0, polarity: 'bright' } },
  versions: {},
  command: 'pyconvunet train',
};

/** A study of one network on four small images. */
const study: files.StudyInput = {
  data: [{ source: 'phantom:lung', images: 4 }],
  ...{ models: ['unet'], widths: [2, 4], size: [32, 32], epochs: 1 },
};

/** The state of a run that has not begun, written to a folder. */
const writeStart = (folder: string): Promise<void> =>
  withModel(tinyNet(), async (model) => {
    const optimizer = adam();
    const position = { epoch: 0, step: 0, lossSum: 0, history, best: null };
    await files.writeCheckpoint(folder, await captureState(model, optimizer, position));
    optimizer.dispose();
  });

export const cases: LeakCases = {
  findPairs: () =>
    inFolder(async (folder) => {
      await writeDataSet(folder);
      await files.findPairs(folder);
    }),
  loadSamples: () =>
    inFolder(async (folder) => {
      await writeDataSet(folder);
      await files.loadSamples(folder, { size: 4 });
    }),
  saveModel: () => inFolder((folder) => withModel(tinyNet(), (model) => files.saveModel(model, folder))),
  createRun: () => inFolder((folder) => files.createRun(folder, config)),
  readRunConfig: () =>
    inFolder(async (folder) => {
      await files.createRun(folder, config);
      await files.readRunConfig(folder);
    }),
  writeHistory: () => inFolder((folder) => files.writeHistory(folder, history)),
  writeCheckpoint: () => inFolder(writeStart),
  readCheckpoint: () =>
    inFolder(async (folder) => {
      await writeStart(folder);
      await files.readCheckpoint(folder);
    }),
  resolveStudy: () => files.resolveStudy(study),
  readStudyInput: () =>
    inFolder(async (folder) => {
      const path = join(folder, 'study.json');
      await writeFile(path, JSON.stringify(study));
      await files.readStudyInput(path);
    }),
  prepareStudy: () => inFolder((folder) => files.prepareStudy(study, folder)),
  estimateStudy: () => inFolder(async (folder) => files.estimateStudy(await files.prepareStudy(study, folder))),
  performStudy: () => inFolder(async (folder) => files.performStudy(await files.prepareStudy(study, folder))),
  writeReport: () =>
    inFolder(async (folder) => {
      const prepared = await files.prepareStudy(study, folder);
      await files.writeReport(prepared, await files.performStudy(prepared));
    }),
  runStudy: () => inFolder((folder) => files.runStudy(study, { out: folder })),
};
