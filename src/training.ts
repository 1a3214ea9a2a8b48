/**
 * Training: the loop with its exactly resumable state, the optimizer, samples, batches and generated images.
 *
 * @packageDocumentation
 */
export * from './data/index.js';
export * from './optimizers/index.js';
/** The paper's study: paired statistics over cases and seeds. */
export * as study from './study/index.js';
export * from './training/index.js';
