/** What a training run measured, epoch by epoch. */
import { DisplayKind } from '../runtime/display.js';

/** One value per finished epoch in each list. */
export interface History {
  /** Mean of the training loss over the epoch's batches (as Fig. 2 of the paper). */
  readonly loss: readonly number[];
  readonly valLoss: readonly number[];
  /** Mean of the IoU over all classes, over the whole validation part. */
  readonly valMeanIoU: readonly number[];
  /** Dice of the foreground over the whole validation part. */
  readonly valDice: readonly number[];
}

/** The validation scores of one epoch. */
export interface EpochScores {
  readonly loss: number;
  readonly valLoss: number;
  readonly valMeanIoU: number;
  readonly valDice: number;
}

/** The epoch with the best validation Dice. */
export interface BestEpoch {
  /** Counted from 1. */
  readonly epoch: number;
  readonly meanIoU: number;
  readonly dice: number;
}

/** A history in a Jupyter cell. */
export const historyDisplay = new DisplayKind<History>(({ loss, valDice }) => {
  const best = Math.max(...valDice);
  return loss.length === 0
    ? 'History of no epoch'
    : `History of ${loss.length} epochs: loss ${loss.at(-1)?.toFixed(4)}, best validation Dice ${best.toFixed(4)} in epoch ${valDice.indexOf(best) + 1}`;
});

export const EMPTY_HISTORY: History = { loss: [], valLoss: [], valMeanIoU: [], valDice: [] };

/** The history with one more epoch. */
export function extendHistory(history: History, scores: EpochScores): History {
  return {
    loss: [...history.loss, scores.loss],
    valLoss: [...history.valLoss, scores.valLoss],
    valMeanIoU: [...history.valMeanIoU, scores.valMeanIoU],
    valDice: [...history.valDice, scores.valDice],
  };
}

/** The best of two epochs; the earlier one where they are equal. */
export function betterEpoch(best: BestEpoch | null, candidate: BestEpoch): BestEpoch {
  return best === null || candidate.dice > best.dice ? candidate : best;
}
