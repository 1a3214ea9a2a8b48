import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../src/runtime/errors.js';
import {
  bestOf,
  type ComparedModel,
  compareModels,
  comparePaired,
  holm,
  type ModelComparison,
} from '../../../src/study/statistics/index.js';

/** A model whose case i hits 60 + gain(i) of 100 pixels. */
const model = (name: string, gain: (i: number) => number, cases = 12): ComparedModel => ({
  name,
  cases: Array.from({ length: cases }, (_, i) => {
    const tp = 60 + gain(i);
    return { name: `case ${i}`, counts: [{ tp, fp: 5, fn: 100 - tp }] };
  }),
});
const good = model('pyconvunet', (i) => 20 + (i % 5));
const middle = model('unet', (i) => 10 + (i % 7));
const poor = model('fcn8s', (i) => i % 3);

describe('compareModels', () => {
  const options = { seed: 4, resamples: 300 };

  it('compares all pairs and adjusts over all of them', () => {
    const { models, pairs } = compareModels([good, middle, poor], options);
    expect(pairs.map(({ a, b }) => [a, b])).toEqual([
      ['pyconvunet', 'unet'],
      ['pyconvunet', 'fcn8s'],
      ['unet', 'fcn8s'],
    ]);
    const expected = [
      comparePaired(good.cases, middle.cases, options),
      comparePaired(good.cases, poor.cases, options),
      comparePaired(middle.cases, poor.cases, options),
    ];
    pairs.forEach((pair, i) => {
      expect(pair).toMatchObject(expected[i]);
    });
    expect(pairs.map(({ holmP }) => holmP)).toEqual(holm(expected.map(({ p }) => p)));
    // 60 * 12 + 20 * 12 + (0 + 1 + 2 + 3 + 4) * 2 + 0 + 1 true positives.
    const tp = 981;
    expect(models[0].dice).toBeCloseTo((2 * tp) / (2 * tp + 60 + 1200 - tp), 14);
    expect(models.map(({ name }) => name)).toEqual(['pyconvunet', 'unet', 'fcn8s']);
  });

  it('counts only pairs with a p', () => {
    const twin = { ...good, name: 'twin' };
    const { pairs } = compareModels([good, twin, poor], options);
    expect(pairs[0]).toMatchObject({ p: null, holmP: null, interval: [0, 0] });
    expect(pairs[1].holmP).toBeCloseTo(2 * (pairs[1].p ?? Number.NaN), 14);
  });

  it('says what does not fit', () => {
    expect(() => compareModels([])).toThrow(
      new InvalidArgumentError('study.compareModels needs at least one model. Received: none.'),
    );
    expect(() => compareModels([good, good])).toThrow(
      "study.compareModels: every model needs a name of its own. Received: 'pyconvunet' twice. Put all seeds of a model into its cases.",
    );
    expect(() => compareModels([good, model('unet', () => 0, 3)])).toThrow(InvalidArgumentError);
  });
});

describe('bestOf', () => {
  it('names the best where it is separated from every other, wherever it stands', () => {
    for (const models of [
      [good, middle, poor],
      [poor, good, middle],
      [middle, poor, good],
    ]) {
      expect(bestOf(compareModels(models))).toEqual({ name: 'pyconvunet' });
    }
  });

  it('names none where it is not, and says from which', () => {
    const close = model('unet', (i) => 20 + ((i * 3) % 5));
    const { name, reason } = bestOf(compareModels([close, good, poor]));
    expect(name).toBeNull();
    expect(reason).toMatch(
      /^(unet is not separated from pyconvunet|pyconvunet is not separated from unet) \(difference 0\.\d{3} \[-0\.\d{3}, 0\.\d{3}\], Holm p [\d.]+\)$/,
    );
  });

  const comparison = (pair: Partial<ModelComparison['pairs'][number]>): ModelComparison => ({
    models: [
      { name: 'pyconvunet', dice: 0.9 },
      { name: 'unet', dice: 0.903 },
    ],
    pairs: [
      {
        a: 'pyconvunet',
        b: 'unet',
        difference: -0.003,
        interval: [-0.017, 0.01],
        level: 0.95,
        p: 0.41,
        holmP: 0.41,
        method: 'exact',
        ranksFavour: 'b',
        unit: 'image',
        n: 60,
        ...pair,
      },
    ],
  });

  it('turns the pair round so that the leading model comes first', () => {
    expect(bestOf(comparison({}))).toEqual({
      name: null,
      reason: 'unet is not separated from pyconvunet (difference 0.003 [-0.010, 0.017], Holm p 0.41)',
    });
  });

  it('needs p, interval and ranks together', () => {
    const clear = { p: 0.0004, holmP: 0.0004, interval: [-0.005, -0.001] as const };
    expect(bestOf(comparison(clear))).toEqual({ name: 'unet' });
    expect(bestOf(comparison({ ...clear, holmP: 0.05 })).reason).toBe(
      'unet is not separated from pyconvunet (difference 0.003 [0.001, 0.005], Holm p 0.050)',
    );
    expect(bestOf(comparison({ ...clear, interval: [-0.005, 0] })).reason).toBe(
      'unet is not separated from pyconvunet (difference 0.003 [0.000, 0.005], Holm p < 0.001)',
    );
    expect(bestOf(comparison({ ...clear, ranksFavour: 'a' })).reason).toBe(
      'unet is not separated from pyconvunet (difference 0.003 [0.001, 0.005], Holm p < 0.001, most signed ranks favour pyconvunet)',
    );
  });

  it('gives the reason why there is no interval or p', () => {
    const one = bestOf(compareModels([model('unet', () => 1, 1), model('fcn8s', () => 0, 1)]));
    expect(one).toEqual({
      name: null,
      reason:
        'unet is not separated from fcn8s (difference 0.008; there is one image; an interval and a test need at least two independent images)',
    });
    expect(bestOf(compareModels([good])).reason).toBe('pyconvunet has no other model beside it');
    const empty = [{ name: 'case', counts: [{ tp: 0, fp: 0, fn: 0 }] }];
    const nothing = compareModels(
      [
        { name: 'x', cases: empty },
        { name: 'y', cases: empty },
      ],
      { emptyPolicy: 'ignore' },
    );
    expect(bestOf(nothing)).toEqual({ name: null, reason: 'no model has a Dice over the whole set' });
  });
});
