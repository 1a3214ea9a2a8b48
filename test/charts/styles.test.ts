/** The colours of the series: told apart from each other by the colour-blind, and from the paper, in both themes. */
import { describe, expect, it } from 'vitest';
import { PAPER, SERIES_COLOURS, seriesStyle } from '../../src/charts/styles.js';

type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

/** Linear RGB as seen without one kind of cones (Machado, Oliveira, Fernandes 2009, severity 1). */
const VISION: Readonly<Record<string, Matrix>> = {
  full: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
/** From linear RGB to the cones, and from their cube roots to OKLab (Ottosson 2020). */
const CONES: Matrix = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const LAB: Matrix = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

const times = (matrix: Matrix, [a, b, c]: Triple): Triple => {
  const [x, y, z] = matrix.map((row) => row[0] * a + row[1] * b + row[2] * c);
  return [x ?? 0, y ?? 0, z ?? 0];
};
const map = ([a, b, c]: Triple, f: (value: number) => number): Triple => [f(a), f(b), f(c)];

function linear(hex: string): Triple {
  const channel = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16) / 255;
  return map([channel(1), channel(3), channel(5)], (value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  );
}
const luminance = ([r, g, b]: Triple) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const oklab = (colour: Triple) =>
  times(
    LAB,
    map(
      times(
        CONES,
        map(colour, (v) => Math.min(1, Math.max(0, v))),
      ),
      Math.cbrt,
    ),
  );

function contrast(a: string, b: string): number {
  const [dark = 0, bright = 0] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  const colours = SERIES_COLOURS.map((each) => each[theme]);

  it('every colour has a contrast of 3:1 to the paper', () => {
    for (const colour of colours) expect(contrast(colour, PAPER[theme])).toBeGreaterThan(3);
  });

  it.each(Object.entries(VISION))('no two are alike in %s', (_name, matrix) => {
    const seen = colours.map((colour) => oklab(times(matrix, linear(colour))));
    seen.forEach((a, i) => {
      for (const b of seen.slice(i + 1)) {
        // Two colours of distance 0.02 are just told apart side by side; lines and dots need far more.
        expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])).toBeGreaterThan(0.13);
      }
    });
  });
});

it('a symbol and a dash belong to each colour, and colours that come again have others', () => {
  const styles = Array.from({ length: 14 }, (_, i) => seriesStyle(i));
  expect(new Set(styles.map(({ colour, symbol }) => `${colour} ${symbol}`)).size).toBe(14);
  expect(new Set(styles.slice(0, 7).map(({ symbol }) => symbol)).size).toBe(7);
  expect(new Set(styles.slice(0, 7).map(({ dash }) => dash)).size).toBe(7);
});
