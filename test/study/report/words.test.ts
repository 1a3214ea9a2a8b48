/** How numbers and networks are written. */
import { describe, expect, it } from 'vitest';
import { create, type NetworkName, names } from '../../../src/models/index.js';
import { html } from '../../../src/study/report/html/markup.js';
import { networkStyle, networkTitle, withTitles } from '../../../src/study/report/html/networks.js';
import * as numbers from '../../../src/study/report/html/numbers.js';

describe('numbers', () => {
  it.each([
    [numbers.score(0.98765), '0.9877'],
    [numbers.score(-0.00001), '0.0000'],
    [numbers.score(null), '–'],
    [numbers.score(Number.NaN), '–'],
    [numbers.difference(0.01234), '+0.0123'],
    [numbers.difference(-0.5), '−0.5000'],
    [numbers.difference(0.00001), '0.0000'],
    [numbers.interval([0.5, 1]), '[0.5000, 1.0000]'],
    [numbers.interval(null), '–'],
    [numbers.probability(0.00001), '< 0.0001'],
    [numbers.probability(0), '< 0.0001'],
    [numbers.probability(1), '1.0000'],
    [numbers.percent(0.1234), '12.3 %'],
    [numbers.percent(null), '–'],
    [numbers.millions(7_852_345), '7.852'],
    [numbers.millions(121_385), '0.1214'],
    [numbers.billions(262_144_000_000), '262.1'],
    [numbers.billions(6_279_000), '0.006279'],
    [numbers.megabytes(45_189_684), '45.2'],
    [numbers.megabytes(2_345_678_901), '2346'],
    [numbers.seconds(0.005278), '0.00528'],
    [numbers.seconds(0), '0'],
    [numbers.count(1_234_567), '1\u202f234\u202f567'],
    [numbers.pixels(3.456), '3.46'],
  ])('%s', (written, expected) => {
    expect(written).toBe(expected);
  });
});

describe('networks', () => {
  it.each(names)('%s is called as its messages call it', (name) => {
    const wrong = () => create<NetworkName>(name, { nonsense: 1 } as never);
    expect(wrong).toThrow(networkTitle(name));
  });

  it('have a look each', () => {
    expect(new Set(names.map(networkStyle)).size).toBe(names.length);
  });

  it('are named in sentences, and nothing else is changed', () => {
    const written = withTitles('unet++ is not separated from unet (0.1 [<0.2]), a sunet').markup;
    expect(written.replace(/<\/?span[^>]*>/g, '')).toBe('UNet++ is not separated from U-Net (0.1 [&lt;0.2]), a sunet');
    expect(networkTitle('toString')).toBe('toString');
  });
});

it('templates escape texts, keep markup, and write lists', () => {
  expect(html`<p title="${'"<&>\''}">${['a<', html`<b>${0}</b>`]}${null}${undefined}</p>`.markup).toBe(
    '<p title="&quot;&lt;&amp;&gt;&#39;">a&lt;<b>0</b></p>',
  );
});
