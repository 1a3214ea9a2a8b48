/** Leak cases of augmentation, which moves plain arrays. */
import { augment } from '../../../src/index.js';
import { sample } from '../inputs.js';
import type { LeakCases } from '../leakCase.js';

export const cases: LeakCases = {
  flipHorizontal: () => augment.flipHorizontal().apply(sample()),
  flipVertical: () => augment.flipVertical().apply(sample()),
  rotate90: () => augment.rotate90().apply(sample()),
  rotate180: () => augment.rotate180().apply(sample()),
  compose: () => augment.compose([augment.rotate90(), augment.flipVertical()]).apply(sample()),
  fromJSON: () => augment.fromJSON({ name: 'rotate90' }).apply(sample()),
  expand: () => augment.expand([sample()]).map(({ image }) => image),
  random: () => augment.random([sample()], { seed: 1, epoch: 1, step: 0 }),
};
