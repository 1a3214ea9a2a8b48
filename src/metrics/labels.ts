/** Class numbers from what a network or a mask gives: probabilities, one-hot maps or labels, on the host. */
import { InvalidArgumentError } from '../runtime/errors.js';

/** Numbers as tensors and typed arrays hold them. */
export type Values = Uint8Array | Uint8ClampedArray | Uint16Array | Int32Array | Float32Array;

/** Labels as they are, checked to be 0..numClasses-1. */
export function labelsAsGiven(name: string, values: Values, numClasses: number): Uint8Array {
  const labels = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isInteger(value) || value < 0 || value >= numClasses) {
      throw new InvalidArgumentError(
        `ConfusionMatrix: ${name} must hold labels 0..${numClasses - 1}. Received: ${value} at index ${i}. ` +
          (numClasses === 2
            ? 'Bring a mask of 0 and 255 to 0 and 1 first.'
            : 'Set numClasses to the number of classes.'),
      );
    }
    labels[i] = value;
  }
  return labels;
}

function refuseNaN(name: string, index: number): never {
  throw new InvalidArgumentError(
    `ConfusionMatrix: ${name} must hold numbers. Received: NaN at index ${index}. Look for a training run that diverged.`,
  );
}

/** 1 where a value is at least `least`, else 0. */
export function labelsFromThreshold(name: string, values: Values, least: number): Uint8Array {
  const labels = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) refuseNaN(name, i);
    labels[i] = value >= least ? 1 : 0;
  }
  return labels;
}

/** The channel with the largest value at each pixel, the first of equals; channels lie innermost. */
export function labelsFromChannels(name: string, values: Values, channels: number): Uint8Array {
  const labels = new Uint8Array(values.length / channels);
  for (let pixel = 0; pixel < labels.length; pixel++) {
    const start = pixel * channels;
    let best = 0;
    for (let channel = 0; channel < channels; channel++) {
      const value = values[start + channel];
      if (Number.isNaN(value)) refuseNaN(name, start + channel);
      if (value > values[start + best]) best = channel;
    }
    labels[pixel] = best;
  }
  return labels;
}

/** How often each pair of classes occurs: `counts[truth * numClasses + prediction]`. */
export function countPairs(
  truth: Uint8Array,
  prediction: Uint8Array,
  numClasses: number,
  range: { readonly begin: number; readonly end: number } = { begin: 0, end: truth.length },
): Float64Array {
  const counts = new Float64Array(numClasses * numClasses);
  for (let i = range.begin; i < range.end; i++) counts[truth[i] * numClasses + prediction[i]]++;
  return counts;
}
