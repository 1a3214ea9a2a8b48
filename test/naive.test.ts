/** The oracle of the gradients held to central differences of its own forward pass, all in float64. */
import { expect, it } from 'vitest';
import { type NaiveConv, naivePyConv, naivePyConvGradients, relativeError } from './naive.js';

it('the naive gradients are the central differences of the naive convolution', () => {
  const wave = (length: number, phase: number) => Float64Array.from({ length }, (_, i) => Math.cos(phase + 1.7 * i));
  const level = (kernelSize: number, groups: number, filters: number, before: [number, number]) => ({
    kernelSize,
    groups,
    filters,
    before,
    filter: wave(kernelSize ** 2 * (4 / groups) * filters, kernelSize),
  });
  const conv: NaiveConv = {
    shape: [2, 5, 4, 4],
    output: [3, 4],
    strides: [2, 1],
    dilations: [1, 2],
    levels: [level(3, 2, 2, [1, 2]), level(5, 4, 4, [2, 4])],
  };
  const x = wave(2 * 5 * 4 * 4, 0.3);
  const dy = wave(2 * 3 * 4 * 6, 0.9);
  const loss = () => naivePyConv(conv, x).reduce((sum, y, i) => sum + y * (dy[i] ?? 0), 0);
  const differences = (values: Float64Array) =>
    values.map((value, i) => {
      const step = 1e-4;
      values[i] = value + step;
      const above = loss();
      values[i] = value - step;
      const below = loss();
      values[i] = value;
      return (above - below) / (2 * step);
    });
  const { dx, dfilters } = naivePyConvGradients(conv, x, dy);
  expect(relativeError(dx, differences(x))).toBeLessThan(1e-9);
  for (const [i, { filter }] of conv.levels.entries()) {
    expect(relativeError(dfilters[i] ?? [], differences(filter))).toBeLessThan(1e-9);
  }
});
