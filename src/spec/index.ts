export * from './activation.js';
export * from './levels.js';
export * from './padding.js';
export * from './pyConvSpec.js';
