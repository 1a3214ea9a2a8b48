/** Labels of masks, checks of pairs, and groups of names. */
import { describe, expect, it } from 'vitest';
import { grouping, prepareSamples, type Raster, type RasterData, toLabels } from '../../src/data/index.js';

function mask(data: RasterData, channels = 1): Raster {
  return { width: data.length / channels, height: 1, channels, data };
}

describe('toLabels', () => {
  it.each([
    ['0 and 255', Uint8Array.of(0, 255, 255, 0), undefined, [0, 1, 1, 0]],
    ['0 and 1', Uint16Array.of(0, 1, 1, 0), undefined, [0, 1, 1, 0]],
    ['all 255', Uint8Array.of(255, 255), undefined, [1, 1]],
    ['all 0', Float32Array.of(0, 0), undefined, [0, 0]],
    ['classes', Uint8Array.of(0, 2, 1, 0), 3, [0, 2, 1, 0]],
    ['two classes', Int32Array.of(0, 1), 2, [0, 1]],
    ['the last of 256 classes', Uint8Array.of(0, 255), 256, [0, 255]],
  ])('reads %s', (_, data, classes, expected) => {
    expect([...toLabels(mask(data), 'm.png', classes)]).toEqual(expected);
  });

  it('reads grey stored as RGB', () => {
    expect([...toLabels(mask(Uint8Array.of(0, 0, 0, 255, 255, 255), 3), 'm.png')]).toEqual([0, 1]);
  });

  it('names file and values that are no labels', () => {
    expect(() => toLabels(mask(Uint8Array.of(255, 0, 3, 128)), 'a/m.png')).toThrow(
      'a/m.png has the values 0, 3, 128, 255, but a binary mask holds 0 and 255, or 0 and 1, only. ' +
        'Threshold it, save it without lossy compression (not as JPEG), or give the number of classes.',
    );
    expect(() => toLabels(mask(Uint8Array.of(0, 1, 255)), 'm.png')).toThrow('the values 0, 1, 255,');
    expect(() => toLabels(mask(Uint8Array.of(1, 255)), 'm.png')).toThrow('the values 1, 255,');
    expect(() => toLabels(mask(Float32Array.of(0, 0.5)), 'm.tif', 3)).toThrow('m.tif has the values 0, 0.5,');
    expect(() => toLabels(mask(Int16Array.of(-1, 0)), 'm.tif', 3)).toThrow('the values -1, 0,');
    expect(() => toLabels(mask(Uint8Array.of(0, 3)), 'm.png', 3)).toThrow(
      'm.png has the values 0, 3, but a mask of 3 classes holds whole numbers 0..2 only. ' +
        'Renumber the classes, or give another number of classes (leave it out for 0 and 255).',
    );
  });

  it('lists ten values at most', () => {
    expect(() => toLabels(mask(Uint8Array.from({ length: 40 }, (_, i) => i)), 'm.png')).toThrow(
      'the values 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... (40 different values), but',
    );
  });

  it('refuses colours and illegal classes', () => {
    expect(() => toLabels(mask(Uint8Array.of(0, 0, 255), 3), 'm.png')).toThrow(
      'm.png is a colour image, but a mask must',
    );
    for (const classes of [1, 0, 2.5, 257]) {
      expect(() => toLabels(mask(Uint8Array.of(0)), 'm.png', classes)).toThrow(`Received: ${classes}.`);
    }
  });
});

describe('prepareSamples', () => {
  const pair = { name: 'a', image: mask(Uint8Array.of(0, 255)), mask: mask(Uint8Array.of(0, 255)) };

  it('gives samples and the preprocessing that was decided', () => {
    const { samples, preprocessing } = prepareSamples([{ ...pair, group: 'g' }]);
    expect(samples).toEqual([
      {
        name: 'a',
        group: 'g',
        width: 2,
        height: 1,
        channels: 1,
        image: Float32Array.of(-1, 1),
        mask: Uint8Array.of(0, 1),
      },
    ]);
    expect(preprocessing).toEqual({ channels: 1, size: null, intensity: { kind: 'bytes' } });
  });

  it('resizes image and mask', () => {
    const [sample] = prepareSamples([pair], { size: 4 }).samples;
    expect([...sample.mask.slice(0, 4)]).toEqual([0, 0, 1, 1]);
    expect([...sample.image.slice(0, 4)]).toEqual([-1, -0.5, 0.5, 1]);
  });

  it('names a mask of another size', () => {
    const other = { ...pair, mask: mask(Uint8Array.of(0)), imageFile: 'i/a.png', maskFile: 'm/a.png' };
    expect(() => prepareSamples([other])).toThrow(
      'm/a.png has 1 x 1 pixels, but its image i/a.png has 2 x 1. Both must have one size (width x height).',
    );
  });

  it('names images of different sizes, unless they are wanted', () => {
    const wide = { name: 'b', image: mask(new Uint8Array(3)), mask: mask(new Uint8Array(3)) };
    expect(() => prepareSamples([pair, wide])).toThrow(
      'Images of one batch must have one size, but a has 2 x 1 pixels and 1 channels, and b has 3 x 1 pixels and ' +
        '1 channels. Give a size that all are resized to.',
    );
    expect(prepareSamples([pair, wide], { mixedSizes: true }).samples.map(({ width }) => width)).toEqual([2, 3]);
  });

  it('applies the preprocessing of a model as it is, and no other beside it', () => {
    const preprocessing = { channels: 1, size: [1, 1], intensity: { kind: 'range', low: 0, high: 510 } } as const;
    const { samples } = prepareSamples([pair], { preprocessing });
    expect([...samples[0].image]).toEqual([-0.5]);
    expect(() => prepareSamples([pair], { preprocessing, size: 4 })).toThrow(
      'Give either preprocessing (of a trained model) or size, channels and window, but not both.',
    );
  });
});

describe('grouping', () => {
  it.each([
    ['volume', 'v10001_s081', 'v10001'],
    ['volume', 'ID_0000_Z_0142', 'ID_0000'],
    ['volume', 'case_12-slice034', 'case_12'],
    ['volume', 'stack#7', 'stack'],
    ['^(\\d+)_', '12_s3', '12'],
    ['^[a-z]+', 'ab12', 'ab'],
    [/p(\d+)/g, 'p7', '7'],
  ])('%s of %s is %s', (pattern, name, group) => {
    const groupOf = grouping(pattern);
    expect(groupOf(name)).toBe(group);
    expect(groupOf(name)).toBe(group);
  });

  it('names what does not match', () => {
    expect(() => grouping('volume')('000')).toThrow(
      "The name '000' does not match the pattern of groups volume. Give a regular expression that matches every name, " +
        'its first group being the volume or patient.',
    );
    expect(() => grouping('^x?')('abc')).toThrow("The name 'abc' does not match");
    expect(() => grouping('(')).toThrow("groupBy must be 'volume' or a regular expression. Received: (.");
  });
});
