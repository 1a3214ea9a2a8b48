import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allForeground,
  bestThreshold,
  chooseOtsuPolarity,
  chooseThreshold,
  chooseTrivialRules,
  otsu,
  otsuThreshold,
  type TrivialSample,
  trivialPredictors,
} from '../../src/metrics/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { oracle } from './oracle.js';

const sampleOf = (values: readonly number[], labels: readonly number[], channels = 1): TrivialSample => ({
  image: Float32Array.from(values),
  mask: Uint8Array.from(labels),
  width: labels.length,
  height: 1,
  channels,
});

/** Dice and mean IoU over a set, from the definitions. */
function scores(samples: readonly TrivialSample[], isForeground: (value: number) => boolean) {
  const pixels = samples.flatMap((s) =>
    Array.from(s.image, (value, i) => [isForeground(value), s.mask[i] > 0] as const),
  );
  const count = (p: boolean, t: boolean) => pixels.filter(([a, b]) => a === p && b === t).length;
  const [tp, fp, fn, tn] = [count(true, true), count(true, false), count(false, true), count(false, false)];
  const ratio = (a: number, b: number) => (b === 0 ? 1 : a / b);
  return { dice: ratio(2 * tp, 2 * tp + fp + fn), meanIoU: (ratio(tp, tp + fp + fn) + ratio(tn, tn + fp + fn)) / 2 };
}

describe('otsuThreshold', () => {
  it.each(oracle.otsu.map((entry, i) => [i, entry] as const))('equals scikit-image: case %i', (_, entry) => {
    const values = Float32Array.from(entry.values);
    const threshold = otsuThreshold(values);
    expect(threshold).toBeCloseTo(entry.threshold, 6);
    expect(values.filter((value) => value > threshold).length).toBe(entry.bright);
  });

  it('calls nothing bright in an image with one grey value', () => {
    expect(otsuThreshold(new Float32Array([0.25, 0.25]))).toBe(0.25);
  });
});

describe('trivial predictors', () => {
  const bright = [sampleOf([-1, -0.9, 0.5, 0.6], [0, 0, 1, 1]), sampleOf([-0.8, -0.7, 0.1, 0.9], [0, 0, 1, 1])];
  const dark = bright.map((s) => ({ ...s, mask: s.mask.map((v) => 1 - v) }));

  it('score all foreground', () => {
    expect(allForeground([sampleOf([0, 0, 0, 0], [1, 0, 0, 0])])).toEqual({ dice: 0.4, meanIoU: 0.125 });
    expect(allForeground([sampleOf([0, 0], [1, 1])])).toEqual({ dice: 1, meanIoU: 1 });
    expect(allForeground([sampleOf([0, 0], [1, 1])], 'zero')).toEqual({ dice: 1, meanIoU: 0.5 });
    expect(allForeground([sampleOf([0, 0], [2, 1])], 'ignore')).toEqual({ dice: 1, meanIoU: 1 });
  });

  it('choose the polarity on the training samples, not on those scored', () => {
    expect(otsu(chooseOtsuPolarity(bright), bright)).toEqual({ dice: 1, meanIoU: 1, polarity: 'bright' });
    expect(otsu(chooseOtsuPolarity(dark), dark)).toEqual({ dice: 1, meanIoU: 1, polarity: 'dark' });
    expect(otsu(chooseOtsuPolarity(bright), dark)).toEqual({ dice: 0, meanIoU: 0, polarity: 'bright' });
    expect(bestThreshold(chooseThreshold(dark), bright)).toEqual({
      dice: 0,
      meanIoU: 0,
      polarity: 'dark',
      threshold: Math.fround(-0.7),
    });
  });

  it('find the best threshold that exists', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.nat(1)), { minLength: 1, maxLength: 40 }),
        (pixels) => {
          const samples = [
            sampleOf(
              pixels.map(([value]) => value / 20),
              pixels.map(([, label]) => label),
            ),
          ];
          fc.pre(pixels.some(([, label]) => label === 1));
          const { threshold, polarity } = chooseThreshold(samples);
          let best = 0;
          for (const t of samples[0].image) {
            best = Math.max(best, scores(samples, (v) => v >= t).dice, scores(samples, (v) => v <= t).dice);
          }
          const received = bestThreshold(chooseThreshold(samples), samples);
          expect(received.dice).toBeCloseTo(best, 12);
          const rule = polarity === 'bright' ? (v: number) => v >= threshold : (v: number) => v <= threshold;
          expect(received).toEqual({ ...scores(samples, rule), threshold, polarity });
        },
      ),
      { numRuns: 50, seed: 8 },
    );
  });

  it('separate 16-bit values one step apart', () => {
    const step = 2 / 65_535;
    const values = [-1, -1 + step, 0, step, 1 - step, 1];
    expect(
      bestThreshold(chooseThreshold([sampleOf(values, [0, 0, 0, 1, 1, 1])]), [sampleOf(values, [0, 0, 0, 1, 1, 1])]),
    ).toMatchObject({
      dice: 1,
      polarity: 'bright',
    });
  });

  it('use the mean of several channels', () => {
    const colour = [sampleOf([0.2, 0.4, 0.9, 0.9, -0.3, 0.4], [1, 1, 0], 2)];
    expect(bestThreshold(chooseThreshold(colour), colour)).toEqual({
      dice: 1,
      meanIoU: 1,
      polarity: 'bright',
      threshold: Math.fround((Math.fround(0.2) + Math.fround(0.4)) / 2),
    });
  });

  it('stand side by side', () => {
    expect(trivialPredictors(chooseTrivialRules(bright), bright)).toEqual({
      allForeground: { dice: 2 / 3, meanIoU: 0.25 },
      otsu: { dice: 1, meanIoU: 1, polarity: 'bright' },
      bestThreshold: { dice: 1, meanIoU: 1, polarity: 'bright', threshold: Math.fround(0.1) },
    });
  });

  it('say what they need', () => {
    expect(() => allForeground([])).toThrow(
      new InvalidArgumentError('metrics.allForeground needs at least one sample. Received: none.'),
    );
    expect(() => otsu('bright', [])).toThrow('metrics.otsu needs at least one sample. Received: none.');
    expect(() => bestThreshold(chooseThreshold(bright), [])).toThrow(
      'metrics.bestThreshold needs at least one sample. Received: none.',
    );
    expect(() => chooseThreshold([])).toThrow('metrics.chooseThreshold needs at least one sample. Received: none.');
    expect(() => allForeground([sampleOf([0, 0, 0], [0, 1])])).toThrow(
      'metrics: a sample of 2x1 pixels and 1 channels needs 2 values and 2 labels. Received: 3 values and 2 labels.',
    );
  });
});
