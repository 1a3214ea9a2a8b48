/** Which kernels one convolution by itself is computed with. */
import { describe, expect, it } from 'vitest';
import { type Convolution, forwardProgram, inputGradientProgram } from '../../src/engine/convolution.js';
import type { Program } from '../../src/engine/program.js';
import type { ConvLevel, Pair } from '../../src/engine/types.js';

const machine = { threads: 1, vectors: 6 } as const;

interface Shape {
  readonly size: number;
  readonly channels: number;
  /** Side of each level's kernel. */
  readonly kernels: readonly number[];
  readonly stride?: number;
}

/** Each level has as many filters as there are channels. */
function convolution({ size, channels, kernels, stride = 1 }: Shape): Convolution {
  const levels = kernels.map((k, i): ConvLevel => {
    const before = stride === 1 ? (k - 1) / 2 : 0;
    return {
      kernelSize: [k, k],
      groups: 1,
      ...{ start: i * channels, end: (i + 1) * channels },
      padding: { top: before, bottom: before, left: before, right: before },
      filter: { name: `level ${i + 1}` },
    };
  });
  const strides: Pair = [stride, stride];
  const side = size / stride;
  return {
    batch: 1,
    input: { height: size, width: size, channels },
    output: { height: side, width: side, channels: channels * kernels.length },
    op: { kind: 'conv', levels, bias: null, strides, dilations: [1, 1] },
  };
}

const kernelsOf = ({ steps }: Program): Set<string> =>
  new Set(steps.flatMap(({ phases }) => phases.flat(2).map(({ kernel }) => kernel)));

const forward = (shape: Shape) =>
  kernelsOf(forwardProgram(convolution(shape), machine, { bias: false, relu: false }).program);

describe('a convolution by itself', () => {
  it('takes nested Winograd where that costs less than direct sums', () => {
    expect(forward({ size: 32, channels: 16, kernels: [3] })).toContain('nested');
    const small = forward({ size: 2, channels: 16, kernels: [3] });
    expect(small).not.toContain('nested');
    expect(small).toContain('gatherGemm');
  });

  it('takes Strassen’s algorithm in the gradient of a strided one, on which nested Winograd has no say', () => {
    const strided = convolution({ size: 32, channels: 64, kernels: [2], stride: 2 });
    expect(kernelsOf(inputGradientProgram(strided, machine).program)).toContain('gatherStrassen');
    expect(kernelsOf(forwardProgram(strided, machine, { bias: false, relu: false }).program)).toContain('gatherGemm');
  });
});
