/** The protocols of a study: what they set where neither the configuration nor an option does. */
import type { StudyConfig } from './schemas.js';

/** Everything but the data sets. */
export type ProtocolSettings = Omit<StudyConfig, 'data' | 'formatVersion' | 'protocol'>;

const paperModels = [
  'unet',
  'unet++',
  'attention-unet',
  'resnet34-unet',
  'multiresunet',
  'fcn8s',
  'pyconvunet',
] as const;

/** As `train` has it: the paper's optimizer, batch and epochs, one transform a batch, images at their own size. */
const custom: ProtocolSettings = {
  models: ['unet', 'pyconvunet'],
  widths: null,
  deepSupervision: false,
  epochs: 50,
  batch: 5,
  microBatch: null,
  learningRate: 1e-3,
  loss: 'bce',
  augment: 'random',
  size: null,
  seeds: [0],
  splitSeed: 0,
  validation: 0.2,
  test: 0,
  folds: null,
  backend: 'wasm',
  threads: 1,
};

/** Li, Fan, Cai 2021: 512x512, 50 epochs, batch 5, the training part enlarged five times, UNet++ with deep supervision. */
const paper: ProtocolSettings = {
  ...custom,
  models: paperModels,
  deepSupervision: true,
  augment: 'expand',
  size: [512, 512],
};

/** Small enough for seven networks on three phantoms within half an hour on two cores. */
const quick: ProtocolSettings = {
  ...paper,
  widths: [8, 16, 32, 64],
  epochs: 24,
  augment: 'random',
  size: [64, 64],
};

export const PROTOCOLS: Readonly<Record<StudyConfig['protocol'], ProtocolSettings>> = { custom, paper, quick };

const SETTING_NAMES: Readonly<Partial<Record<keyof ProtocolSettings, string>>> = {
  models: 'networks',
  widths: 'widths',
  epochs: 'epochs',
  batch: 'batch',
  microBatch: 'micro-batch',
  learningRate: 'learning rate',
  loss: 'loss',
  augment: 'augmentation',
  size: 'size',
  deepSupervision: 'deep supervision of UNet++',
  validation: 'validation share',
  test: 'test part',
  folds: 'folds',
};

const NONE: Readonly<Partial<Record<keyof ProtocolSettings, string>>> = {
  size: "each image's own",
  widths: "each network's own",
  folds: 'none',
  microBatch: 'whole batches',
};

function shown(key: keyof ProtocolSettings, value: ProtocolSettings[keyof ProtocolSettings]): string {
  if (value === null) return NONE[key] ?? 'none';
  if (key === 'test' && value === 0) return 'none';
  return Array.isArray(value) ? value.join(key === 'size' ? 'x' : ', ') : String(value);
}

/** Whether a setting says nothing of this study. */
function isIdle(key: keyof ProtocolSettings, { models, folds, batch, microBatch }: ProtocolSettings): boolean {
  if (key === 'microBatch') return microBatch === batch;
  if (key === 'deepSupervision') return !models.includes('unet++');
  return key === 'validation' && folds !== null;
}

/** What a study does otherwise than the paper, one sentence each. */
export function deviations(config: StudyConfig): string[] {
  const keys = Object.keys(SETTING_NAMES) as (keyof ProtocolSettings)[];
  const settings = keys.flatMap((key) => {
    const isSame = JSON.stringify([config[key]].flat().sort()) === JSON.stringify([paper[key]].flat().sort());
    if (isSame || isIdle(key, config)) return [];
    return [`${SETTING_NAMES[key]}: ${shown(key, config[key])} (the paper: ${shown(key, paper[key])})`];
  });
  const generated = config.data.filter(({ source }) => source.startsWith('phantom:')).map(({ name }) => name);
  return generated.length === 0
    ? settings
    : [
        ...settings,
        `generated images: ${generated.join(', ')} (the paper: lung CT, liver CT, electron microscopy of cells)`,
      ];
}
