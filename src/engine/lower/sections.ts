/** How kernels of odd size fall into 3x3 sections, each of which is a kernel for Winograd's F(3,3). */
import type { Connection } from './filters.js';

/** How a kernel of odd size falls into 3x3 sections. */
export interface Sections {
  /** Windows start one (0) or two (1) pixels before a tile. */
  readonly kind: 0 | 1;
  readonly count: number;
  /** Taps of zero in front of the first one and behind the last. */
  readonly lead: number;
  readonly trail: number;
  /** Tiles from the first section to the tile itself. */
  readonly before: number;
}

const modulo = (a: number, b: number): number => ((a % b) + b) % b;

/** The kind that needs the fewest taps of zero. */
const naturalKind = (kernelSize: number): 0 | 1 => (((kernelSize - 1) / 2) % 3 === 2 ? 1 : 0);

function sectionsOf(kernelSize: number, kind = naturalKind(kernelSize)): Sections {
  const half = (kernelSize - 1) / 2;
  const lead = modulo(1 + kind - half, 3);
  const count = Math.ceil((kernelSize + lead) / 3);
  return { kind, count, lead, trail: 3 * count - kernelSize - lead, before: (half + lead - 1 - kind) / 3 };
}

/** The sections of a component along one axis: a tap of zero empties the point 0 of the first or infinity of the last. */
export function listed({ count, lead, trail }: Sections, component: number, points: number): number[] {
  return Array.from({ length: count }, (_, s) => s).filter(
    (s) => !(s === 0 && lead > 0 && component === 0) && !(s === count - 1 && trail > 0 && component === points - 1),
  );
}

/** Products for one tile, input and output. */
export const productsOf = ({ count, lead, trail }: Sections, tile: 3 | 4): number =>
  ((tile + 2) * count - Math.min(lead, 1) - Math.min(trail, 1)) ** 2;

/** Products for one tile, input and output. */
export const productsPerTile = (kernelSize: number, tile: 3 | 4): number => productsOf(sectionsOf(kernelSize), tile);

/** A connection with what its kernels need to know. */
export interface NestedLevel extends Connection {
  readonly sections: Sections;
}

/** Multiply-accumulates that take as long as the transform of one tile. */
const TRANSFORM_MACS = 200;

/**
 * Levels of two kinds need two transforms of the input. Where groups are small, one transform and kernels of 5x5 with two taps of zero in
 * front, as if they were 7x7, take less time.
 */
export function withSections(connections: readonly Connection[], channels: number): NestedLevel[] {
  const levels = connections.map(
    (connection): NestedLevel => ({ ...connection, sections: sectionsOf(connection.kernelSize[0]) }),
  );
  const alike = levels.map((level): NestedLevel => ({ ...level, sections: sectionsOf(level.kernelSize[0], 0) }));
  const products = (of: readonly NestedLevel[]) =>
    of.reduce(
      (sum, { sections, groups, inputs, outputs }) => sum + productsOf(sections, 3) * groups * inputs * outputs,
      0,
    );
  const isMixed = new Set(levels.map(({ sections }) => sections.kind)).size > 1;
  return isMixed && products(alike) - products(levels) < TRANSFORM_MACS * channels ? alike : levels;
}
