/** How numbers are written: as many digits as their kind deserves, a dash where there is none. */

export const NONE = '–';

type Optional = number | null | undefined;

function fixed(value: Optional, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  // A minus sign, not a hyphen; and no minus before a zero.
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
}

/** A score in [0, 1]. */
export const score = (value: Optional): string => fixed(value, 4);

/** A difference of scores, with its sign. */
export const difference = (value: Optional): string => {
  const text = score(value);
  return typeof value === 'number' && Number(value.toFixed(4)) > 0 ? `+${text}` : text;
};

/** An interval of scores. */
export const interval = (value: readonly [number, number] | null | undefined): string =>
  value === null || value === undefined ? NONE : `[${score(value[0])}, ${score(value[1])}]`;

/** A distance in pixels. */
export const pixels = (value: Optional): string => fixed(value, 2);

/** A probability of a test. */
export const probability = (value: Optional): string => {
  if (typeof value === 'number' && value < 0.0001) return '< 0.0001';
  return fixed(value, 4);
};

/** A share in percent. */
export const percent = (value: Optional): string => {
  const text = fixed(typeof value === 'number' ? value * 100 : value, 1);
  return text === NONE ? text : `${text} %`;
};

/** Four digits, whatever the magnitude. */
function significant(value: Optional, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (value === 0) return '0';
  const decimals = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
  return fixed(value, Math.min(8, Math.max(0, decimals)));
}

/** Parameters in millions. */
export const millions = (value: Optional): string => significant(typeof value === 'number' ? value / 1e6 : value, 4);

/** Multiply-accumulates in thousands of millions. */
export const billions = (value: Optional): string => significant(typeof value === 'number' ? value / 1e9 : value, 4);

/** Bytes in millions. */
export const megabytes = (value: Optional): string => significant(typeof value === 'number' ? value / 1e6 : value, 3);

/** Seconds. */
export const seconds = (value: Optional): string => significant(value, 3);

/** A count, its thousands apart by a thin space that does not break. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
