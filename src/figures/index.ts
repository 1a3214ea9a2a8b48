export type { Connection, ConnectionKind } from './connections.js';
export { type NetworkFigureOptions, networkFigure } from './network.js';
export { type PyConvSpecOptions, pyConvSpecOf } from './pyConvSpecOf.js';
export { type PyConvFigureOptions, pyConvFigure } from './pyramid.js';
export {
  type NetworkGraph,
  type NetworkGraphOptions,
  networkGraph,
  type Stage,
  type StageRole,
} from './stages.js';
