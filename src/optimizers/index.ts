export { Adam, type AdamOptions, adam, type Gradients, type NamedTensor, type VariableMoments } from './adam.js';
