/** The numbers of test/oracles/metrics.json, typed. */
import { readFileSync } from 'node:fs';
import type { Aggregation, EmptyPolicy } from '../../src/metrics/index.js';

interface Oracle {
  boundaries: {
    truth: string[];
    prediction: string[];
    spacing: [number, number] | null;
    hausdorff: number;
    hausdorff95: number;
    surfaceDice: [number, number][];
  }[];
  distances: { targets: string[]; spacing: [number, number]; distances: number[] }[];
  overlap: {
    numClasses: number;
    truth: number[][];
    prediction: number[][];
    readings: {
      emptyPolicy: EmptyPolicy;
      aggregation: Aggregation;
      /** Per class: iou, dice, precision, recall, specificity, accuracy. */
      perClass: number[][];
      all: number[];
      foreground: number[];
    }[];
  }[];
  otsu: { values: number[]; threshold: number; bright: number }[];
  percentiles: { values: number[]; at: [number, number][] };
}

export const oracle: Oracle = JSON.parse(readFileSync(new URL('../oracles/metrics.json', import.meta.url), 'utf8'));

/** A mask drawn with '#' for foreground and '.' for background. */
export function maskFrom(rows: readonly string[]) {
  const width = rows[0].length;
  const data = Uint8Array.from(rows.join(''), (character) => (character === '#' ? 1 : 0));
  return { data, width, height: rows.length };
}
