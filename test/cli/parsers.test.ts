/** What options take, and what they say of anything else. */
import { expect, it } from 'vitest';
import { size } from '../../src/cli/parsers.js';

it('a size is one number or two', () => {
  expect(size('128')).toEqual([128, 128]);
  expect(size('96x128')).toEqual([96, 128]);
  expect(size('96X128')).toEqual([96, 128]);
});

it.each(['128x', 'x128', '0', '96x0', '1x2x3', '12.5', '-4', ''])('%j is no size', (text) => {
  expect(() => size(text)).toThrow('It must be N or HEIGHTxWIDTH, such as 128 or 96x128.');
});
