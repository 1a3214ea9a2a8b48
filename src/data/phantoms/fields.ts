/**
 * Shapes and textures of phantoms as functions of position. Only arithmetic and square roots, which every engine rounds
 * alike, so that a seed gives the same image everywhere.
 */
import type { Random } from '../../runtime/random.js';

/** A value for each position; u runs to the right and v downwards, both from 0 to 1 over the image. */
export type Field = (u: number, v: number) => number;

/** A number between low and high. */
export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.next();
}

/** Smooth noise in [-1, 1]: random values on a grid of `cells` x `cells`, interpolated with zero slope at the nodes. */
export function smoothNoise(random: Random, cells: number): Field {
  const side = cells + 2;
  const nodes = new Float64Array(side * side);
  for (let i = 0; i < nodes.length; i++) nodes[i] = 2 * random.next() - 1;
  return (u, v) => {
    const x = clamp01(u) * cells;
    const y = clamp01(v) * cells;
    const column = Math.floor(x);
    const row = Math.floor(y);
    const s = ease(x - column);
    const t = ease(y - row);
    const at = row * side + column;
    const upper = nodes[at] + (nodes[at + 1] - nodes[at]) * s;
    const lower = nodes[at + side] + (nodes[at + side + 1] - nodes[at + side]) * s;
    return upper + (lower - upper) * t;
  };
}

/** Smooth noise in [-1, 1] without the lines of a grid: two grids, one of them turned. */
export function texture(random: Random, cells: number): Field {
  const straight = smoothNoise(random, cells);
  const turned = smoothNoise(random, Math.round(cells * 1.4));
  return (u, v) => 0.75 * (straight(u, v) + turned(0.571 * u + 0.429 * v, 0.429 + 0.571 * v - 0.429 * u));
}

/** The values of a field times a factor. */
export function scaled(field: Field, factor: number): Field {
  return (u, v) => factor * field(u, v);
}

/** An ellipse with an uneven outline. */
export interface Blob {
  readonly u: number;
  readonly v: number;
  /** Half axes. */
  readonly a: number;
  readonly b: number;
  /** Turn: the tangent of half the angle, for a rotation without trigonometry; default 0. */
  readonly turn?: number;
  /** Unevenness of the outline, as a share of the axes. */
  readonly uneven?: Field;
}

/**
 * Depth inside a blob in units of the image (negative outside); close to the distance from the outline near it, and -1
 * far away.
 */
export function depth(blob: Blob): Field {
  const { u: cu, v: cv, a, b, turn = 0, uneven } = blob;
  const norm = 1 + turn * turn;
  const cos = (1 - turn * turn) / norm;
  const sin = (2 * turn) / norm;
  const small = Math.min(a, b);
  const reach = 1.5 * Math.max(a, b);
  return (u, v) => {
    if (Math.abs(u - cu) > reach || Math.abs(v - cv) > reach) return -1;
    const x = (cos * (u - cu) + sin * (v - cv)) / a;
    const y = (cos * (v - cv) - sin * (u - cu)) / b;
    const radius = Math.sqrt(x * x + y * y);
    return (1 - radius + (uneven === undefined ? 0 : uneven(u, v))) * small;
  };
}

/** From 0 to 1 over a border of the given width around depth 0, without a corner. */
export function cover(depthHere: number, width: number): number {
  return ease(clamp01(depthHere / width + 0.5));
}

export function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

function clamp01(t: number): number {
  return Math.max(0, Math.min(1, t));
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}
