/** The shape that U-Net (Ronneberger et al. 2015) gave its name to, around any stage. */
import type { FeatureMap } from './apply.js';
import { concatenate, maxPool } from './merging.js';

/** Makes a map of another; `index` counts the resolutions from the full one, 0. */
export type Part = (x: FeatureMap, scope: string, index: number) => FeatureMap;

/** What fills the shape. */
export interface UShapeParts {
  /** Number of resolutions. */
  readonly depth: number;
  /** A stage of the encoder or decoder. */
  readonly stage: Part;
  /** Doubles height and width on the way up. */
  readonly up: Part;
  /** Between the deepest stage and the way up. */
  readonly bottom: (x: FeatureMap) => FeatureMap;
  /** Brings together what comes up and what the encoder kept. Default: concatenate [up, skip]. */
  readonly merge?: (up: FeatureMap, skip: FeatureMap, scope: string, index: number) => FeatureMap;
}

/** Encoder stages with 2x2 poolings between them, then as many decoder stages less one; scopes `encoder1`, ..., `decoder1`. */
export function uShape(input: FeatureMap, parts: UShapeParts): FeatureMap {
  const { depth, stage, up, bottom, merge = concatenateUpSkip } = parts;
  const skips: FeatureMap[] = [];
  let x = stage(input, 'encoder1', 0);
  for (let i = 1; i < depth; i++) {
    skips.push(x);
    x = stage(maxPool(x, `encoder${i}/pool`), `encoder${i + 1}`, i);
  }
  x = bottom(x);
  for (const [i, skip] of [...skips.entries()].reverse()) {
    const scope = `decoder${i + 1}`;
    x = stage(merge(up(x, scope, i), skip, scope, i), scope, i);
  }
  return x;
}

function concatenateUpSkip(up: FeatureMap, skip: FeatureMap, scope: string): FeatureMap {
  return concatenate([up, skip], `${scope}/concat`);
}
