export { type NetworkFigureOptions, networkFigure } from './network.js';
export {
  type PyConvFigureOptions,
  type PyConvSpecOptions,
  pyConvFigure,
  pyConvSpecOf,
} from './pyramid.js';
export {
  type Connection,
  type ConnectionKind,
  type NetworkGraph,
  type NetworkGraphOptions,
  networkGraph,
  type Stage,
  type StageRole,
} from './stages.js';
