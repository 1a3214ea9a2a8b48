export {
  CLOSED_FORM_NOTE,
  type ConvolutionCost,
  type PyConvArgs,
  type PyConvCost,
  pyConv,
  type StandardConvArgs,
  standardConv,
} from './closedForms.js';
export { type ComparisonRow, compare, formatComparison } from './compare.js';
export { type ComplexityOptions, type ComplexityReport, complexity, type LayerComplexity } from './complexity.js';
export { CONVENTIONS, type Convention } from './conventions.js';
