export * from './activation.js';
export * from './batchNorm.js';
export * from './levels.js';
export * from './options.js';
export * from './padding.js';
export * from './pyConvSpec.js';
