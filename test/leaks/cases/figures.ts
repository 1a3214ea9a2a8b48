/** Leak cases of the figures: they read a network and leave it as it is. */
import { figures, layers, models } from '../../../src/index.js';
import { tinyNet } from '../inputs.js';
import { type LeakCases, withModel } from '../leakCase.js';

const inputShape = [16, 16, 1] as const;

export const cases: LeakCases = {
  networkGraph: () => withModel(tinyNet(), (model) => figures.networkGraph(model, { inputShape })),
  networkFigure: () => withModel(tinyNet(), (model) => figures.networkFigure(model, { inputShape })),
  pyConvSpecOf: () =>
    withModel(models.pyConvUNet({ widths: [8, 16], inputShape: [null, null, 1], seed: 1 }), (model) =>
      figures.pyConvSpecOf(model, { inputShape }),
    ),
  pyConvFigure: () => figures.pyConvFigure(layers.pyConv2d({ filters: 64 }).spec([1, 16, 16, 64])),
};
