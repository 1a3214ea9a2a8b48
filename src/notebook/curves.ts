/** A history as curves in a cell: the losses, and the validation scores. */
import { historyChart } from '../charts/index.js';
import type { MimeBundle } from '../runtime/display.js';
import type { History } from '../training/history.js';

/** Figs. 2 and 3 of the paper for one run. */
export async function historyCurves({ loss, valLoss, valDice, valMeanIoU }: History): Promise<MimeBundle> {
  const losses = await historyChart({
    title: 'Loss in each epoch',
    label: 'Loss',
    scale: 'loss',
    standalone: true,
    series: [
      { name: 'training', runs: [loss] },
      { name: 'validation', runs: [valLoss] },
    ],
  });
  const scores = await historyChart({
    title: 'Validation scores in each epoch',
    label: 'Score',
    scale: 'score',
    standalone: true,
    series: [
      { name: 'Dice', runs: [valDice] },
      { name: 'MIoU', runs: [valMeanIoU] },
    ],
  });
  return { 'text/html': `<div style="display: flex; flex-wrap: wrap; gap: 1em">${losses}${scores}</div>` };
}
