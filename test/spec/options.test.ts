/** The refusal of unknown options, the rules of a batch normalisation, and how messages write values: each by its text. */
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/runtime/errors.js';
import { checkBatchNorm, checkImageKeys, checkKeys, show } from '../../src/spec/index.js';

describe('show', () => {
  it.each([
    [[3, [1, 'x']], '[3, [1, "x"]]'],
    [Number.NaN, 'NaN'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ top: 1 }, '{"top":1}'],
    ['same', '"same"'],
  ])('writes %j as %s', (value, text) => {
    expect(show(value)).toBe(text);
  });
});

describe('checkKeys', () => {
  it('passes what is known', () => {
    expect(() => checkKeys('A', { size: 1 }, ['size', 'name'])).not.toThrow();
    expect(() => checkImageKeys('A', { size: 1, dataFormat: 'channelsLast' }, ['size'])).not.toThrow();
  });

  it.each([
    [() => checkKeys('A', { sise: 1 }, ['size', 'name']), "A has no option 'sise'. Its options are size, name."],
    [
      () => checkKeys('A', undefined, ['size']),
      'A takes an object of options. Received: undefined. Its options are size.',
    ],
    [() => checkKeys('A', [1], ['size']), 'A takes an object of options. Received: [1]. Its options are size.'],
    [
      () => checkImageKeys('A', { dataFormat: 'channelsFirst' }, ['size']),
      'A takes images [batch, height, width, channels], the channels last. Received: dataFormat="channelsFirst". Transpose channels-first images with tf.transpose(x, [0, 2, 3, 1]), and leave dataFormat out.',
    ],
  ])('refuses %s', (call, message) => {
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(new InvalidArgumentError(message));
  });
});

describe('checkBatchNorm', () => {
  it.each([-1, 0, Number.NaN, Number.POSITIVE_INFINITY, '1e-3', null])('refuses epsilon %j', (epsilon) => {
    const call = () => checkBatchNorm('A', { epsilon, activation: 'relu' });
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(`epsilon of A must be a number > 0. Received: epsilon=${show(epsilon)}.`);
  });

  it('refuses an activation that it does not compute', () => {
    const call = () => checkBatchNorm('A', { epsilon: 1, activation: 'sigmoid' });
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(
      "activation of A must be 'linear' or 'relu'. Received: activation=\"sigmoid\". Use an activation of its own behind it.",
    );
  });
});
