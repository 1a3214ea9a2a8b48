/** Numbers as figures write them: short on the drawing, exact where there is room. */

const UNITS: readonly (readonly [least: number, unit: string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Three significant digits and a unit's letter: 4.11 M, 21.7 G; below a thousand the number itself. */
export function short(value: number): string {
  // What rounds to 1000 of a unit is 1 of the next.
  const entry = UNITS.find(([least]) => value >= least * 0.9995);
  if (entry === undefined) return String(value);
  const scaled = value / entry[0];
  const digits = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
  return `${scaled.toFixed(digits)} ${entry[1]}`;
}

/** Every digit, in threes. */
export const exact = (value: number): string => value.toLocaleString('en-US');

/** Multiply-accumulates: 2.57 GMAC. */
export const macsText = (value: number): string => {
  const number = short(value);
  return /[GMk]$/.test(number) ? `${number}MAC` : `${number} MAC`;
};

/** 512×512×32: height, width, channels. */
export const sizeText = (sizes: readonly number[]): string => sizes.join('×');

/** A count with its word. */
export const plural = (count: number, word: string): string => `${exact(count)} ${word}${count === 1 ? '' : 's'}`;
