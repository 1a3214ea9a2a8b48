/** Charts as XML: well-formed, named, their marks where the values are. */
import { parseHTML } from 'linkedom';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { casesChart, historyChart, legendSample } from '../../src/charts/index.js';
import { parseXml, type XmlElement } from '../figures/xml.js';

afterEach(() => vi.unstubAllGlobals());

const all = (element: XmlElement, name: string): XmlElement[] => [
  ...(element.name === name ? [element] : []),
  ...element.children.flatMap((child) => all(child, name)),
];
const texts = (svg: XmlElement): string[] => all(svg, 'text').map(({ text }) => text);
const of = (element: XmlElement, attribute: string): string => element.attributes.get(attribute) ?? '';

/** Groups of marks in the colour of a series. */
const marks = (svg: XmlElement, colour: number, by: 'fill' | 'stroke'): XmlElement[] =>
  all(svg, 'g').filter((group) => of(group, by) === `var(--pyconvunet-series${colour})`);

/** Where a translated or drawn mark stands. */
const place = (mark: XmlElement): [number, number] => {
  const [, x, y] = /translate\(([-\d.]+),([-\d.]+)\)/.exec(of(mark, 'transform')) ?? [];
  return [Number(x), Number(y)];
};
const points = (path: XmlElement): [number, number][] =>
  [...of(path, 'd').matchAll(/[ML]([-\d.]+),([-\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);

const evil = `<b>&"'\u0007`;

describe('historyChart', () => {
  const loss = (runs: number[][], more = {}) =>
    historyChart({ title: 'Loss', label: 'Loss', scale: 'loss', series: [{ name: 'U-Net', runs }], ...more });

  it('is one image with a name that says the numbers', async () => {
    const svg = parseXml(await loss([[0.8, 0.4, 0.2]]));
    expect([svg.name, of(svg, 'role')]).toEqual(['svg', 'img']);
    expect(of(svg, 'aria-label')).toBe('Loss. U-Net from 0.800 at epoch 1 to 0.200 at epoch 3.');
    expect(texts(svg)).toEqual(expect.arrayContaining(['1', '2', '3', 'Epoch →', '↑ Loss']));
  });

  it('draws each run thin and their mean bold, by the scale of the axis', async () => {
    const svg = parseXml(
      await loss([
        [0.8, 0.4],
        [0.4, 0.2],
      ]),
    );
    const lines = marks(svg, 0, 'stroke');
    expect(lines.map((line) => of(line, 'stroke-width'))).toEqual(['0.8', '0.8', '2']);
    const [one, two, mean] = lines.map((line) => points(all(line, 'path')[0] as XmlElement));
    [0, 1].forEach((epoch) => {
      const y = (line?: [number, number][]) => line?.[epoch]?.[1] ?? Number.NaN;
      expect(Math.abs(y(mean) - (y(one) + y(two)) / 2)).toBeLessThan(0.02);
    });
    expect(mean?.[0]?.[1]).toBeLessThan(mean?.[1]?.[1] ?? 0);
    // The symbols stand on the bold line.
    const [dots] = marks(svg, 0, 'fill');
    (all(dots as XmlElement, 'path').length > 0
      ? all(dots as XmlElement, 'path')
      : all(dots as XmlElement, 'circle')
    ).forEach((dot, i) => {
      const [x, y] = dot.name === 'circle' ? [Number(of(dot, 'cx')), Number(of(dot, 'cy'))] : place(dot);
      expect(Math.abs(x - (mean?.[i]?.[0] ?? 0))).toBeLessThan(0.02);
      expect(Math.abs(y - (mean?.[i]?.[1] ?? 0))).toBeLessThan(0.02);
    });
  });

  it('means every epoch over the runs that have it, and leaves out what is no number', async () => {
    const svg = parseXml(
      await loss([
        [0.5, 0.3, 0.1],
        [0.7, Number.NaN],
      ]),
    );
    expect(of(svg, 'aria-label')).toBe('Loss. U-Net from 0.600 at epoch 1 to 0.100 at epoch 3.');
    const mean = marks(svg, 0, 'stroke').at(-1);
    expect(points(all(mean as XmlElement, 'path')[0] as XmlElement)).toHaveLength(3);
  });

  it('says so where nothing has run yet, and draws a single epoch', async () => {
    const empty = parseXml(await loss([[]]));
    expect(of(empty, 'aria-label')).toBe('Loss. No epoch has ended.');
    expect(texts(empty)).toContain('No epoch has ended.');
    expect(await loss([[]])).not.toContain('NaN');
    const single = await loss([[0.5]]);
    expect(texts(parseXml(single))).toEqual(expect.arrayContaining(['1']));
    expect(single).not.toContain('NaN');
  });

  it('begins a loss at 0, a score below its smallest value, and goes by powers of ten where one value dwarfs the others', async () => {
    expect(texts(parseXml(await loss([[0.8, 0.6]])))).toContain('0');
    const score = parseXml(
      await historyChart({
        title: 'Dice',
        label: 'Dice',
        scale: 'score',
        series: [{ name: 'a', runs: [[0.71, 0.9]] }],
      }),
    );
    expect(texts(score)).toEqual(expect.arrayContaining(['0.6', '1']));
    expect(texts(score)).not.toContain('0.4');
    expect(texts(parseXml(await loss([[90, 0.5, 0.4, 0.3]])))).toContain('↑ Loss (logarithmic)');
  });

  it('keeps a look that was given, whatever its place', async () => {
    const svg = parseXml(
      await historyChart({ title: 'a', label: 'a', scale: 'loss', series: [{ name: 'x', runs: [[1, 2]], style: 3 }] }),
    );
    expect(marks(svg, 3, 'stroke')).toHaveLength(1);
    expect(marks(svg, 0, 'stroke')).toHaveLength(0);
  });

  it('stands alone with style, heading and legend, else brings none of them', async () => {
    const series = ['one', 'two', evil].map((name) => ({ name, runs: [[1, 0.5]] }));
    const options = { title: evil, label: evil, scale: 'loss', series } as const;
    const alone = parseXml(await historyChart({ ...options, standalone: true }));
    expect(all(alone, 'style')).toHaveLength(1);
    expect(all(alone, 'style')[0]?.text).toContain('prefers-color-scheme:dark');
    const shown = evil.replace('\u0007', '\ufffd');
    expect(texts(alone)).toEqual(expect.arrayContaining(['one', 'two', shown]));
    expect(texts(alone)[0]).toBe(shown);
    const within = parseXml(await historyChart(options));
    expect(all(within, 'style')).toHaveLength(0);
    expect(texts(within)).not.toContain('one');
  });

  it('carries no id and no name inside that would clash or be read out', async () => {
    for (const svg of [await loss([[1, 2]]), await loss([[1, 2]], { standalone: true })]) {
      expect(svg).not.toMatch(/ id="/);
      expect(svg.match(/aria-label=/g)).toHaveLength(1);
    }
  });

  it('is the same in a page', async () => {
    const here = await loss([
      [0.8, 0.4],
      [0.6, 0.2],
    ]);
    vi.stubGlobal('document', parseHTML('<html><body></body></html>').document);
    expect(
      await loss([
        [0.8, 0.4],
        [0.6, 0.2],
      ]),
    ).toBe(here);
    expect(document.body.childNodes.length).toBe(0);
  });
});

describe('casesChart', () => {
  const values = [0.5, 0.9, 0.7, 0.7, 1];
  const chart = () =>
    casesChart({
      title: 'Dice',
      label: 'Dice',
      series: [
        { name: 'one', values },
        { name: evil, values: [Number.NaN] },
      ],
    });

  it('draws a dot for every case where its value is, none upon another', async () => {
    const svg = parseXml(await chart());
    const [group] = marks(svg, 0, 'fill');
    const dots = all(group as XmlElement, 'circle').map(
      (dot) => [Number(of(dot, 'cx')), Number(of(dot, 'cy'))] as const,
    );
    expect(dots).toHaveLength(5);
    const x = dots.map(([at]) => at).sort((a, b) => a - b);
    const [low = 0, high = 0] = [x[0], x.at(-1)];
    [...values].sort().forEach((value, i) => {
      expect(Math.abs((x[i] ?? 0) - (low + ((value - 0.5) / 0.5) * (high - low)))).toBeLessThan(0.02);
    });
    expect(new Set(dots.map(([, y]) => y)).size).toBe(5);
  });

  it('says median, mean and range, and which has no case', async () => {
    const svg = parseXml(await chart());
    expect(of(svg, 'aria-label')).toBe(
      `Dice. one: 5 cases, median 0.700, mean 0.760, from 0.500 to 1.000; ${evil.replace('\u0007', '\ufffd')}: no case has a value.`,
    );
    expect(texts(svg)).toEqual(expect.arrayContaining(['one', 'Dice →', '0.5', '1.0']));
  });

  it('takes no network at all', async () => {
    const svg = await casesChart({ title: 'Dice', label: 'Dice', series: [] });
    parseXml(svg);
    expect(svg).not.toContain('NaN');
  });
});

it('the sample of a legend shows line and symbol, and is not read out', async () => {
  const svg = parseXml(await legendSample(2));
  expect(of(svg, 'aria-hidden')).toBe('true');
  expect(marks(svg, 2, 'stroke')).toHaveLength(1);
  expect(marks(svg, 2, 'fill')).toHaveLength(1);
});
