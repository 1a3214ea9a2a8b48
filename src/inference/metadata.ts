/** What a trained model must know besides its weights: kept in the user-defined metadata of its model.json. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Preprocessing } from '../data/preprocess.js';
import { DataError, InvalidArgumentError } from '../runtime/errors.js';

/** What was done to images before training, and what the outputs mean. */
export interface ModelMetadata {
  /** Of this description. */
  readonly formatVersion: 1;
  /** Name of the network, for example 'pyconvunet'. */
  readonly network: string;
  readonly preprocessing: Preprocessing;
  /** Names of the classes, background first. */
  readonly classes: readonly string[];
  /** Foreground where the probability is at least this, in [0, 1]; binary models only. */
  readonly threshold: number;
}

const KEY = 'pyconvunet';

/** Names for the classes of a model that has none: background first. */
export const defaultClasses = (channels: number): string[] =>
  channels === 1
    ? ['background', 'foreground']
    : Array.from({ length: channels }, (_, i) => (i === 0 ? 'background' : `class ${i}`));

type Unchecked = { readonly [key: string]: unknown };
const isRecord = (value: unknown): value is Unchecked => typeof value === 'object' && value !== null;
const isSize = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 1;

function isIntensity(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { kind, low, high } = value;
  if (kind === 'range') return typeof low === 'number' && typeof high === 'number' && low < high;
  return kind === 'bytes' || kind === 'minmax';
}

/** For each field of the format whether a value is legal, and what is. */
const RULES: readonly [field: string, legal: string, test: (metadata: Unchecked) => boolean][] = [
  ['network', 'a name', ({ network }) => typeof network === 'string' && network.length > 0],
  [
    'preprocessing.channels',
    '1 or 3',
    ({ preprocessing }) => isRecord(preprocessing) && (preprocessing.channels === 1 || preprocessing.channels === 3),
  ],
  [
    'preprocessing.size',
    '[height, width] or null',
    ({ preprocessing }) =>
      isRecord(preprocessing) &&
      (preprocessing.size === null ||
        (Array.isArray(preprocessing.size) && preprocessing.size.length === 2 && preprocessing.size.every(isSize))),
  ],
  [
    'preprocessing.intensity',
    "{kind: 'range', low, high} with low < high, {kind: 'bytes'} or {kind: 'minmax'}",
    ({ preprocessing }) => isRecord(preprocessing) && isIntensity(preprocessing.intensity),
  ],
  [
    'classes',
    'at least two names, background first',
    ({ classes }) => Array.isArray(classes) && classes.length >= 2 && classes.every((name) => typeof name === 'string'),
  ],
  [
    'threshold',
    'a probability in [0, 1]',
    ({ threshold }) => typeof threshold === 'number' && threshold >= 0 && threshold <= 1,
  ],
];

function findBrokenRule(metadata: Unchecked, rules: typeof RULES): string | undefined {
  const broken = rules.find(([, , test]) => !test(metadata));
  if (broken === undefined) return undefined;
  const [field, legal] = broken;
  const value = field
    .split('.')
    .reduce<unknown>((parent, key) => (isRecord(parent) ? parent[key] : undefined), metadata);
  return `${field} must be ${legal}. Received: ${JSON.stringify(value)}`;
}

/** What is wrong with a description of a model, or undefined where it is legal. */
const findProblem = (metadata: Unchecked, model: tfl.LayersModel): string | undefined =>
  findBrokenRule(metadata, RULES) ?? findClassProblem(metadata, model);

/** Refuses a preprocessing that a caller without types may have put together. */
export function requirePreprocessing(preprocessing: Preprocessing): void {
  const rules = RULES.filter(([field]) => field.startsWith('preprocessing.'));
  const problem = findBrokenRule({ preprocessing }, rules);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
}

function findClassProblem({ classes }: Unchecked, model: tfl.LayersModel): string | undefined {
  const channels = model.outputs.at(-1)?.shape[3];
  if (channels === null || channels === undefined) return undefined;
  const expected = channels === 1 ? 2 : channels;
  if (Array.isArray(classes) && classes.length === expected) return undefined;
  const outputs = channels === 1 ? '1 output channel' : `${channels} output channels`;
  return `classes must be ${expected} names for the model's ${outputs}, background first. Received: ${JSON.stringify(classes)}`;
}

/**
 * Writes into a model what `predictMask` must know about it, so that `model.save` keeps it.
 *
 * @param model Any layers model; other metadata of its user stays.
 * @param metadata Preprocessing, names of the classes, threshold.
 * @throws InvalidArgumentError where the metadata is illegal or names another number of classes than the model has.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { inference, models } from 'pyconvunet';
 *
 * const model = models.uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
 * inference.setMetadata(model, {
 *   formatVersion: 1,
 *   network: 'unet',
 *   preprocessing: { channels: 1, size: [128, 128], intensity: { kind: 'range', low: -160, high: 240 } },
 *   classes: ['background', 'liver'],
 *   threshold: 0.4,
 * });
 * console.log(inference.getMetadata(model)?.classes[1]); // liver
 * ```
 */
export function setMetadata(model: tfl.LayersModel, metadata: ModelMetadata): void {
  const { formatVersion } = metadata;
  const problem =
    formatVersion === 1 ? findProblem({ ...metadata }, model) : `formatVersion must be 1. Received: ${formatVersion}`;
  if (problem !== undefined) throw new InvalidArgumentError(`In a model's metadata ${problem}.`);
  model.setUserDefinedMetadata({ ...model.getUserDefinedMetadata(), [KEY]: metadata });
}

/**
 * Reads the metadata of a model.
 *
 * @param model New or loaded.
 * @returns What {@link setMetadata} or training wrote, or undefined for any other model.
 * @throws DataError where it is damaged or of a newer version of the format.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { inference, models } from 'pyconvunet';
 *
 * console.log(inference.getMetadata(models.uNet({ widths: [4, 8] }))); // undefined
 * ```
 */
export function getMetadata(model: tfl.LayersModel): ModelMetadata | undefined {
  const all: unknown = model.getUserDefinedMetadata();
  const metadata = isRecord(all) ? all[KEY] : undefined;
  if (metadata === undefined) return undefined;
  const version = isRecord(metadata) ? metadata.formatVersion : undefined;
  if (typeof version === 'number' && version > 1) {
    throw new DataError(
      `The model's metadata has formatVersion ${version}, and this version of pyconvunet reads 1. Install a newer pyconvunet.`,
    );
  }
  const problem =
    isRecord(metadata) && version === 1
      ? findProblem(metadata, model)
      : `formatVersion must be 1. Received: ${JSON.stringify(version)}`;
  if (problem !== undefined) {
    throw new DataError(
      `The model's metadata is damaged: ${problem}. Save the model again, or describe it with inference.setMetadata.`,
    );
  }
  // Every field has been checked.
  return metadata as ModelMetadata;
}
