/** The parts of a study: a subset that tears no group, splits, folds, blocks and a test part. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sample } from '../../src/data/index.js';
import { partsOfStudy, subset } from '../../src/study/parts.js';

function sample(name: string, group?: string): Sample {
  const pixels = { width: 1, height: 1, channels: 1, image: new Float32Array(1), mask: new Uint8Array(1) };
  return { name, ...(group === undefined ? {} : { group }), ...pixels };
}

/** Samples of groups of these sizes; a size of 0 stands for a sample without a group. */
const grouped = (sizes: readonly number[]): Sample[] =>
  sizes.flatMap((size, g) =>
    size === 0 ? [sample(`alone${g}`)] : Array.from({ length: size }, (_, i) => sample(`g${g}_s${i}`, `g${g}`)),
  );

const names = (samples: readonly Sample[]): string[] => samples.map(({ name }) => name);
const sizes = fc.array(fc.nat(5), { minLength: 1, maxLength: 12 });

describe('subset', () => {
  it('keeps groups whole, at most so many, in the order of the samples, the same for a seed', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 40 }), fc.integer(), (shape, most, seed) => {
        const samples = grouped(shape);
        const chosen = subset(samples, most, { seed, blocks: false });
        expect(chosen.length).toBeLessThanOrEqual(most);
        const names_ = new Set(names(chosen));
        expect(names(samples.filter(({ name }) => names_.has(name)))).toEqual(names(chosen));
        for (const { group } of chosen) {
          if (group === undefined) continue;
          const whole = samples.filter((each) => each.group === group);
          expect(whole.every(({ name }) => names_.has(name))).toBe(true);
        }
        // What was left out would not fit.
        const left = samples.filter(({ name }) => !names_.has(name));
        for (const { group } of left) {
          const size = group === undefined ? 1 : samples.filter((each) => each.group === group).length;
          expect(chosen.length + size).toBeGreaterThan(most);
        }
        expect(subset(samples, most, { seed, blocks: false })).toEqual(chosen);
      }),
    );
  });

  it('is another one for another seed', () => {
    const samples = grouped(Array.from({ length: 20 }, () => 0));
    const drawn = [0, 1, 2, 3].map((seed) => names(subset(samples, 5, { seed, blocks: false })).join());
    expect(new Set(drawn).size).toBe(4);
    expect(drawn.every((each) => each.split(',').length === 5)).toBe(true);
  });
});

describe('partsOfStudy', () => {
  const config = { splitSeed: 3, validation: 0.2, test: 0, folds: null };
  const samples = grouped(Array.from({ length: 10 }, () => 2));

  it('is one split without folds', () => {
    const [parts, ...rest] = partsOfStudy(samples, config, false);
    expect(rest).toEqual([]);
    expect([parts?.train.length, parts?.validation.length, parts?.test.length]).toEqual([16, 4, 0]);
  });

  it('has with folds every sample once for validation, groups whole, the test part the same', () => {
    const folds = partsOfStudy(samples, { ...config, test: 0.2, folds: 4 }, false);
    expect(folds).toHaveLength(4);
    const test = names(folds[0]?.test ?? []);
    expect(test).toHaveLength(4);
    for (const { train, validation, test: own } of folds) {
      expect(names(own)).toEqual(test);
      expect(new Set(names([...train, ...validation, ...own])).size).toBe(20);
      const groups = new Set(validation.map(({ group }) => group));
      expect(train.some(({ group }) => groups.has(group))).toBe(false);
    }
    expect(names(folds.flatMap(({ validation }) => validation)).sort()).toEqual(
      names(samples)
        .filter((name) => !test.includes(name))
        .sort(),
    );
  });

  it('takes blocks of neighbours where it is one specimen', () => {
    const sections = Array.from({ length: 12 }, (_, i) => sample(`s${i}`, 'stack'));
    const at = ({ name }: Sample) => Number(name.slice(1));
    const contiguous = (part: readonly Sample[]) =>
      part.every((each, i) => i === 0 || at(each) === at(part[i - 1] ?? each) + 1);
    const [parts] = partsOfStudy(sections, { ...config, validation: 0.25, test: 0.25 }, true);
    expect([parts?.train.length, parts?.validation.length, parts?.test.length]).toEqual([6, 3, 3]);
    expect(contiguous(parts?.validation ?? [])).toBe(true);
    expect(contiguous(parts?.test ?? [])).toBe(true);
    const folds = partsOfStudy(sections, { ...config, folds: 3 }, true);
    expect(folds.map(({ validation }) => validation.map(at))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10, 11],
    ]);
    expect(folds.map(({ train }) => train.length)).toEqual([8, 8, 8]);
  });

  it('does not depend on the seed of a network, only on the split seed', () => {
    const validation = (splitSeed: number) =>
      names(partsOfStudy(samples, { ...config, splitSeed }, false)[0]?.validation ?? []);
    expect(validation(3)).toEqual(validation(3));
    expect([0, 1, 2].some((seed) => validation(seed).join() !== validation(3).join())).toBe(true);
  });
});
