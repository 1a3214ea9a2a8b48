/** Parsers of option values; an illegal one is bad usage. */
import { InvalidArgumentError } from 'commander';

function integer(text: string, least: number, what: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < least) {
    throw new InvalidArgumentError(`It must be ${what}.`);
  }
  return value;
}

export const count = (text: string): number => integer(text, 1, 'a whole number of at least 1');

export const seed = (text: string): number => integer(text, Number.MIN_SAFE_INTEGER, 'a whole number');

export const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
};

export const share = (text: string): number => {
  const value = number(text);
  if (value < 0 || value >= 1) throw new InvalidArgumentError('It must be at least 0 and below 1.');
  return value;
};

export const probability = (text: string): number => {
  const value = number(text);
  if (value <= 0 || value >= 1) throw new InvalidArgumentError('It must lie between 0 and 1.');
  return value;
};

export const widths = (text: string): number[] => {
  const values = text.split(',').map(count);
  if (values.length < 2) throw new InvalidArgumentError('It must hold at least two numbers, such as 16,32,64.');
  return values;
};

export const window = (text: string): [number, number] => {
  const [centre, width, ...rest] = text.split(',').map(number);
  if (centre === undefined || width === undefined || width <= 0 || rest.length > 0) {
    throw new InvalidArgumentError('It must be CENTRE,WIDTH with a width above 0, such as -300,1400.');
  }
  return [centre, width];
};

/** 64 or 64x96 (height x width). */
export const size = (text: string): [number, number] => {
  const parts = text.toLowerCase().split('x').map(count);
  const [height, width = height, ...rest] = parts;
  if (height === undefined || width === undefined || rest.length > 0) {
    throw new InvalidArgumentError('It must be N or HEIGHTxWIDTH, such as 128 or 96x128.');
  }
  return [height, width];
};

/** 512x512x3: height, width, channels. */
export const inputShape = (text: string): [number, number, number] => {
  const [height, width, channels, ...rest] = text.toLowerCase().split('x').map(count);
  if (height === undefined || width === undefined || channels === undefined || rest.length > 0) {
    throw new InvalidArgumentError('It must be HEIGHTxWIDTHxCHANNELS, such as 512x512x3.');
  }
  return [height, width, channels];
};

/** One of a list. */
export const oneOf =
  <T extends string>(names: readonly T[]) =>
  (text: string): T => {
    const found = names.find((name) => name === text);
    if (found === undefined) throw new InvalidArgumentError(`It must be one of ${names.join(', ')}.`);
    return found;
  };
