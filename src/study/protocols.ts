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
  widths: 'widths',
  epochs: 'epochs',
  batch: 'batch',
  learningRate: 'learning rate',
  loss: 'loss',
  augment: 'augmentation',
  size: 'size',
  deepSupervision: 'deep supervision of UNet++',
  validation: 'validation share',
};

const shown = (key: keyof ProtocolSettings, value: unknown): string => {
  if (value === null) return key === 'size' ? "each image's own" : "each network's own";
  if (Array.isArray(value)) return value.join(key === 'size' ? 'x' : ', ');
  return String(value);
};

/**
 * What a study does otherwise than the paper's protocol (Li, Fan, Cai 2021).
 *
 * @param config A whole configuration, of `resolveStudy`.
 * @returns One line for each setting that differs, with both values; none for the paper's own.
 * @example
 * ```ts
 * import { resolveStudy } from 'pyconvunet/files';
 * import { study } from 'pyconvunet/training';
 *
 * const config = resolveStudy({ protocol: 'paper', data: [{ source: 'phantom:lung' }], epochs: 2 });
 * console.log(study.deviations(config)); // [ 'epochs: 2 (the paper: 50)' ]
 * ```
 */
export function deviations(config: ProtocolSettings): string[] {
  const keys = Object.keys(SETTING_NAMES) as (keyof ProtocolSettings)[];
  return keys.flatMap((key) => {
    const ours = JSON.stringify(config[key]);
    if (ours === JSON.stringify(paper[key])) return [];
    if (key === 'deepSupervision' && !config.models.includes('unet++')) return [];
    return [`${SETTING_NAMES[key]}: ${shown(key, config[key])} (the paper: ${shown(key, paper[key])})`];
  });
}
