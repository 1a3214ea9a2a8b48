/** Data sets on disk, for Node, Deno and Bun. */
export { findPairs, type PageRef, type Pair } from './layouts.js';
export { type LoadedSamples, type LoadOptions, loadSamples } from './load.js';
