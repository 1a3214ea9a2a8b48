/** A convolution and its gradients from their definition: plain loops in float64, for the engine's test of itself. */
import type { Convolution } from './convolution.js';
import type { ConvLevel } from './types.js';

/** One product of a convolution: where its three factors lie. */
type OnProduct = (x: number, filter: number, y: number) => void;

/** Visits every product of one level. */
function visit({ batch, input, output, op }: Convolution, level: ConvLevel, onProduct: OnProduct): void {
  const { kernelSize, groups, start, end, padding } = level;
  const [kh, kw] = kernelSize;
  const depth = input.channels / groups;
  const filters = end - start;
  for (let sample = 0; sample < batch; sample++) {
    for (let row = 0; row < output.height; row++) {
      for (let column = 0; column < output.width; column++) {
        for (let i = 0; i < kh; i++) {
          const y = row * op.strides[0] + i * op.dilations[0] - padding.top;
          if (y < 0 || y >= input.height) continue;
          for (let j = 0; j < kw; j++) {
            const x = column * op.strides[1] + j * op.dilations[1] - padding.left;
            if (x < 0 || x >= input.width) continue;
            const pixel = ((sample * input.height + y) * input.width + x) * input.channels;
            const place = ((sample * output.height + row) * output.width + column) * output.channels + start;
            for (let f = 0; f < filters; f++) {
              const first = Math.floor((f * groups) / filters) * depth;
              for (let c = 0; c < depth; c++) {
                onProduct(pixel + first + c, ((i * kw + j) * depth + c) * filters + f, place + f);
              }
            }
          }
        }
      }
    }
  }
}

/** The values of a convolution: images, the filters of its levels in order, and the gradient of its output. */
export interface Values {
  readonly x: Float32Array;
  readonly filters: readonly Float32Array[];
  readonly dy: Float32Array;
}

/** The output, the gradient of the input, or that of one level's filter. */
export function plainResult(
  convolution: Convolution,
  { x, filters, dy }: Values,
  of: 'y' | 'dx' | { readonly level: number },
): Float64Array {
  const { levels } = convolution.op;
  const size = of === 'y' ? dy.length : of === 'dx' ? x.length : (filters[of.level]?.length ?? 0);
  const sums = new Float64Array(size);
  const at = (values: Float32Array, i: number): number => values[i] ?? Number.NaN;
  const add = (i: number, product: number) => {
    sums[i] = (sums[i] ?? Number.NaN) + product;
  };
  for (const [i, level] of levels.entries()) {
    if (typeof of === 'object' && of.level !== i) continue;
    const filter = filters[i] ?? new Float32Array(0);
    visit(convolution, level, (a, b, c) => {
      if (of === 'y') add(c, at(x, a) * at(filter, b));
      else if (of === 'dx') add(a, at(filter, b) * at(dy, c));
      else add(b, at(x, a) * at(dy, c));
    });
  }
  return sums;
}
