/**
 * Data sets, models and run folders on disk, for Node, Deno and Bun.
 *
 * @packageDocumentation
 */
export {
  findPairs,
  type LoadedSamples,
  type LoadOptions,
  loadSamples,
  type PageRef,
  type Pair,
} from './data/files/index.js';
export {
  createRun,
  type RunConfig,
  readCheckpoint,
  readRunConfig,
  saveModel,
  writeCheckpoint,
  writeHistory,
} from './training/files/index.js';
