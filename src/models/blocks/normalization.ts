/** Batch normalisation as every network uses it: PyTorch's epsilon and momentum. */
import { batchNorm } from '../../layers/index.js';
import { apply, type FeatureMap } from './apply.js';

/** One normalisation of a network. */
export interface NormalizationOptions {
  readonly name: string;
  /** Computed in the same pass. Default 'relu'. */
  readonly activation?: 'linear' | 'relu';
  /** Whether it has a factor per channel. Default true. */
  readonly scale?: boolean;
}

/** Batch normalisation, by default followed by a ReLU. */
export function normalization(x: FeatureMap, options: NormalizationOptions): FeatureMap {
  const { name, activation = 'relu', scale = true } = options;
  return apply(batchNorm({ name, activation, scale }), x);
}
