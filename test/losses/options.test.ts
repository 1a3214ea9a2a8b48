/** Misspelt and illegal options of losses. */
import { describe, expect, test } from 'vitest';
import * as losses from '../../src/losses/index.js';
import { InvalidArgumentError } from '../../src/runtime/errors.js';

type Factory = (options: object) => unknown;
const overlap = 'smooth, aggregation, includeBackground, fromLogits, numClasses';
const factories: readonly (readonly [string, Factory, string])[] = [
  ['bceDice', losses.bceDice, `bceWeight, diceWeight, ${overlap}`],
  ['binaryCrossentropy', losses.binaryCrossentropy, 'fromLogits, numClasses'],
  ['categoricalCrossentropy', losses.categoricalCrossentropy, 'fromLogits, numClasses'],
  ['crossentropy', losses.crossentropy, 'fromLogits, numClasses'],
  ['dice', losses.dice, overlap],
  ['focal', losses.focal, 'gamma, alpha, fromLogits, numClasses'],
  ['generalizedDice', losses.generalizedDice, 'smooth, aggregation, fromLogits, numClasses'],
  ['lovasz', losses.lovasz, 'aggregation, fromLogits, numClasses'],
  ['tversky', losses.tversky, `alpha, beta, ${overlap}`],
];

test('the table holds every loss', () => {
  const others = ['create', 'names', 'lovaszExtension'];
  const made = Object.keys(losses).filter((name) => !others.includes(name));
  expect(factories.map(([name]) => name)).toEqual(made.sort());
});

describe.each(factories)('%s', (name, factory, known) => {
  test('refuses an option that it does not know', () => {
    expect(() => factory({ wieght: 1 })).toThrow(
      new InvalidArgumentError(`losses.${name} has no option 'wieght'. Its options are ${known}.`),
    );
  });

  test('refuses illegal values of shared options', () => {
    expect(() => factory({ numClasses: 0 })).toThrow(
      new InvalidArgumentError(`losses.${name}: numClasses must be a whole number >= 1. Received: numClasses=0.`),
    );
    expect(() => factory({ fromLogits: 'yes' })).toThrow(
      new InvalidArgumentError(`losses.${name}: fromLogits must be true or false. Received: fromLogits="yes".`),
    );
  });

  test.runIf(known.includes('aggregation'))('refuses another aggregation', () => {
    expect(() => factory({ aggregation: 'x' })).toThrow(
      new InvalidArgumentError(`losses.${name}: aggregation must be 'batch' or 'image'. Received: aggregation="x".`),
    );
  });

  test.runIf(known.includes('includeBackground'))('refuses a background that is neither counted nor not', () => {
    expect(() => factory({ includeBackground: 0 })).toThrow(
      new InvalidArgumentError(
        `losses.${name}: includeBackground must be true or false. Received: includeBackground=0.`,
      ),
    );
  });
});

test('create passes on what it received', () => {
  expect(() => losses.create('tversky', { alfa: 1 } as object)).toThrow("losses.tversky has no option 'alfa'.");
});
