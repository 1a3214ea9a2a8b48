export {
  Adam,
  type AdamOptions,
  type AdamStep,
  adam,
  type Gradients,
  type NamedTensor,
  type VariableMoments,
} from './adam.js';
