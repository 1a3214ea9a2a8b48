/** Models side by side: the text of the table, what it says under itself, and each refusal. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type ComparisonRow, compare, formatComparison } from '../../src/complexity/index.js';
import { create } from '../../src/models/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';

const row = (model: string, trainable: number, macs: number): ComparisonRow => ({
  model,
  inputShape: [512, 512, 3],
  convention: 'paper',
  params: { trainable, nonTrainable: 5888, total: trainable + 5888 },
  macs,
  flops: 2 * macs,
});
const ROWS = [row('unet', 7_765_985, 48_572_399_616), row('unet++', 9_163_329, 138_602_086_400)];

describe('compare', () => {
  it('counts models one by one, so that a generator may dispose of each', () => {
    const tensors = tf.memory().numTensors;
    let alive = 0;
    function* networks() {
      for (const name of ['unet', 'pyconvunet'] as const) {
        const model = create(name, { widths: [8, 16], seed: 1 });
        alive++;
        expect(alive).toBe(1);
        yield model;
        model.dispose();
        alive--;
      }
    }
    const reports = compare(networks(), { convention: 'paper', inputShape: [32, 16, 3] });
    expect(reports.map(({ model, convention, inputShape }) => ({ model, convention, inputShape }))).toEqual([
      { model: 'unet', convention: 'paper', inputShape: [32, 16, 3] },
      { model: 'pyconvunet', convention: 'paper', inputShape: [32, 16, 3] },
    ]);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(formatComparison(reports)).toContain('eqs. 7 and 8');
  });
});

describe('compare of anything else', () => {
  it.each([
    ['names', ['unet', 'pyconvunet'], '"unet"'],
    ['a name', 'unet', '"unet"'],
    ['nothing', undefined, 'undefined'],
    ['null', [null], 'null'],
  ])('says what it takes: %s', (_, received, shown) => {
    expect(() => compare(received as never)).toThrow(
      new InvalidArgumentError(
        `complexity.compare takes models, [models.uNet(), models.pyConvUNet()]. Received: ${shown}. Build a network by its name with models.create('unet').`,
      ),
    );
  });
});

describe('formatComparison', () => {
  it("is the paper's Table 3 with shares of U-Net and how it was counted", () => {
    const [header, unet, nested, how, ...rest] = formatComparison(ROWS).split('\n');
    expect([header, unet, nested]).toEqual([
      'network  trainable  other  of unet    GMac   GFLOP  of unet',
      'unet     7,765,985  5,888  100.0 %   48.57   97.14  100.0 %',
      'unet++   9,163,329  5,888  118.0 %  138.60  277.20  285.4 %',
    ]);
    expect(how).toMatch(
      /^Counted for one image of 512x512x3 under the convention 'paper': as ptflops counted for the paper: .*\. One multiply-accumulate is two FLOPs\.$/,
    );
    expect(rest).toEqual([]);
  });

  it('leaves out the shares where U-Net is not among the rows, and takes any other baseline', () => {
    const [, nested] = ROWS;
    if (nested === undefined) throw new Error('no row');
    expect(formatComparison([nested]).split('\n')[0]).toBe('network  trainable  other    GMac   GFLOP');
    expect(formatComparison(ROWS, { baseline: 'unet++' }).split('\n')[1]).toBe(
      'unet     7,765,985  5,888     84.8 %   48.57   97.14     35.0 %',
    );
  });

  it('repeats the warnings', () => {
    const text = formatComparison([{ ...row('mine', 1, 1), warnings: ['Layer x counts as 0.'] }]);
    expect(text.split('\n').at(-1)).toBe('mine: Layer x counts as 0.');
  });

  it.each([
    ['no row', () => formatComparison([]), 'formatComparison needs at least one row. Received: none.'],
    [
      'two conventions',
      () => formatComparison([row('a', 1, 1), { ...row('b', 1, 1), convention: 'macs' }]),
      "Rows can be compared where they were counted in one way. Received: a under convention 'paper' at 512x512x3, b under convention 'macs' at 512x512x3.",
    ],
    [
      'two sizes',
      () => formatComparison([row('a', 1, 1), { ...row('b', 1, 1), inputShape: [64, 64, 3] }]),
      "Rows can be compared where they were counted in one way. Received: a under convention 'paper' at 512x512x3, b under convention 'paper' at 64x64x3.",
    ],
    [
      'a baseline that is not there',
      () => formatComparison(ROWS, { baseline: 'fcn8s' }),
      "There is no row 'fcn8s' to compare with. Received: unet, unet++.",
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
