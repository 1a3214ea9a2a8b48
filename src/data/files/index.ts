/** Data sets on disk, for Node, Deno and Bun. */
export type { LoadedSamples } from '../prepare.js';
export { digestsOf } from './digests.js';
export { findPairs, ISBI, masksBeside, type PageRef, type Pair, pagesOf } from './layouts.js';
export { type LoadOptions, loadSamples } from './load.js';
