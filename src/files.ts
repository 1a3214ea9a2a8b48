/**
 * Data sets, images and run folders on disk, for Node, Deno and Bun.
 *
 * @packageDocumentation
 */
export * from './data/files/index.js';
export * from './training/files/index.js';
