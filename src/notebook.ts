/**
 * Results in notebooks (Deno's Jupyter kernel and others that know `Symbol.for('Jupyter.display')`): once imported, histories
 * show curves, segmentations their masks, comparisons their tables.
 *
 * @packageDocumentation
 */
export * from './notebook/index.js';
