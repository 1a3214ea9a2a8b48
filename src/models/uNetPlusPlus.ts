/** UNet++. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { bilinearUpsampling } from '../layers/bilinearUpsampling.js';
import { apply, type FeatureMap } from './blocks/apply.js';
import { doubleConvolution } from './blocks/doubleConvolution.js';
import { concatenate, maxPool } from './blocks/merging.js';
import { buildNetwork } from './blocks/network.js';
import { type NetworkKind, type NetworkOptions, resolveOptions } from './options.js';

const KIND: NetworkKind = {
  name: 'unetplusplus',
  title: 'UNet++',
  widths: [32, 64, 128, 256, 512],
  ownOptions: ['deepSupervision'],
};

/** Options of {@link uNetPlusPlus}. */
export interface UNetPlusPlusOptions extends NetworkOptions {
  /** One head for each node of the full resolution instead of the last one's alone. Default false. */
  readonly deepSupervision?: boolean;
}

/**
 * UNet++ (Zhou et al.: "UNet++: a nested U-Net architecture for medical image segmentation", DLMIA 2018): node (i, j) sees
 * all nodes (i, 0..j-1) of its resolution and node (i + 1, j - 1), enlarged bilinearly with aligned corners. Height and
 * width must be multiples of 2^(number of widths - 1).
 *
 * @param options Default widths 32, 64, 128, 256, 512: 9,163,329 trainable parameters for 3 channels, 99 more with
 *   `deepSupervision`.
 * @returns A model from [batch, height, width, channels] to [batch, height, width, numClasses]; with `deepSupervision` to
 *   such a map for each node (0, 1), (0, 2), ..., the last being the network's prediction. The heads' layers are named
 *   `logits1`, `logits2`, ..., `logits`.
 * @throws InvalidArgumentError naming the option that is illegal, or the divisor that a fixed size is no multiple of.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * const model = models.uNetPlusPlus({ widths: [8, 16, 32], deepSupervision: true, seed: 1 });
 * console.log(model.outputs.length); // 2
 * ```
 */
export function uNetPlusPlus(options: UNetPlusPlusOptions = {}): tfl.LayersModel {
  const { deepSupervision = false, ...common } = options;
  const resolved = resolveOptions(KIND, common);
  const { widths } = resolved;
  const depth = widths.length;
  return buildNetwork(KIND, resolved, 2 ** (depth - 1), (input, { seed, bottom, logits }) => {
    // One row per resolution; a column is finished before the next begins.
    const rows: FeatureMap[][] = [];
    for (let i = 0, x = input; i < depth; i++) {
      const stage = doubleConvolution(seed, x, `node${i}_0`, widths[i]);
      rows.push([i === depth - 1 ? bottom(stage) : stage]);
      if (i < depth - 1) x = maxPool(stage, `node${i}_0/pool`);
    }
    for (let j = 1; j < depth; j++) {
      for (const [i, row] of rows.slice(0, depth - j).entries()) {
        const below = rows[i + 1][j - 1];
        const scope = `node${i}_${j}`;
        const up = apply(bilinearUpsampling({ size: 2, name: `${scope}/up` }), below);
        row.push(doubleConvolution(seed, concatenate([...row, up], `${scope}/concat`), scope, widths[i]));
      }
    }
    const [, ...heads] = rows[0];
    return heads.flatMap((map, i) => {
      if (i === heads.length - 1) return [logits(map)];
      return deepSupervision ? [logits(map, `logits${i + 1}`)] : [];
    });
  });
}
