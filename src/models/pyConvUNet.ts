/** PyConvU-Net, in every reading of its description. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../runtime/errors.js';
import { transposedConvolution } from './blocks/convolution.js';
import { buildNetwork } from './blocks/network.js';
import { type Pyramid, pyConvBlock, pyConvNorm } from './blocks/pyramidal.js';
import { type Part, uShape } from './blocks/uShape.js';
import { checkStages, isCount, type NetworkKind, type NetworkOptions, resolveOptions } from './options.js';

const KIND: NetworkKind = {
  name: 'pyconvunet',
  title: 'PyConvU-Net',
  widths: [32, 64, 128, 256, 512],
  ownOptions: ['block', 'planes', 'expansion', 'blocksPerStage', 'kernelSizes', 'groups', 'split'],
};

/** Options of {@link pyConvUNet}. */
export interface PyConvUNetOptions extends NetworkOptions, Pyramid {
  /**
   * 'bottleneck' (default): PyConvBlocks, a pyramidal convolution between two 1x1 convolutions. 'direct': pyramidal
   * convolutions in the place of U-Net's 3x3 convolutions.
   */
  readonly block?: 'bottleneck' | 'direct';
  /** Channels inside each stage's bottlenecks. Default widths / expansion. Given without widths, widths = planes * expansion. */
  readonly planes?: readonly number[];
  /** Output channels of a bottleneck per plane. Default 1. */
  readonly expansion?: number;
  /** Blocks in each stage of the encoder and decoder. Default 1 bottleneck, or 2 direct convolutions as U-Net has. */
  readonly blocksPerStage?: number;
}

/** The channels of each stage, inside and outside its bottlenecks. */
interface Channels {
  readonly widths: readonly number[] | undefined;
  readonly planes: readonly number[];
}

/** Widths and planes from any two of widths, planes and expansion. */
function resolveChannels({ widths, planes, expansion }: PyConvUNetOptions): Channels {
  if (expansion !== undefined && !isCount(expansion)) {
    throw new InvalidArgumentError(
      `expansion of PyConvU-Net must be a positive whole number. Received: expansion=${expansion}.`,
    );
  }
  if (widths !== undefined) checkStages(KIND.title, 'widths', widths);
  if (planes === undefined) {
    const outer = widths ?? KIND.widths;
    const factor = expansion ?? 1;
    if (outer.some((width) => width % factor !== 0)) {
      throw new InvalidArgumentError(
        `PyConvU-Net gives a bottleneck width / expansion planes, which must be whole numbers. Received: widths=[${outer.join(', ')}], expansion=${factor}. Choose widths that are multiples of ${factor}, or give planes.`,
      );
    }
    return { widths, planes: outer.map((width) => width / factor) };
  }
  checkStages(KIND.title, 'planes', planes, widths?.length);
  if (widths === undefined) return { widths: planes.map((count) => count * (expansion ?? 1)), planes };
  if (expansion !== undefined && planes.some((count, i) => count * expansion !== widths[i])) {
    throw new InvalidArgumentError(
      `PyConvU-Net's widths are planes * expansion. Received: widths=[${widths.join(', ')}], planes=[${planes.join(', ')}], expansion=${expansion}. Leave out one of the three.`,
    );
  }
  return { widths, planes };
}

function checkBlocks({ block = 'bottleneck', planes, expansion, blocksPerStage }: PyConvUNetOptions): void {
  if (block !== 'bottleneck' && block !== 'direct') {
    throw new InvalidArgumentError(
      `block of PyConvU-Net must be 'bottleneck' or 'direct'. Received: block=${JSON.stringify(block)}.`,
    );
  }
  if (block === 'direct' && (planes !== undefined || expansion !== undefined)) {
    throw new InvalidArgumentError(
      "planes and expansion of PyConvU-Net belong to bottlenecks. Received: block='direct'. Leave them out, or use block: 'bottleneck'.",
    );
  }
  if (blocksPerStage !== undefined && !isCount(blocksPerStage)) {
    throw new InvalidArgumentError(
      `blocksPerStage of PyConvU-Net must be a positive whole number. Received: blocksPerStage=${blocksPerStage}.`,
    );
  }
}

/** Makes a number of blocks, each in a scope of its own where there are several. */
function repeat(count: number, block: Part): Part {
  return (x, scope, i) => {
    if (count === 1) return block(x, scope, i);
    let y = x;
    for (let j = 1; j <= count; j++) y = block(y, `${scope}/block${j}`, i);
    return y;
  };
}

/**
 * PyConvU-Net (Li, Fan, Cai: "PyConvU-Net: a lightweight and multiscale network for biomedical image segmentation", BMC
 * Bioinformatics 22:14, 2021): U-Net's shape, 2x2 maximum pooling and 2x2 transposed convolution, its stages made of
 * pyramidal convolutions (Duta et al. 2020). Height and width must be multiples of 2^(number of widths - 1).
 *
 * The published code does not run as it is, and no published numbers decide between the readings of it. The default is
 * the one that is legal everywhere and has the paper's 'almost half' of U-Net's parameters; the others, for 3 channels:
 *
 * | reading | options | trainable parameters | of U-Net |
 * |---|---|---|---|
 * | one bottleneck a stage | none | 4,096,801 | 52.8 % |
 * | two bottlenecks a stage (the published DoublePyConv) | `blocksPerStage: 2` | 7,584,737 | 97.7 % |
 * | 64 to 1024, a quarter inside | `widths: [64, 128, 256, 512, 1024], expansion: 4` | 4,238,865 | 54.6 % |
 * | literal repair of the published file | `widths: [128, 256, 512, 1024, 2048], expansion: 4, blocksPerStage: 2` | 23,036,897 | 297 % |
 * | in place of each 3x3 convolution | `block: 'direct'` | 5,389,985 | 69.4 % |
 *
 * @param options Default widths 32, 64, 128, 256, 512.
 * @returns A model from [batch, height, width, channels] to [batch, height, width, numClasses].
 * @throws InvalidArgumentError naming the option that is illegal, or the divisor that a fixed size is no multiple of.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { models } from 'pyconvunet';
 *
 * const model = models.pyConvUNet({ inputShape: [64, 64, 1], widths: [8, 16, 32], seed: 1 });
 * console.log(model.outputs[0]?.shape); // [null, 64, 64, 1]
 * ```
 */
export function pyConvUNet(options: PyConvUNetOptions = {}): tfl.LayersModel {
  checkBlocks(options);
  const { block = 'bottleneck', planes: _, expansion, blocksPerStage, kernelSizes, groups, split, ...common } = options;
  const { widths: outer, planes } = resolveChannels(options);
  const resolved = resolveOptions(KIND, { ...common, ...(outer === undefined ? {} : { widths: outer }) });
  const { widths } = resolved;
  const pyramid: Pyramid = {
    ...(kernelSizes === undefined ? {} : { kernelSizes }),
    ...(groups === undefined ? {} : { groups }),
    ...(split === undefined ? {} : { split }),
  };
  return buildNetwork(KIND, resolved, 2 ** (widths.length - 1), (input, { seed, bottom, logits }) => {
    const filters = (i: number) => widths[i];
    const direct: Part = (map, scope, i) => {
      let y = map;
      for (let index = 1; index <= (blocksPerStage ?? 2); index++) {
        y = pyConvNorm(seed, y, { scope, index, filters: filters(i), pyramid });
      }
      return y;
    };
    const bottleneck = repeat(blocksPerStage ?? 1, (map, scope, i) =>
      pyConvBlock(seed, map, { scope, planes: planes[i], filters: filters(i), pyramid }),
    );
    const x = uShape(input, {
      depth: widths.length,
      stage: block === 'direct' ? direct : bottleneck,
      up: (map, scope, i) =>
        transposedConvolution(seed, map, { name: `${scope}/up`, filters: filters(i), kernelSize: 2 }),
      bottom,
    });
    return [logits(x)];
  });
}
