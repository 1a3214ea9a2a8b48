/** The options that every network takes, their defaults and their checks. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { deriveSeed } from '../runtime/random.js';
import { checkKeys } from '../spec/index.js';

/** Options of every network. */
export interface NetworkOptions {
  /** [height, width, channels]; null leaves a size free. Default [null, null, 3]. */
  readonly inputShape?: readonly [number | null, number | null, number];
  /** Channels of each stage from the full resolution down, at least two: they set depth and width. Default: the paper's. */
  readonly widths?: readonly number[];
  /** 1 (default): one sigmoid map, the foreground. More: a softmax over that many classes. */
  readonly numClasses?: number;
  /** 'probabilities' (default), or 'logits': the network ends before its sigmoid or softmax. */
  readonly head?: 'probabilities' | 'logits';
  /** Share of the deepest stage's values that is dropped in training (Ronneberger et al. 2015), in [0, 1). Default 0: no such layer. */
  readonly dropout?: number;
  /** Seed of the initial weights and of dropout: any whole number, 0 included. Default: drawn at random. */
  readonly seed?: number;
  /** Name of the model. Default: the network's own. */
  readonly name?: string;
}

/** {@link NetworkOptions} with every default filled in. */
export type ResolvedOptions = Required<NetworkOptions>;

/** What distinguishes a network for its options and messages. */
export interface NetworkKind {
  /** Name of the model where the options give none; legal as the name of a tensor. */
  readonly name: string;
  /** The network as messages call it. */
  readonly title: string;
  readonly widths: readonly number[];
  /** Options besides {@link NetworkOptions}. */
  readonly ownOptions?: readonly string[];
}

const COMMON_OPTIONS = ['inputShape', 'widths', 'numClasses', 'head', 'dropout', 'seed', 'name'];

/** Whether a value is a whole number above 0. */
export const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0;

const show = (value: unknown) => JSON.stringify(value) ?? String(value);

/** Checks one number per stage. */
export function checkStages(title: string, option: string, values: unknown, stages?: number): void {
  const legal = Array.isArray(values) && values.every(isCount) && values.length === (stages ?? values.length);
  if (!legal || values.length < 2) {
    const count = stages === undefined ? 'at least two positive whole numbers' : `${stages} positive whole numbers`;
    throw new InvalidArgumentError(
      `${option} of ${title} must hold ${count}, one for each stage from the full resolution down. Received: ${option}=${show(values)}.`,
    );
  }
}

function checkInputShape(title: string, shape: unknown): void {
  const [height, width, channels] = Array.isArray(shape) ? shape : [];
  const isSize = (size: unknown) => size === null || isCount(size);
  if (!Array.isArray(shape) || shape.length !== 3 || !isSize(height) || !isSize(width) || !isCount(channels)) {
    throw new InvalidArgumentError(
      `inputShape of ${title} must be [height, width, channels], where height and width may be null. Received: inputShape=${show(shape)}.`,
    );
  }
}

/**
 * Fills in the defaults of a network's options and checks them.
 *
 * @throws InvalidArgumentError naming the option, what was received and what is legal.
 */
export function resolveOptions(kind: NetworkKind, options: NetworkOptions): ResolvedOptions {
  const { title } = kind;
  checkKeys(title, options, [...COMMON_OPTIONS, ...(kind.ownOptions ?? [])]);
  const {
    inputShape = [null, null, 3],
    widths = kind.widths,
    numClasses = 1,
    head = 'probabilities',
    dropout = 0,
    seed = Math.floor(Math.random() * 2 ** 31),
    name = kind.name,
  } = options;
  checkInputShape(title, inputShape);
  checkStages(title, 'widths', widths);
  if (!isCount(numClasses)) {
    throw new InvalidArgumentError(
      `numClasses of ${title} must be 1 (foreground against background) or the number of classes. Received: numClasses=${show(numClasses)}.`,
    );
  }
  if (head !== 'probabilities' && head !== 'logits') {
    throw new InvalidArgumentError(
      `head of ${title} must be 'probabilities' or 'logits'. Received: head=${show(head)}.`,
    );
  }
  if (!(dropout >= 0 && dropout < 1)) {
    throw new InvalidArgumentError(`dropout of ${title} must be in [0, 1). Received: dropout=${show(dropout)}.`);
  }
  // Refuses a seed that is no whole number.
  deriveSeed(seed);
  return { inputShape, widths, numClasses, head, dropout, seed, name };
}
