/**
 * The cell phantom, the hardest: tissue parted by thin dark membranes, like a section under an electron microscope. The
 * foreground is the interior of the granular cells; smooth regions of the same mean brightness are background, and dark
 * organelles in both look like pieces of membrane.
 */
import type { Random } from '../../runtime/random.js';
import { type Blob, between, cover, depth, type Field, mix, smoothNoise } from './fields.js';
import type { Scene } from './scene.js';

const plasma = 160;
const membrane = 62;

interface Region {
  readonly u: number;
  readonly v: number;
  readonly granular: boolean;
  readonly level: number;
  readonly organelles: readonly Field[];
}

export function cellScene(random: Random, size: number): Scene {
  // Regions grow with the image, but slower: a large section shows more cells.
  const grid = Math.max(4, Math.round(0.5 * Math.sqrt(size)));
  const regions = makeRegions(random, grid);
  const warpU = smoothNoise(random, grid);
  const warpV = smoothNoise(random, grid);
  const grains = smoothNoise(random, Math.round(size / 2.8));
  const clouds = smoothNoise(random, 2 * grid);
  const bias = smoothNoise(random, 2);
  const halfWidth = (0.9 + size / 400) / size;

  return {
    noise: 7,
    render: (u, v) => {
      const x = u + (0.25 / grid) * warpU(u, v);
      const y = v + (0.25 / grid) * warpV(u, v);
      const { region, fromBorder } = nearest(regions, { grid, x, y });
      let value = region.level + (region.granular ? 62 * grains(u, v) : 9 * clouds(u, v));
      for (const organelle of region.organelles) {
        const inside = organelle(x, y);
        if (inside < -0.01) continue;
        // A dark rim around a paler matrix, as mitochondria have it.
        value = mix(value, inside > 0.16 / grid ? 118 : membrane + 14, cover(inside, 1.5 / size));
      }
      value = mix(value, membrane, cover(halfWidth - fromBorder, 1.2 / size));
      return { value: value + 12 * bias(u, v), foreground: region.granular && fromBorder > halfWidth };
    },
  };
}

/**
 * One region a grid square, and a margin of squares around the image. Of two neighbours in a row one is granular, so
 * that the share of the foreground hardly changes from image to image.
 */
function makeRegions(random: Random, grid: number): Region[] {
  const side = grid + 4;
  const pairs = Array.from({ length: Math.ceil((side * side) / 2) }, () => random.integer(2));
  return Array.from({ length: side * side }, (_, i) => {
    const granular = pairs[i >> 1] === i % 2;
    const u = ((i % side) - 2 + between(random, 0.15, 0.85)) / grid;
    const v = (Math.floor(i / side) - 2 + between(random, 0.15, 0.85)) / grid;
    const organelles = Array.from({ length: random.integer(3) }, () => depth(organelle(random, { u, v, grid })));
    return { u, v, granular, level: plasma + between(random, -8, 8), organelles };
  });
}

function organelle(random: Random, { u, v, grid }: { u: number; v: number; grid: number }): Blob {
  return {
    u: u + between(random, -0.22, 0.22) / grid,
    v: v + between(random, -0.22, 0.22) / grid,
    a: between(random, 0.1, 0.2) / grid,
    b: between(random, 0.08, 0.12) / grid,
    turn: between(random, -1, 1),
  };
}

/** The region of the nearest seed, and the distance from the border with the next one (half the way to its seed). */
function nearest(
  regions: readonly Region[],
  { grid, x, y }: { grid: number; x: number; y: number },
): { region: Region; fromBorder: number } {
  const side = grid + 4;
  const column = Math.min(side - 3, Math.max(2, Math.floor(x * grid) + 2));
  const row = Math.min(side - 3, Math.max(2, Math.floor(y * grid) + 2));
  let first = regions[row * side + column];
  let firstSquared = Infinity;
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const region = regions[(row + dy) * side + column + dx];
      const squared = (x - region.u) ** 2 + (y - region.v) ** 2;
      if (squared < firstSquared) {
        first = region;
        firstSquared = squared;
      }
    }
  }
  let fromBorder = Infinity;
  for (let dy = -2; dy <= 2; dy++) {
    for (let dx = -2; dx <= 2; dx++) {
      const region = regions[(row + dy) * side + column + dx];
      if (region === first) continue;
      const squared = (x - region.u) ** 2 + (y - region.v) ** 2;
      const apart = Math.sqrt((first.u - region.u) ** 2 + (first.v - region.v) ** 2);
      fromBorder = Math.min(fromBorder, (squared - firstSquared) / (2 * apart));
    }
  }
  return { region: first, fromBorder };
}
