export { BatchNorm, type BatchNormArgs, batchNorm } from './batchNorm.js';
export { GroupConv2D, type GroupConv2DArgs, groupConv2d } from './groupConv2d.js';
export { PyConv2D, type PyConv2DArgs, pyConv2d } from './pyConv2d.js';
