/** ResNet34_UNet: a ResNet-34 encoder with LinkNet's decoder. */
import * as tfl from '@tensorflow/tfjs-layers';
import { apply, type FeatureMap } from './blocks/apply.js';
import { convolution, transposedConvolution, zeroPad } from './blocks/convolution.js';
import { linkDecoder } from './blocks/linkDecoder.js';
import { add, relu } from './blocks/merging.js';
import { buildNetwork } from './blocks/network.js';
import { normalization } from './blocks/normalization.js';
import { residualBlock } from './blocks/residualBlock.js';
import { checkStages, type NetworkKind, type NetworkOptions, resolveOptions } from './options.js';

const KIND: NetworkKind = {
  name: 'resnet34-unet',
  title: 'ResNet34-UNet',
  widths: [64, 128, 256, 512],
  ownOptions: ['blocksPerStage'],
};
const BLOCKS = [3, 4, 6, 3];

/** Options of {@link resNet34UNet}. */
export interface ResNet34UNetOptions extends NetworkOptions {
  /** Residual blocks of each stage. Default 3, 4, 6, 3 as ResNet-34; 3 for every stage beyond the fourth. */
  readonly blocksPerStage?: readonly number[];
}

function stem(seed: number, input: FeatureMap, filters: number): FeatureMap {
  const conv = convolution(seed, input, { name: 'stem/conv', filters, kernelSize: 7, strides: 2, useBias: false });
  const norm = normalization(conv, { name: 'stem/norm' });
  // Zeros stand for PyTorch's minus infinity: behind a ReLU they never win over a value.
  const padded = zeroPad(norm, 1, 'stem/poolPad');
  return apply(tfl.layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'valid', name: 'stem/pool' }), padded);
}

/**
 * ResNet34_UNet as the public code that the paper compared with: the encoder of ResNet-34 (He et al. 2016), decoder blocks
 * of LinkNet whose skips are added, and a tail of a 4x4 transposed convolution and two 3x3 convolutions, the second being
 * `logits`. The stem has no skip. Height and width must be multiples of 2^(number of widths + 1).
 *
 * @param options Default widths 64, 128, 256, 512: 21,656,897 trainable parameters for 3 channels.
 * @returns A model from [batch, height, width, channels] to [batch, height, width, numClasses].
 * @throws InvalidArgumentError naming the option that is illegal, or the divisor that a fixed size is no multiple of.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * const model = models.resNet34UNet({ widths: [8, 16], blocksPerStage: [1, 1], seed: 1 });
 * console.log(models.divisor(model)); // 8
 * ```
 */
export function resNet34UNet(options: ResNet34UNetOptions = {}): tfl.LayersModel {
  const { blocksPerStage, ...common } = options;
  const resolved = resolveOptions(KIND, common);
  const { widths, numClasses } = resolved;
  const blocks = blocksPerStage ?? widths.map((_, i) => BLOCKS[i] ?? 3);
  checkStages(KIND.title, 'blocksPerStage', blocks, widths.length);
  return buildNetwork(KIND, resolved, 2 ** (widths.length + 1), (input, { seed, bottom }) => {
    const [first] = widths;
    const skips: FeatureMap[] = [];
    let x = stem(seed, input, first);
    for (const [i, filters] of widths.entries()) {
      if (i > 0) skips.push(x);
      for (let j = 0; j < blocks[i]; j++) {
        const strides = i > 0 && j === 0 ? 2 : 1;
        x = residualBlock(seed, x, { scope: `encoder${i + 1}/block${j + 1}`, filters, strides });
      }
    }
    x = bottom(x);
    for (const [i, skip] of [...skips.entries()].reverse()) {
      const scope = `decoder${i + 2}`;
      x = add([linkDecoder(seed, x, scope, widths[i]), skip], `${scope}/add`);
    }
    x = linkDecoder(seed, x, 'decoder1', first);
    const tail = Math.max(1, Math.floor(first / 2));
    x = relu(transposedConvolution(seed, x, { name: 'tail/up', filters: tail, kernelSize: 4 }), 'tail/upRelu');
    x = relu(convolution(seed, x, { name: 'tail/conv', filters: tail, kernelSize: 3 }), 'tail/relu');
    return [convolution(seed, x, { name: 'logits', filters: numClasses, kernelSize: 3 })];
  });
}
