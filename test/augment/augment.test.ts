/** Augmentation: every pixel at its place, image and mask together, and the same draw for the same seed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Augmentable,
  compose,
  expand,
  flipHorizontal,
  flipVertical,
  fromJSON,
  random,
  rotate90,
  rotate180,
  type Transform,
} from '../../src/augment/index.js';
import { split } from '../../src/data/index.js';

type Grid = number[][];
const mirror = (grid: Grid): Grid => grid.map((row) => [...row].reverse());
const turn = (grid: Grid): Grid => grid[0].map((_, x) => grid.map((row) => row[row.length - 1 - x]));

/** What each transform does to rows of pixels, written without index arithmetic of flattened arrays. */
const onRows: [string, () => Transform, (grid: Grid) => Grid][] = [
  ['flipHorizontal', flipHorizontal, mirror],
  ['flipVertical', flipVertical, (grid) => [...grid].reverse()],
  ['rotate90', rotate90, turn],
  ['rotate180', rotate180, (grid) => turn(turn(grid))],
];

/** A sample whose values tell where each pixel was. */
function tracked(height: number, width: number, channels = 1): Augmentable & { name: string } {
  return {
    name: 'a',
    height,
    width,
    channels,
    image: Float32Array.from({ length: height * width * channels }, (_, i) => i),
    mask: Uint8Array.from({ length: height * width }, (_, i) => i),
  };
}

function rows(values: ArrayLike<number>, width: number, { channels = 1, channel = 0 } = {}): Grid {
  const height = values.length / width / channels;
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => values[(y * width + x) * channels + channel]),
  );
}

const shape = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(1, 3));

describe.each(onRows)('%s', (name, make, expected) => {
  it('moves every pixel of image and mask to its place', () => {
    fc.assert(
      fc.property(shape, ([height, width, channels]) => {
        const sample = tracked(height, width, channels);
        const moved = make().apply(sample);
        expect(rows(moved.mask, moved.width)).toEqual(expected(rows(sample.mask, width)));
        for (let channel = 0; channel < channels; channel++) {
          expect(rows(moved.image, moved.width, { channels, channel })).toEqual(
            expected(rows(sample.image, width, { channels, channel })),
          );
        }
        expect(sample).toEqual(tracked(height, width, channels));
      }),
      { seed: 1 },
    );
  });

  it('is the identity after its order', () => {
    const order = name === 'rotate90' ? 4 : 2;
    const again = compose(Array.from({ length: order }, make));
    fc.assert(
      fc.property(shape, ([height, width, channels]) => {
        expect(again.apply(tracked(height, width, channels))).toEqual(tracked(height, width, channels));
      }),
      { seed: 1 },
    );
    expect(make().apply(tracked(3, 3))).not.toEqual(tracked(3, 3));
  });

  it('comes back from JSON', () => {
    const json = JSON.stringify(make());
    expect(json).toBe(`{"name":"${name}"}`);
    expect(fromJSON(JSON.parse(json)).apply(tracked(2, 3))).toEqual(make().apply(tracked(2, 3)));
  });

  it('refuses arrays that do not fit', () => {
    expect(() => make().apply({ ...tracked(2, 3), image: new Float32Array(5) })).toThrow(
      'A sample of 3 x 2 pixels needs 6 values of its 1 channels (or of its mask). Received: 5.',
    );
    expect(() => make().apply({ ...tracked(2, 3), mask: new Uint8Array(7) })).toThrow('Received: 7.');
  });
});

describe('transforms', () => {
  it('turn counter-clockwise, as numpy.rot90([[0, 1, 2], [3, 4, 5]]) does', () => {
    const { mask, width, height } = rotate90().apply(tracked(2, 3));
    expect([width, height]).toEqual([2, 3]);
    expect([...mask]).toEqual([2, 5, 1, 4, 0, 3]);
  });

  it('turn the spacing and carry the rest along', () => {
    const sample = { ...tracked(2, 3), spacing: [2, 0.5] as const, group: 'g' };
    expect(rotate90().apply(sample)).toMatchObject({ spacing: [0.5, 2], group: 'g', name: 'a' });
    expect(rotate180().apply(sample)).toMatchObject({ spacing: [2, 0.5], width: 3, height: 2 });
  });

  it('compose from first to last', () => {
    const both = compose([flipVertical(), rotate90()]);
    const stepwise = rotate90().apply(flipVertical().apply(tracked(2, 3)));
    expect(both.apply(tracked(2, 3))).toEqual(stepwise);
    const json = JSON.stringify(compose([both, rotate180()]));
    expect(fromJSON(JSON.parse(json)).apply(tracked(2, 3))).toEqual(rotate180().apply(stepwise));
    expect(compose([]).apply(tracked(2, 3))).toEqual(tracked(2, 3));
  });

  it('refuse a name that is none', () => {
    // @ts-expect-error: what a file may hold
    expect(() => fromJSON({ name: 'shear' })).toThrow(
      "A transform is one of flipHorizontal, flipVertical, rotate90, rotate180, compose. Received: 'shear'.",
    );
  });
});

describe('expand', () => {
  it('gives each sample and four copies', () => {
    const samples = [tracked(3, 3), { ...tracked(3, 3, 3), name: 'b' }];
    const all = expand(samples);
    expect(all.length).toBe(10);
    expect(all[5]).toBe(samples[1]);
    samples.forEach((sample, s) => {
      onRows.forEach(([, make], t) => {
        expect({ ...all[5 * s + 1 + t] }).toEqual(make().apply(sample));
      });
    });
  });

  it('leaves the turn by 90 degrees out where it would change the size', () => {
    const all = expand([tracked(2, 3)]);
    expect(all.map(({ width, height }) => [height, width])).toEqual(Array(4).fill([2, 3]));
    expect([...all[3].mask]).toEqual([5, 4, 3, 2, 1, 0]);
  });

  it('gives the same array again while it is in use', () => {
    const [, copy] = expand([tracked(3, 3)]);
    const image = copy.image;
    expect(copy.image).toBe(image);
  });

  it('cannot leak into another part: a split refuses copies', () => {
    expect(() => split(expand([tracked(2, 2), { ...tracked(2, 2), name: 'b' }]), { seed: 0 })).toThrow(
      "Two samples have the name 'a'.",
    );
  });
});

describe('random', () => {
  const batch = [tracked(3, 3), { ...tracked(3, 3), name: 'b' }];
  const draw = (seed: number, epoch: number, step: number, samples = batch) =>
    [...random(samples, { seed, epoch, step })[0].mask].join();

  it('refuses a misspelt option', () => {
    const wrong = { seed: 1, epoch: 1, step: 0, transform: [] };
    expect(() => random(batch, wrong)).toThrow(
      "augment.random has no option 'transform'. Its options are seed, epoch, step, transforms.",
    );
  });

  it('draws the identity and each transform equally often', () => {
    const counts = new Map<string, number>();
    for (let step = 0; step < 2000; step++) counts.set(draw(1, 0, step), (counts.get(draw(1, 0, step)) ?? 0) + 1);
    const possible = [batch[0], ...onRows.map(([, make]) => make().apply(batch[0]))].map(({ mask }) =>
      [...mask].join(),
    );
    expect([...counts.keys()].sort()).toEqual(possible.sort());
    // 400 each; five standard deviations of a fair draw.
    for (const count of counts.values()) expect(Math.abs(count - 400)).toBeLessThan(5 * Math.sqrt(2000 * 0.2 * 0.8));
  });

  it('depends on seed, epoch and step', () => {
    const sequence = (seed: number, epoch: number) =>
      Array.from({ length: 30 }, (_, step) => draw(seed, epoch, step)).join(';');
    expect(sequence(0, 1)).toBe(sequence(0, 1));
    expect(new Set([sequence(0, 1), sequence(0, 2), sequence(1, 1)]).size).toBe(3);
  });

  it('moves all samples of a batch alike', () => {
    for (let step = 0; step < 20; step++) {
      const [a, b] = random(batch, { seed: 2, epoch: 0, step });
      expect(b).toEqual({ ...a, name: 'b' });
    }
  });

  it('never changes the size of a batch that is not square', () => {
    const drawn = new Set<string>();
    for (let step = 0; step < 200; step++) {
      const [{ width, height }] = random([tracked(2, 3)], { seed: 0, epoch: 0, step });
      expect([height, width]).toEqual([2, 3]);
      drawn.add(draw(0, 0, step, [tracked(2, 3)]));
    }
    expect(drawn.size).toBe(4);
  });

  it('draws from other transforms', () => {
    const drawn = new Set<string>();
    for (let step = 0; step < 50; step++) {
      drawn.add([...random(batch, { seed: 0, epoch: 0, step, transforms: [rotate180()] })[0].mask].join());
    }
    expect([...drawn].sort()).toEqual(['0,1,2,3,4,5,6,7,8', '8,7,6,5,4,3,2,1,0']);
    expect(random(batch, { seed: 0, epoch: 0, step: 1, transforms: [] })).toEqual(batch);
  });

  it('refuses what is no whole number', () => {
    expect(() => random(batch, { seed: 0.5, epoch: 0, step: 0 })).toThrow('0.5');
  });
});
