/** Parsers of option values; an illegal one is bad usage. */
import { InvalidArgumentError } from 'commander';
import { grouping } from '../data/index.js';
import { messageOf } from '../runtime/sentences.js';
import { MOST_THREADS } from '../runtime/threads.js';

const refuse = (sentence: string): never => {
  throw new InvalidArgumentError(sentence);
};

function integer(text: string, least: number, what: string): number {
  const value = Number(text);
  return text.trim() !== '' && Number.isInteger(value) && value >= least ? value : refuse(`It must be ${what}.`);
}

export const count = (text: string): number => integer(text, 1, 'a whole number of at least 1');

export const classes = (text: string): number => integer(text, 2, 'a whole number of at least 2');

export const folds = (text: string): number => integer(text, 2, 'a whole number of at least 2');

export const seed = (text: string): number => integer(text, Number.MIN_SAFE_INTEGER, 'a whole number');

function number(text: string): number {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : refuse('It must be a number.');
}

export const positive = (text: string): number => {
  const value = number(text);
  return value > 0 ? value : refuse('It must be above 0.');
};

/** A share that may be none. */
export const share = (text: string): number => {
  const value = number(text);
  return value >= 0 && value < 1 ? value : refuse('It must be at least 0 and below 1.');
};

/** A probability or share that is neither none nor all. */
export const fraction = (text: string): number => {
  const value = number(text);
  return value > 0 && value < 1 ? value : refuse('It must lie between 0 and 1.');
};

export const threads = (text: string): number => {
  const value = count(text);
  return value <= MOST_THREADS ? value : refuse(`It must be at most ${MOST_THREADS}.`);
};

/** Several numbers of threads, each once. */
export const severalThreads = (text: string): number[] => {
  const values = text.split(',').map(threads);
  return new Set(values).size === values.length ? values : refuse('Each number may stand once.');
};

export const widths = (text: string): number[] => {
  const values = text.split(',').map(count);
  return values.length >= 2 ? values : refuse('It must hold at least two numbers, such as 16,32,64.');
};

export const window = (text: string): [number, number] => {
  const [centre, width, ...rest] = text.split(',').map(number);
  return centre !== undefined && width !== undefined && width > 0 && rest.length === 0
    ? [centre, width]
    : refuse('It must be CENTRE,WIDTH with a width above 0, such as -300,1400.');
};

/** Whole numbers above 0 with an x between them; none where the text is anything else. */
const sides = (text: string): number[] =>
  /^[1-9]\d*(x[1-9]\d*)*$/i.test(text) ? text.toLowerCase().split('x').map(Number) : [];

/** 64 or 64x96 (height x width). */
export const size = (text: string): [number, number] => {
  const [height, width = height, ...rest] = sides(text);
  return height !== undefined && width !== undefined && rest.length === 0
    ? [height, width]
    : refuse('It must be N or HEIGHTxWIDTH, such as 128 or 96x128.');
};

/** 512x512x3: height, width, channels. */
export const inputShape = (text: string): [number, number, number] => {
  const [height, width, channels, ...rest] = sides(text);
  return height !== undefined && width !== undefined && channels !== undefined && rest.length === 0
    ? [height, width, channels]
    : refuse('It must be HEIGHTxWIDTHxCHANNELS, such as 512x512x3.');
};

/** 'volume' or a regular expression. */
export const groupBy = (text: string): string => {
  try {
    grouping(text);
    return text;
  } catch (error) {
    return refuse(messageOf(error));
  }
};

/** One of a list. */
export const oneOf =
  <T extends string>(names: readonly T[]) =>
  (text: string): T =>
    names.find((name) => name === text) ?? refuse(`It must be one of ${names.join(', ')}.`);

/** Several of a list, by commas. */
export const someOf =
  <T extends string>(names: readonly T[]) =>
  (text: string): T[] =>
    text.split(',').map(oneOf(names));

export const seeds = (text: string): number[] => text.split(',').map(seed);

/** An option that may be given again. */
export const collect = (text: string, before: readonly string[] = []): string[] => [...before, text];
