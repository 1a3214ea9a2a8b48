/**
 * The kernels of the planned engine and their parameters, all 32-bit: addresses and strides in bytes, lengths and pitches in
 * float32, the others counts. The generator in `simd/` writes a function for each of them, a plan calls them by these names.
 *
 * Maps lie in tiles ("tile-phase", src/engine/tiles.ts): each channel is T x T planes; every kernel is a flat loop along a plane.
 */

/** Images and tiles, in either direction. */
const TRANSFER = [
  'image',
  'imageChannels',
  'channels',
  'map',
  'channelStride',
  'planeStride',
  'tile',
  'first',
  'pitch',
  'height',
  'width',
] as const;

/** Components to pixels, F(3,3) and F(4,3). */
const INVERSE = [
  'sums',
  'sumOutput',
  'sumComponent',
  'out',
  'outChannel',
  'planeStride',
  'length',
  'count',
  'epilogue',
  'accumulate',
] as const;

/**
 * Filters into components. `table` has, per component, the offset of its weights, the bytes of the products of one input, and those in
 * front of each section among these, or -1. `block`: outputs side by side, 1 or 2.
 */
const PACK_NESTED = [
  'filter',
  'rowStride',
  'columnStride',
  'inputStride',
  'outputStride',
  'kernelSize',
  'lead',
  'sections',
  'inputs',
  'outputs',
  'scale',
  'table',
  'weights',
  'block',
] as const;

/** Sums of components back to filters; `table`: see lower/gradients.ts. */
const UNPACK_NESTED = [
  'sums',
  'table',
  'sections',
  'lead',
  'kernelSize',
  'inputs',
  'outputs',
  'gradient',
  'rowStride',
  'columnStride',
  'inputStride',
  'outputStride',
] as const;

/** Maximum over 2x2 pixels. */
const POOL = [
  'input',
  'inputChannel',
  'inputPlane',
  'inputFirst',
  'inputPitch',
  'out',
  'outChannel',
  'outPlane',
  'outFirst',
  'outPitch',
  'tileRows',
  'tileColumns',
  'count',
] as const;

/** Its gradient. */
const POOL_GRADIENT = [
  'input',
  'inputChannel',
  'inputPlane',
  'inputFirst',
  'inputPitch',
  'gradient',
  'gradientChannel',
  'gradientPlane',
  'gradientFirst',
  'gradientPitch',
  'target',
  'tileRows',
  'tileColumns',
  'count',
] as const;

/** Pixels of a gradient to components. */
const GRADIENT = [
  'gradient',
  'gradientChannel',
  'planeStride',
  'length',
  'count',
  'components',
  'outputStride',
  'componentStride',
] as const;

/** Products on equal places of all planes. */
const PLANE_PRODUCT = [
  'channels',
  'start',
  'planes',
  'planeStride',
  'length',
  'out',
  'outChannel',
  'inner',
  'weights',
  'epilogue',
  'panel',
  'spill',
  'accumulate',
] as const;

/** Products over lists of places. */
const LIST_PRODUCT = [
  'channels',
  'inputs',
  'from',
  'listLength',
  'pixels',
  'out',
  'outChannel',
  'to',
  'phases',
  'weights',
  'epilogue',
  'panel',
  'accumulate',
] as const;

/** Parameters by kernel. */
export const KERNELS = {
  /** out[n] = epilogue(sum over k of weights[n][k] in[k]) on equal places of all planes. `channels`: addresses of the inputs. */
  gemm: [...PLANE_PRODUCT, 'outputs'],
  /**
   * The same over lists of places: rows k = (tap, channel) are gathered at `from[tap][pixel]`, row r is written to channel
   * r / phases at `to[r % phases][pixel]`. `listLength`: entries of one tap's list, of which `pixels` are done. Any stride, dilation, padding and
   * transposition is a matter of the lists.
   */
  gatherGemm: [...LIST_PRODUCT, 'taps', 'rows'],
  /**
   * gemm by Strassen's algorithm. `lower`: half of the outputs; `pairs` of outputs of the upper half are computed, and the same of
   * the lower one. `panel`: seven panels of half the inputs, `spill`: three register tiles.
   */
  strassen: [...PLANE_PRODUCT, 'pairs', 'lower'],
  /** The same over lists of places: gathered at `from[pixel]`, written at `to[phase][pixel]`; each phase has weights of its own. */
  gatherStrassen: [...LIST_PRODUCT, 'spill', 'pairs', 'lower'],
  /** Nested Winograd: components of 5x5 windows, F(3,3). `kind` 0: windows start one pixel before the tile, 1: two pixels. */
  transform3: [
    'input',
    'inputChannel',
    'planeStride',
    'pitch',
    'length',
    'kind',
    'count',
    'components',
    'componentStride',
    'channelStride',
    'rows',
    'rowStride',
  ],
  /** Components of 6x6 windows, F(4,3). */
  transform4: [
    'input',
    'inputChannel',
    'planeStride',
    'pitch',
    'length',
    'count',
    'components',
    'componentStride',
    'channelStride',
    'rows',
    'rowStride',
  ],
  /**
   * sums[output][component] (+)= sum over a list of offsets of weight * components[offset]. `plan`: per component the
   * address of its list, the end of the list, the offset of its weights, bytes from one output's to the next one's and from those
   * of one sum to those of the next. `summed`: bytes of a list whose products are added up before their sum goes to the others.
   */
  nested: [
    'components',
    'componentStride',
    'plan',
    'weights',
    'sums',
    'sumOutput',
    'sumComponent',
    'count',
    'outputs',
    'length',
    'summed',
    'accumulate',
  ],
  /**
   * The same for one output: loads are shared over the vertical sections. `plan`: per component list, its end, offset of the
   * weights, vertical sections, shift of the components.
   */
  nestedRows: ['components', 'componentStride', 'plan', 'weights', 'sums', 'sumComponent', 'count', 'pitch', 'length'],
  /** Components back to the 3x3 pixels of each tile, with the epilogue. */
  inverse3: INVERSE,
  /** Components back to the 4x4 pixels of each tile, with the epilogue. */
  inverse4: INVERSE,
  /** Zeros wherever a plane holds no pixel of an image, from `begin` to `end` in each plane. */
  zeroMargins: [
    'map',
    'channelStride',
    'planeStride',
    'tile',
    'begin',
    'first',
    'end',
    'pitch',
    'height',
    'width',
    'count',
  ],
  /** Channels of an image [height, width, `imageChannels`] into tiles. */
  toTiles: TRANSFER,
  /** Tiles into channels of an image [height, width, `imageChannels`]. */
  fromTiles: TRANSFER,
  /** Maximum over 2x2 pixels, T = 3. */
  pool3: POOL,
  /** Maximum over 2x2 pixels, T = 4. */
  pool4: POOL,
  /** out[to[pixel]] = maximum over taps of in[from[tap][pixel]]. */
  gatherMax: ['input', 'inputChannel', 'from', 'taps', 'pixels', 'out', 'outChannel', 'to', 'count'],
  /** out[to[pixel]] = sum over taps of shares[tap][pixel] in[from[tap][pixel]]. */
  gatherSum: [
    'input',
    'inputChannel',
    'from',
    'shares',
    'taps',
    'pixels',
    'out',
    'outChannel',
    'to',
    'count',
    'accumulate',
  ],
  /** epilogue(in), channel by channel over whole channels. */
  affine: ['input', 'inputChannel', 'out', 'outChannel', 'length', 'count', 'epilogue'],
  /** epilogue(a + b). */
  sum: ['a', 'aChannel', 'b', 'bChannel', 'out', 'outChannel', 'length', 'count', 'epilogue'],
  /** epilogue(a b); a stride of 0 repeats one channel. */
  product: ['a', 'aChannel', 'b', 'bChannel', 'out', 'outChannel', 'length', 'count', 'epilogue'],
  /** 1 / (1 + exp(-x)). */
  sigmoid: ['input', 'inputChannel', 'out', 'outChannel', 'length', 'count'],
  /** exp(x - max) / sum over the channels. */
  softmax: ['input', 'inputChannel', 'out', 'outChannel', 'length', 'count'],
  /** Filters of a matrix product: weights[row pair][tap][input][2] = scale[row] * filter, by strides; `tapPlaces`: offsets of the taps. */
  packGemm: [
    'filter',
    'tapPlaces',
    'inputStride',
    'taps',
    'inputs',
    'rowStride',
    'phaseStride',
    'phases',
    'rows',
    'scale',
    'weights',
  ],
  /**
   * Weights that packGemm has packed, for Strassen's algorithm: weights[pair][7][input / 2][2]. `lowerBytes`: to the weights of the
   * lower half.
   */
  packStrassen: ['product', 'lowerBytes', 'inner', 'pairs', 'weights'],
  /** The filters of one group in components of F(3,3). */
  packNested3: PACK_NESTED,
  /** The same of F(4,3). */
  packNested4: PACK_NESTED,
  /** Zeros. */
  clear: ['map', 'bytes'],
  /** Per channel mean and variance in float64, margins being zero. `first`: bytes to a pixel; `constants`: as of `normFinish`. */
  channelMoments: ['input', 'inputChannel', 'first', 'length', 'count', 'constants', 'moments'],
  /**
   * From mean and variance to mean and 1 / deviation (float64, `statistics`), scale and shift of the record, and the moving statistics.
   * `constants`: float64 pixels, epsilon, momentum, 1 - momentum, pixels / (pixels - 1).
   */
  normFinish: ['moments', 'statistics', 'record', 'gamma', 'beta', 'mean', 'variance', 'constants', 'count'],
  /** The same from the moving statistics, which stay. */
  normFixed: ['statistics', 'record', 'gamma', 'beta', 'mean', 'variance', 'constants', 'count'],
  /** Per channel, where the record's output is above its floor, the sums of dy and of dy (x - mean), in float64. */
  normSums: ['gradient', 'gradientChannel', 'input', 'inputChannel', 'length', 'count', 'record', 'statistics', 'sums'],
  /** Adds the gradients of gamma and beta; `factors`: a, b, c of dx = a dy + b x + c. `isFixed`: the statistics do not follow x. */
  normGradient: [
    'sums',
    'statistics',
    'gamma',
    'gammaGradient',
    'betaGradient',
    'constants',
    'count',
    'factors',
    'isFixed',
  ],
  /** dx = a dy + b x + c in the place of dy, dy counting where the record's output is above its floor. */
  normApply: ['gradient', 'gradientChannel', 'input', 'inputChannel', 'length', 'count', 'record', 'factors'],
  /** dy where the output is above zero, in its place. */
  reluGradient: ['gradient', 'gradientChannel', 'output', 'outputChannel', 'length', 'count'],
  /** dy y (1 - y) in the place of dy. */
  sigmoidGradient: ['gradient', 'gradientChannel', 'output', 'outputChannel', 'length', 'count'],
  /** Adds the sum of each channel to a number. */
  biasGradient: ['gradient', 'gradientChannel', 'length', 'count', 'out'],
  /** Adds dy to the first largest of each window. `listLength`: entries of one tap's list. */
  gatherMaxGradient: [
    'input',
    'inputChannel',
    'from',
    'taps',
    'listLength',
    'pixels',
    'gradient',
    'gradientChannel',
    'to',
    'target',
    'targetChannel',
    'count',
  ],
  /** dy to the first largest of 2x2 pixels and zeros to the others, T = 3; the target lies as the input does. */
  poolGradient3: POOL_GRADIENT,
  /** The same, T = 4. */
  poolGradient4: POOL_GRADIENT,
  /** out (+)= sum over channels of a b. */
  channelDot: ['a', 'aChannel', 'b', 'bChannel', 'out', 'length', 'count', 'accumulate'],
  /** Components of 3x3 pixels of an output's gradient: A dy A^T, 25 of them. */
  gradient3: GRADIENT,
  /** Components of 4x4 pixels, 36 of them. */
  gradient4: GRADIENT,
  /**
   * Per component, sums over all tiles of an output's components times an input's: sums[row block][output][row][column section].
   * `plan`: per component list of rows, its end, column sections, shift of the inputs, offset of the sums, rows of a block.
   */
  nestedGradient: [
    'components',
    'componentStride',
    'plan',
    'outputs',
    'outputStride',
    'outputComponent',
    'sums',
    'count',
    'outputCount',
    'length',
    'pass',
  ],
  /** Sums of the components of F(3,3) back to taps: G^T M G, added to the gradient of the filter. */
  unpackNested3: UNPACK_NESTED,
  /** The same of F(4,3). */
  unpackNested4: UNPACK_NESTED,
  /** Sums over all places of planes of rows of inputs times outputs: sums[row block][output][row], `sumOutputs` of them in a block. */
  gemmGradient: [
    'channels',
    'rows',
    'start',
    'planes',
    'planeStride',
    'length',
    'gradient',
    'gradientChannel',
    'outputs',
    'sumOutputs',
    'sums',
    'pass',
    'block',
  ],
  /** The same over lists of places, rows k = (tap, channel). */
  gatherGradient: [
    'channels',
    'inputs',
    'from',
    'taps',
    'listLength',
    'pixels',
    'gradient',
    'gradientChannel',
    'to',
    'outputs',
    'sumOutputs',
    'offsets',
    'rows',
    'panel',
    'panelRow',
    'sums',
    'block',
  ],
  /** Sums of a product added to the gradient of a filter. */
  unpackGemm: [
    'sums',
    'block',
    'taps',
    'inputs',
    'outputs',
    'sumOutputs',
    'gradient',
    'tapPlaces',
    'inputStride',
    'outputStride',
  ],
  /** Bias of each record. */
  biasRecord: ['bias', 'record', 'count'],
  /** Adam; `constants`: rate, correction, beta1, 1 - beta1, beta2, 1 - beta2, epsilon. */
  adam: ['weights', 'mean', 'square', 'gradient', 'bytes', 'constants'],
  /** gradient += factors[0] weight + factors[1] sign(weight). */
  penalty: ['weights', 'gradient', 'bytes', 'constants'],
  /**
   * Of a map [rows, channels], its channels a multiple of four, adds per channel the sums of x - centre and of its square, float64.
   * `count`: channels to sum.
   */
  rowSums: ['input', 'centre', 'rows', 'channels', 'count', 'sums', 'products'],
  /** out = factor (x - centre) + shift of such a map, at least 0 where `isRelu`. */
  rowAffine: ['input', 'centre', 'factor', 'shift', 'isRelu', 'rows', 'channels', 'out'],
  /** Adds per channel the sums of dy and of dy (x - centre); where `isMasked`, dy counts where the output is above zero. */
  rowGradientSums: [
    'gradient',
    'input',
    'output',
    'isMasked',
    'centre',
    'rows',
    'channels',
    'count',
    'sums',
    'products',
  ],
  /** out = factor dy + slope (x - centre) + shift, dy counting as above. */
  rowGradient: [
    'gradient',
    'input',
    'output',
    'isMasked',
    'centre',
    'factor',
    'slope',
    'shift',
    'rows',
    'channels',
    'out',
  ],
} as const;

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** What the binaries export as `contract`: those of other parameters would take one argument for another. */
export const CONTRACT: number = /* @__PURE__ */ hashOf(/* @__PURE__ */ JSON.stringify(KERNELS));

/** Name of a kernel. */
export type KernelName = keyof typeof KERNELS;

/** All kernels; programs name each by its place here. */
export const KERNEL_NAMES = /* @__PURE__ */ Object.keys(KERNELS) as KernelName[];

/** The place of each in {@link KERNEL_NAMES}. */
export const KERNEL_NUMBERS = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */ KERNEL_NAMES.map((name, i) => [name, i]),
) as Readonly<Record<KernelName, number>>;

/** The arguments of a kernel, by name. */
export type KernelArguments<Name extends KernelName> = Readonly<Record<(typeof KERNELS)[Name][number], number>>;
