/** The paper's closed forms for the cost of a convolution, and the real cost beside them. */
import { InvalidArgumentError } from '../runtime/errors.js';
import { countPyConv, type PyConvSpec, pyConvSpec, resolveLevels } from '../spec/index.js';

/** Cost of one convolution for one image, without bias. */
export interface ConvolutionCost {
  /** Weights. */
  readonly params: number;
  /** Multiply-accumulates; the paper calls these FLOPs. */
  readonly macs: number;
}

/** What has to be said wherever the closed forms are shown. */
export const CLOSED_FORM_NOTE =
  'The closed forms of a pyramidal convolution (eqs. 7 and 8) give level z the ideal depth FMi / (Kz^2 / K1^2), with which it costs exactly what the convolution costs that it replaces. Real groups are powers of two, so the real count differs: with groups 1, 4, 8, 16 and kernels 3, 5, 7, 9 it is 0.6632 of a dense 3x3 convolution (split 1/8, 1/8, 1/4, 1/2) or 0.7344 (1/4 each). That PyConvU-Net has about half of the parameters of U-Net comes from one bottleneck standing where U-Net has two 3x3 convolutions, not from these formulas.';

/** Arguments of {@link standardConv}. */
export interface StandardConvArgs {
  /** K1, in pixels. */
  readonly kernelSize: number;
  /** FMi: channels of the input. */
  readonly inputChannels: number;
  /** FMo: channels of the output. */
  readonly filters: number;
  /** H of the output, in pixels. */
  readonly height: number;
  /** W of the output, in pixels. */
  readonly width: number;
}

function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new InvalidArgumentError(`${name} must be a positive whole number. Received: ${name}=${value}.`);
  }
}

/**
 * Cost of a standard convolution by the paper's closed forms (Li, Fan, Cai 2021): parameters K1^2 FMi FMo (eq. 5), and
 * those times W H multiply-accumulates (eq. 6).
 *
 * @param args Kernel size, channels, and the size of the output in pixels.
 * @returns Parameters and multiply-accumulates for one image, without bias; the real count is the same.
 * @throws InvalidArgumentError where a number is no positive whole number.
 *
 * @example
 * ```ts
 * import { complexity } from 'pyconvunet';
 *
 * const cost = complexity.standardConv({ kernelSize: 3, inputChannels: 64, filters: 64, height: 256, width: 256 });
 * console.log(cost.params); // 36864
 * ```
 */
export function standardConv(args: StandardConvArgs): ConvolutionCost {
  const { kernelSize, inputChannels, filters, height, width } = args;
  checkCounts({ kernelSize, inputChannels, filters, height, width });
  const params = kernelSize ** 2 * inputChannels * filters;
  return { params, macs: params * height * width };
}

/** Arguments of {@link pyConv}. */
export interface PyConvArgs {
  /** FMi: channels of the input. */
  readonly inputChannels: number;
  /** FMo: channels of the output, all levels together, or one number per level. */
  readonly filters: number | readonly number[];
  /** H of the output, in pixels. */
  readonly height: number;
  /** W of the output, in pixels. */
  readonly width: number;
  /** K1, K2, ..., one per level. Default 3, 5, 7, 9. */
  readonly kernelSizes?: readonly number[];
  /** Real groups per level, or 'auto'. Default 1, 4, 8, 16. */
  readonly groups?: readonly number[] | 'auto';
  /** Share of `filters` per level. Default 1/8, 1/8, 1/4, 1/2. */
  readonly split?: readonly number[];
}

/** Cost of a pyramidal convolution by the closed forms and as it is built. */
export interface PyConvCost {
  /** Eqs. 7 and 8: every level with its ideal depth. */
  readonly closedForm: ConvolutionCost;
  /** With the real groups, as the layer computes it. */
  readonly real: ConvolutionCost;
  readonly levels: readonly {
    readonly kernelSize: number;
    readonly filters: number;
    readonly groups: number;
    /** Input channels of one filter by the closed forms: FMi / (Kz^2 / K1^2), seldom a whole number. */
    readonly idealDepth: number;
    /** Input channels of one filter: FMi / groups. */
    readonly depth: number;
  }[];
  /** Why the two differ, and what follows from it. */
  readonly note: string;
}

/** Eqs. 7 and 8 of a resolved pyramid: the sum over levels z of Kz^2 FMi / (Kz^2 / K1^2) FMoz. */
export function closedFormOf(spec: PyConvSpec): ConvolutionCost {
  const base = spec.levels[0]?.kernelSize ?? 0;
  const params = spec.levels.reduce(
    (sum, { channels: { start, end } }) => sum + base ** 2 * spec.input.channels * (end - start),
    0,
  );
  return { params, macs: params * spec.output.height * spec.output.width };
}

/**
 * Cost of a pyramidal convolution by the paper's closed forms (Li, Fan, Cai 2021, eqs. 7 and 8), and the real cost with its
 * real groups beside it. The two differ: see the result's `note`.
 *
 * @param args Channels, levels with the defaults of the layer, and the size of the output in pixels.
 * @returns Both costs for one image, without bias, and the depth that each assumes at every level.
 * @throws InvalidArgumentError where the levels are illegal, as the layer says it, or a size is no positive whole number.
 *
 * @example
 * ```ts
 * import { complexity } from 'pyconvunet';
 *
 * const cost = complexity.pyConv({ inputChannels: 64, filters: 64, height: 256, width: 256 });
 * console.log(cost.closedForm.params, cost.real.params); // 36864 24448
 * ```
 */
export function pyConv(args: PyConvArgs): PyConvCost {
  const { inputChannels, height, width, filters, kernelSizes, groups, split } = args;
  checkCounts({ inputChannels, height, width });
  const levels = resolveLevels(
    {
      filters,
      ...(kernelSizes === undefined ? {} : { kernelSizes }),
      ...(groups === undefined ? {} : { groups }),
      ...(split === undefined ? {} : { split }),
    },
    inputChannels,
  );
  const spec = pyConvSpec(
    [1, height, width, inputChannels],
    levels.map((level) => [level.kernelSize, level.kernelSize, inputChannels / level.groups, level.filters]),
    { groups: levels.map((level) => level.groups) },
  );
  const real = countPyConv(spec);
  const base = levels[0]?.kernelSize ?? 0;
  return {
    closedForm: closedFormOf(spec),
    real: { params: real.parameters, macs: real.macs },
    levels: levels.map((level) => ({
      ...level,
      idealDepth: (inputChannels * base ** 2) / level.kernelSize ** 2,
      depth: inputChannels / level.groups,
    })),
    note: CLOSED_FORM_NOTE,
  };
}
