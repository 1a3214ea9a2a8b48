/** The numbers of test/oracles/study.json, typed. */
import { readFileSync } from 'node:fs';

interface Oracle {
  wilcoxon: { differences: number[]; statistic: number; p: number }[];
  /** [z, two-sided p]. */
  normal: [number, number][];
  holm: { p: number[]; adjusted: number[] }[];
  summary: { values: number[]; mean: number; sd: number; median: number; min: number; max: number }[];
  comparisons: {
    seed: number;
    resamples: number;
    level: number;
    groups: (string | null)[];
    n: number;
    /** `a[image][seed]` is [tp, fp, fn]. */
    a: [number, number, number][][];
    b: [number, number, number][][];
    difference: number;
    interval: [number, number];
    scipyInterval: [number, number];
    p: number;
  }[];
}

export const oracle: Oracle = JSON.parse(readFileSync(new URL('../../oracles/study.json', import.meta.url), 'utf8'));
