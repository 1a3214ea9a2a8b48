/** The two blocks of MultiResUNet. */
import type { FeatureMap } from './apply.js';
import { convolution } from './convolution.js';
import { add, concatenate, relu } from './merging.js';
import { normalization } from './normalization.js';

/** A convolution without bias, normalised without scale; layers `scope/conv` and `scope/norm`. */
export function convolutionNorm(
  seed: number,
  x: FeatureMap,
  options: { scope: string; filters: number; kernelSize: number; activation: 'linear' | 'relu' },
): FeatureMap {
  const { scope, filters, kernelSize, activation } = options;
  const y = convolution(seed, x, { name: `${scope}/conv`, filters, kernelSize, useBias: false });
  return normalization(y, { name: `${scope}/norm`, activation, scale: false });
}

/**
 * Three 3x3 convolutions in a row whose outputs are concatenated, in place of kernels 3, 5 and 7, with a 1x1 shortcut
 * (Ibtehaz and Rahman 2020).
 *
 * @param parts Channels of the three convolutions.
 */
export function multiResBlock(
  seed: number,
  input: FeatureMap,
  scope: string,
  parts: readonly [number, number, number],
): FeatureMap {
  const step = (x: FeatureMap, i: 0 | 1 | 2) =>
    convolutionNorm(seed, x, {
      scope: `${scope}/conv${3 + 2 * i}`,
      filters: parts[i],
      kernelSize: 3,
      activation: 'relu',
    });
  const three = step(input, 0);
  const five = step(three, 1);
  const seven = step(five, 2);
  const all = normalization(concatenate([three, five, seven], `${scope}/concatParts`), {
    name: `${scope}/concatNorm`,
    activation: 'linear',
  });
  const filters = parts[0] + parts[1] + parts[2];
  const shortcut = convolutionNorm(seed, input, {
    scope: `${scope}/shortcut`,
    filters,
    kernelSize: 1,
    activation: 'linear',
  });
  const sum = relu(add([shortcut, all], `${scope}/add`), `${scope}/relu`);
  return normalization(sum, { name: `${scope}/norm`, activation: 'linear' });
}

/** Residual units on the way of a skip, each a 3x3 convolution beside a 1x1 convolution. */
export function resPath(
  seed: number,
  input: FeatureMap,
  { scope, filters, length }: { scope: string; filters: number; length: number },
): FeatureMap {
  let x = input;
  for (let i = 1; i <= length; i++) {
    const unit = `${scope}/unit${i}`;
    const shortcut = convolutionNorm(seed, x, {
      scope: `${unit}/shortcut`,
      filters,
      kernelSize: 1,
      activation: 'linear',
    });
    const conv = convolutionNorm(seed, x, { scope: `${unit}/conv3`, filters, kernelSize: 3, activation: 'relu' });
    const sum = relu(add([shortcut, conv], `${unit}/add`), `${unit}/relu`);
    x = normalization(sum, { name: `${unit}/norm`, activation: 'linear' });
  }
  return x;
}
