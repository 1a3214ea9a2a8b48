/** Losses for segmentation, for `model.compile` and for training loops. */
export { type BceDiceOptions, bceDice } from './bceDice.js';
export { create, type LossName, names } from './create.js';
export { binaryCrossentropy, categoricalCrossentropy, crossentropy } from './crossentropy.js';
export { type DiceOptions, dice } from './dice.js';
export { type FocalOptions, focal } from './focal.js';
export { type GeneralizedDiceOptions, generalizedDice } from './generalizedDice.js';
export { type LovaszOptions, lovasz } from './lovasz.js';
export { type TverskyOptions, tversky } from './tversky.js';
export type { AggregationOptions, BackgroundOptions, Loss, LossOptions } from './types.js';
