/** What is drawn of a segmentation: polygons, transparent pictures, overlays; pixel by pixel on small masks. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { classColour, overlay, type Polygon, Segmentation } from '../../src/inference/index.js';

/** A mask drawn in characters: '.' is background, a digit its class. */
function drawn(...rows: string[]): Segmentation {
  const labels = rows.flatMap((row) => [...row].map((c) => (c === '.' ? 0 : Number(c))));
  const highest = Math.max(1, ...labels);
  const classes = Array.from({ length: highest + 1 }, (_, i) => `class ${i}`);
  return new Segmentation({
    width: rows[0]?.length ?? 0,
    height: rows.length,
    mask: Uint8Array.from(labels),
    probability: Float32Array.from({ length: labels.length * (highest > 1 ? classes.length : 1) }),
    classes,
    threshold: highest > 1 ? null : 0.5,
  });
}

/** Twice the signed area of a ring: positive for an outer border. */
const area = (ring: Polygon[number]): number =>
  ring.slice(1).reduce((sum, [x, y], i) => {
    const [px = 0, py = 0] = ring[i] ?? [];
    return sum + (px * y - x * py);
  }, 0) / 2;

/** Whether a point is inside, by crossings of a ray to the right. */
function inside(polygons: readonly Polygon[], x: number, y: number): boolean {
  let crossings = 0;
  for (const ring of polygons.flat()) {
    ring.slice(1).forEach(([bx, by], i) => {
      const [ax = 0, ay = 0] = ring[i] ?? [];
      if (ay > y !== by > y && x < ax + ((y - ay) * (bx - ax)) / (by - ay)) crossings++;
    });
  }
  return crossings % 2 === 1;
}

describe('contours', () => {
  it('is a diamond around the centre of a single pixel', () => {
    const [polygon, ...others] = drawn('...', '.1.', '...').contours();
    expect(others).toEqual([]);
    expect(polygon).toHaveLength(1);
    expect(new Set(polygon?.[0]?.map(String))).toEqual(new Set(['1,1.5', '1.5,1', '2,1.5', '1.5,2']));
  });

  it('runs along the outer edges of a square, whose corners are cut', () => {
    const [polygon] = drawn('.....', '.111.', '.111.', '.111.', '.....').contours();
    const points = polygon?.[0] ?? [];
    expect(points[0]).toEqual(points.at(-1));
    expect([Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))]).toEqual([1, 4]);
    expect([Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))]).toEqual([1, 4]);
    // Four corners of 1/8 pixel each.
    expect(Math.abs(area(points))).toBe(9 - 4 / 8);
  });

  it('is an outer border and its hole for a ring', () => {
    const polygons = drawn('11111', '1...1', '1...1', '11111').contours();
    expect(polygons).toHaveLength(1);
    expect(polygons[0]).toHaveLength(2);
    const [outer = 0, hole = 0] = (polygons[0] ?? []).map(area);
    expect(Math.abs(outer)).toBe(20 - 4 / 8);
    expect(Math.abs(hole)).toBe(6 - 4 / 8);
    expect(Math.sign(outer)).toBe(-Math.sign(hole));
  });

  it('closes at the edge of the image', () => {
    const points = drawn('1.', '1.').contours()[0]?.[0] ?? [];
    expect(Math.min(...points.map(([x]) => x))).toBe(0);
    expect(Math.max(...points.map(([x]) => x))).toBe(1);
    expect([Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))]).toEqual([0, 2]);
  });

  it('has a polygon for each region, and none for an absent class', () => {
    const segmentation = drawn('1..1', '....', '2222');
    expect(segmentation.contours()).toHaveLength(2);
    expect(segmentation.contours(2)).toHaveLength(1);
    expect(segmentation.contours(0)).toHaveLength(1);
    expect(drawn('..').contours()).toEqual([]);
  });

  it('refuses a class that the model does not have', () => {
    for (const label of [2, -1, 0.5, Number.NaN]) {
      expect(() => drawn('1.').contours(label)).toThrow(
        `The segmentation has the classes 0..1. Received: label ${label}.`,
      );
    }
  });

  it('encloses the centres of exactly the pixels of the class, on any mask', () => {
    const masks = fc
      .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
      .chain(([height, width]) =>
        fc
          .array(fc.constantFrom('.', '1', '2'), { minLength: height * width, maxLength: height * width })
          .map((cells) => Array.from({ length: height }, (_, y) => cells.slice(y * width, (y + 1) * width).join(''))),
      );
    fc.assert(
      fc.property(masks, (rows) => {
        const segmentation = drawn(...rows);
        for (const label of segmentation.classes.keys()) {
          const polygons = segmentation.contours(label);
          const found = Array.from(segmentation.mask, (_, i) =>
            inside(polygons, (i % segmentation.width) + 0.5, Math.floor(i / segmentation.width) + 0.5),
          );
          expect(found).toEqual(Array.from(segmentation.mask, (value) => value === label));
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

describe('pictures of the mask', () => {
  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'ImageData');
  });

  it('has the colour of each class, and a transparent background', () => {
    expect([...drawn('.12').toRgba()]).toEqual([0, 0, 0, 0, 0, 158, 115, 128, 86, 180, 233, 128]);
    expect([...drawn('.1').toRgba({ opacity: 1 })]).toEqual([0, 0, 0, 0, 0, 158, 115, 255]);
    expect([...drawn('.1').toRgba({ opacity: 0 })]).toEqual([0, 0, 0, 0, 0, 158, 115, 0]);
    expect(() => drawn('.1').toRgba({ opacity: 128 })).toThrow(
      'opacity must be from 0 (transparent) to 1 (opaque). Received: 128.',
    );
  });

  it('is ImageData of the same pixels in a browser', () => {
    class FakeImageData {
      constructor(
        readonly data: Uint8ClampedArray,
        readonly width: number,
        readonly height: number,
      ) {}
    }
    Reflect.set(globalThis, 'ImageData', FakeImageData);
    const segmentation = drawn('.1', '11', '..');
    const picture = segmentation.toImageData({ opacity: 0.2 });
    expect([picture.width, picture.height, [...picture.data]]).toEqual([
      2,
      3,
      [...segmentation.toRgba({ opacity: 0.2 })],
    ]);
  });

  it('has a colour for every class', () => {
    expect(classColour(8)).toEqual(classColour(1));
    expect(new Set([1, 2, 3, 4, 5, 6, 7].map((label) => String(classColour(label)))).size).toBe(7);
    for (const label of [0, -1, 1.5, Number.NaN]) {
      expect(() => classColour(label)).toThrow(
        `A class that is drawn is a whole number from 1 on. Received: ${label}.`,
      );
    }
  });
});

describe('overlay', () => {
  it('tints the prediction and keeps the rest grey', () => {
    // 0.6 * grey + 0.4 * colour, rounded.
    expect([...overlay([10, 100, 200], drawn('.12'))]).toEqual([10, 10, 10, 60, 123, 106, 154, 192, 213]);
    expect([...overlay([10, 100], drawn('.1'), { opacity: 1 })]).toEqual([10, 10, 10, 0, 158, 115]);
    expect([...overlay([10, 100], drawn('.1'), { opacity: 0 })]).toEqual([10, 10, 10, 100, 100, 100]);
  });

  it('clips grey values to 0..255', () => {
    expect([...overlay([-5, 300], drawn('..'))]).toEqual([0, 0, 0, 255, 255, 255]);
  });

  it("draws the truth's border in red, over the tint, and not along the image's edge", () => {
    const segmentation = drawn('.....', '.1...', '.....', '.....');
    const truth = drawn('.....', '.111.', '.111.', '.111.').mask;
    const picture = overlay(new Uint8Array(20), segmentation, { truth });
    const red = Array.from({ length: 4 }, (_, y) =>
      Array.from({ length: 5 }, (_, x) => {
        const [r, g, b] = picture.slice((y * 5 + x) * 3);
        return r === 230 && g === 0 && b === 0 ? 'r' : '.';
      }).join(''),
    );
    expect(red).toEqual(['.....', '.rrr.', '.r.r.', '.r.r.']);
  });

  it('draws a border between two classes of the truth', () => {
    const truth = Uint8Array.of(1, 1, 2, 2);
    const picture = overlay(new Uint8Array(4), drawn('....'), { truth });
    expect([...picture]).toEqual([0, 0, 0, 230, 0, 0, 230, 0, 0, 0, 0, 0]);
  });

  it('refuses other sizes', () => {
    expect(() => overlay(new Uint8Array(6), drawn('..'))).toThrow(
      'The grey image must hold one value for each pixel of the segmentation: 1 * 2. Received: 6 values.',
    );
    expect(() => overlay(new Uint8Array(2), drawn('..'), { truth: new Uint8Array(3) })).toThrow(
      'The truth must hold one value for each pixel of the segmentation: 1 * 2. Received: 3 values.',
    );
    expect(() => overlay(new Uint8Array(2), drawn('..'), { opacity: Number.NaN })).toThrow(
      'opacity must be from 0 (transparent) to 1 (opaque). Received: NaN.',
    );
  });
});

describe('a segmentation', () => {
  it('holds as many labels and probabilities as it has pixels', () => {
    const fields = {
      width: 2,
      height: 1,
      mask: new Uint8Array(2),
      probability: new Float32Array(2),
      classes: ['a', 'b'],
      threshold: 0.5,
    };
    expect(new Segmentation(fields).mask).toBe(fields.mask);
    // Two classes of a softmax.
    expect(new Segmentation({ ...fields, probability: new Float32Array(4), threshold: null }).threshold).toBeNull();
    const message = (labels: number, values: number) =>
      `A segmentation holds height * width labels and, for each pixel, the foreground's probability or that of each class. Received: height 1, width 2, 2 classes, ${labels} labels, ${values} probabilities.`;
    expect(() => new Segmentation({ ...fields, mask: new Uint8Array(3) })).toThrow(message(3, 2));
    expect(() => new Segmentation({ ...fields, probability: new Float32Array(3) })).toThrow(message(2, 3));
  });
});
