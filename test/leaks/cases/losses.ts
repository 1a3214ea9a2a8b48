/** Leak cases of the losses: value and gradient, from logits and from probabilities. */
import * as tf from '@tensorflow/tfjs-core';
import { losses } from '../../../src/index.js';
import { withGradients } from '../inputs.js';
import type { LeakCases } from '../leakCase.js';

type Make = (options: { fromLogits: boolean }) => losses.Loss;

function exercise(make: Make, channels: readonly number[] = [1, 3]): void {
  for (const fromLogits of [true, false]) {
    for (const count of channels) {
      const labels = tf.tensor4d([0, 1, 1, 0], [1, 2, 2, 1]);
      const loss = make({ fromLogits });
      withGradients([tf.fill([1, 2, 2, count], 1 / count)], (yPred) => loss(labels, yPred));
      labels.dispose();
    }
  }
}

export const cases: LeakCases = {
  binaryCrossentropy: () => exercise(losses.binaryCrossentropy, [1]),
  categoricalCrossentropy: () => exercise(losses.categoricalCrossentropy, [3]),
  crossentropy: () => exercise(losses.crossentropy),
  dice: () => exercise(losses.dice),
  bceDice: () => exercise(losses.bceDice),
  focal: () => exercise(losses.focal),
  tversky: () => exercise(losses.tversky),
  lovasz: () => exercise(losses.lovasz),
  generalizedDice: () => exercise(losses.generalizedDice),
  create: () => {
    for (const name of losses.names) exercise((options) => losses.create(name, options));
  },
};
