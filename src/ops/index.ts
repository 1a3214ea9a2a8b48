export { type BatchNormOptions, type BatchNormResult, batchNorm } from './batchNorm.js';
export { composedBatchNorm, composedBatchNormGrad } from './batchNormKernels.js';
export { type ConvGeometry, convBackpropFilter, convBackpropInput } from './convolution.js';
export { ensureKernels } from './ensureKernels.js';
export * from './kernelNames.js';
export { type GroupConv2dOptions, groupConv2d, type PyConv2dOptions, pyConv2d } from './pyConv2d.js';
export { composedPyConv, composedPyConvBackpropFilter, composedPyConvBackpropInput } from './pyConvKernels.js';
export { runKernel } from './registry.js';
