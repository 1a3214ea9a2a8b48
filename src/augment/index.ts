/** Augmentation of image and mask together: seeded, exact, serialisable. */
export { expand } from './expand.js';
export { type RandomOptions, random } from './random.js';
export type { Augmentable } from './rearrange.js';
export {
  compose,
  flipHorizontal,
  flipVertical,
  fromJSON,
  rotate90,
  rotate180,
  type Transform,
  type TransformConfig,
  type TransformName,
} from './transforms.js';
