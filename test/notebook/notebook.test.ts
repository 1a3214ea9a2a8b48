/** Results in a Jupyter cell: text alone without `pyconvunet/notebook`, tables, curves and pictures with it. */
import '@tensorflow/tfjs-backend-cpu';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compare } from '../../src/complexity/index.js';
import { phantom, prepareSamples } from '../../src/data/index.js';
import { Segmentation } from '../../src/inference/index.js';
import { uNet } from '../../src/models/index.js';
import { DISPLAY, type MimeBundle } from '../../src/runtime/display.js';
import { compareModels } from '../../src/study/index.js';
import { type TrainResult, train } from '../../src/training/index.js';

/** What Deno's kernel calls. */
async function show(value: object): Promise<MimeBundle> {
  const method = (value as { [DISPLAY]?: () => Promise<MimeBundle> })[DISPLAY];
  if (method === undefined) throw new Error('The value does not show itself.');
  return method.call(value);
}

const segmentation = () =>
  new Segmentation({
    width: 3,
    height: 1,
    mask: Uint8Array.of(0, 1, 1),
    probability: Float32Array.of(0.1, 0.9, 0.8),
    classes: ['background', '<lung>'],
    threshold: 0.5,
  });
const cases = (tp: number) => ['x', 'y', 'z'].map((name, i) => ({ name, counts: [{ tp: tp + i, fp: 9, fn: 9 }] }));
const comparison = () =>
  compareModels([
    { name: 'a&b', cases: cases(90) },
    { name: 'unet', cases: cases(80) },
  ]);

let result: TrainResult;
let model: ReturnType<typeof uNet>;
beforeAll(async () => {
  model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
  const { samples } = prepareSamples(phantom('lung', { count: 3, size: 32 }));
  result = await train(model, { training: samples.slice(0, 2), validation: samples.slice(2) }, { epochs: 2 });
});
afterAll(() => model.dispose());

describe('before pyconvunet/notebook is imported', () => {
  it('results are told in words', async () => {
    expect(await show(result.history)).toEqual({
      'text/plain': expect.stringMatching(
        /^History of 2 epochs: loss \d\.\d{4}, best validation Dice \d\.\d{4} in epoch [12]$/,
      ),
    });
    expect(await show(segmentation())).toEqual({
      'text/plain': 'Segmentation of 3 x 1 pixels: background 33.3 %, <lung> 66.7 %',
    });
    const reports = compare([model], { inputShape: [32, 32, 1] });
    expect((await show(reports))['text/plain']).toContain('Counted for one image of 32x32x1');
    expect((await show(comparison()))['text/plain']).toMatch(/^a&b: Dice 0\.91\d\d\nunet: Dice 0\.90\d\d$/);
  });

  it('what shows itself is plain otherwise', () => {
    expect(Object.keys(result.history)).toEqual(['loss', 'valLoss', 'valMeanIoU', 'valDice']);
    expect(JSON.parse(JSON.stringify(result.history))).toEqual({ ...result.history });
  });
});

describe('with pyconvunet/notebook', () => {
  beforeAll(() => import('../../src/notebook/index.js'));

  it('a history is two charts', async () => {
    const html = (await show(result.history))['text/html'] ?? '';
    expect(html.match(/<svg /g)).toHaveLength(2);
    expect(html).toContain('Loss in each epoch');
    expect(html).toContain('Validation scores in each epoch');
  });

  it('comparisons are tables whose names are escaped', async () => {
    const [report] = compare([model], { inputShape: [32, 32, 1] });
    const table = (await show(compare([model], { inputShape: [32, 32, 1] })))['text/html'] ?? '';
    expect(table).toContain(`<td>${report?.params.trainable.toLocaleString('en-US')}</td>`);
    expect(table).toContain('at 32x32x1, convention &#39;macs&#39;');
    const compared = comparison();
    const html = (await show(compared))['text/html'] ?? '';
    expect(html).toContain('a&amp;b - unet');
    expect(html).toContain(`<td>${compared.pairs[0]?.difference?.toFixed(4)}</td>`);
    expect(html).toContain('<td>0.25</td>');
  });

  it('a segmentation is its mask, and over its image with the truth in red', async () => {
    const pixels = (html = '') => {
      const [, base64 = ''] = /data:image\/png;base64,([^"]+)/.exec(html) ?? [];
      return [...decode(Buffer.from(base64, 'base64')).data];
    };
    const mask = (await show(segmentation()))['text/html'];
    expect(pixels(mask)).toEqual([0, 0, 0, 0, 158, 115, 0, 158, 115]);
    expect(mask).toContain('&lt;lung&gt; (3 x 1)');
    const { showOverlay } = await import('../../src/notebook/index.js');
    const image = { width: 3, height: 1, channels: 1, data: Uint8Array.of(10, 20, 30) };
    const cell = showOverlay(image, segmentation(), { truth: Uint8Array.of(0, 0, 1), opacity: 0, caption: 'case 7' });
    const bundle = await show(cell);
    expect(bundle['text/plain']).toBe('case 7');
    expect(pixels(bundle['text/html'])).toEqual([0, 0, 0, 128, 128, 128, 230, 0, 0]);
    expect(() => showOverlay({ ...image, width: 1, height: 1, data: Uint8Array.of(1) }, segmentation())).toThrow(
      'The grey image must hold one value for each pixel',
    );
  });

  it('draws in runtimes that have no document', async () => {
    vi.stubGlobal('document', undefined);
    try {
      expect((await show(result.history))['text/html']).toContain('<svg ');
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
