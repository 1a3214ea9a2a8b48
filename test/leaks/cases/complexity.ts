/** Leak cases of counting: it reads shapes and leaves the model as it is. */
import { complexity } from '../../../src/index.js';
import { tinyNet } from '../inputs.js';
import { type LeakCases, withModel } from '../leakCase.js';

const inputShape = [16, 16, 1];
const convolution = { kernelSize: 3, inputChannels: 16, filters: 64, height: 8, width: 8 };

export const cases: LeakCases = {
  complexity: () => withModel(tinyNet(), (model) => complexity.complexity(model, { inputShape, convention: 'paper' })),
  compare: () => withModel(tinyNet(), (model) => complexity.compare([model, model], { inputShape })),
  formatComparison: () =>
    withModel(tinyNet(), (model) =>
      complexity.formatComparison([complexity.complexity(model, { inputShape, name: 'unet' })]),
    ),
  standardConv: () => complexity.standardConv(convolution),
  pyConv: () => complexity.pyConv(convolution),
};
