export { BatchNorm, type BatchNormArgs, batchNorm } from './batchNorm.js';
export { BilinearUpsampling, type BilinearUpsamplingArgs, bilinearUpsampling } from './bilinearUpsampling.js';
export { Crop, type CropArgs, crop } from './crop.js';
export { Dropout, type DropoutArgs, dropout } from './dropout.js';
export { GroupConv2D, type GroupConv2DArgs, groupConv2d } from './groupConv2d.js';
export { NearestUpsampling, type NearestUpsamplingArgs, nearestUpsampling } from './nearestUpsampling.js';
export { PyConv2D, type PyConv2DArgs, pyConv2d } from './pyConv2d.js';
export { SizeGuard, type SizeGuardArgs } from './sizeGuard.js';
