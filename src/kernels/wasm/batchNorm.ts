/** BatchNorm and BatchNormGrad on wasm: two passes over the map each, sums in float64. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type * as tf from '@tensorflow/tfjs-core';
import { affineProgram, gradientProgram, gradientSumsProgram, type Rows, sumsProgram } from '../../engine/batchNorm.js';
import { BATCH_NORM, BATCH_NORM_GRAD, type BatchNormAttrs } from '../../ops/index.js';
import { makeOutputs, moveHere, valuesOf } from './heap.js';
import { type ProgramCache, programsOf } from './programCache.js';
import { registerWasmKernel, type WasmKernelArguments } from './register.js';

type Arguments = WasmKernelArguments<tf.NamedTensorInfoMap, BatchNormAttrs>;

/** The ops hand their inputs over as an array, which the engine passes on as a map by index. */
function listOf(inputs: tf.NamedTensorInfoMap): tf.TensorInfo[] {
  return Object.values(inputs).filter((tensor) => tensor !== undefined);
}

/**
 * A map as the kernels walk it: as rows of whole vectors, so that four rows are one where the channels are no multiple of four,
 * and the values behind the last of these.
 */
interface Layout extends Rows {
  /** Channels of the map. */
  readonly own: number;
  /** Values of a channel. */
  readonly count: number;
  /** The first value behind the rows, and the end. */
  readonly rest: number;
  readonly size: number;
}

function layoutOf({ shape }: tf.TensorInfo): Layout {
  const own = shape[shape.length - 1];
  const size = shape.reduce((product, length) => product * length, 1);
  const channels = own % 4 === 0 ? own : 4 * own;
  const rows = Math.floor(size / channels);
  return { own, count: size / own, channels, rows, rest: rows * channels, size };
}

/** The sums of one pass, float64 each: of the numbers, and of their products. */
interface Sums {
  readonly sum: Float64Array;
  readonly product: Float64Array;
}

/** Memory of a pass for what it reads and writes per channel: `values` arrays of float32 and behind them the two sums. */
class PassMemory {
  constructor(
    private readonly cache: ProgramCache,
    private readonly layout: Layout,
    private readonly address: number,
    private readonly values: number,
  ) {}

  static bytes({ channels }: Layout, values: number): number {
    return 4 * channels * values + 16 * channels;
  }

  /** Address of an array of float32, filled with the numbers of the channels, again and again. */
  write(index: number, numbers: ArrayLike<number>): number {
    const { channels, own } = this.layout;
    const address = this.address + 4 * channels * index;
    const target = this.cache.floats(address, channels);
    for (let i = 0; i < channels; i++) target[i] = numbers[i % own];
    return address;
  }

  /** Addresses of the sums, which start at zero. */
  clearSums(): [number, number] {
    const { channels } = this.layout;
    const first = this.address + 4 * channels * this.values;
    this.cache.floats(first, 4 * channels).fill(0);
    return [first, first + 8 * channels];
  }

  readSums(): Sums {
    const { channels, own } = this.layout;
    const first = this.address + 4 * channels * this.values;
    const [sum, product] = [first, first + 8 * channels].map((address) => {
      const all = this.cache.doubles(address, channels);
      const sums = new Float64Array(own);
      for (let i = 0; i < channels; i++) sums[i % own] += all[i];
      return sums;
    });
    return { sum, product };
  }
}

const addressesOf = (backend: BackendWasm, tensors: readonly tf.TensorInfo[]): number[] =>
  tensors.map(({ dataId }) => backend.getMemoryOffset(dataId));

function batchNorm({ inputs, attrs, backend }: Arguments): tf.TensorInfo[] {
  const { epsilon, activation, scale, center } = attrs;
  const relu = activation === 'relu';
  const tensors = listOf(inputs);
  const layout = layoutOf(tensors[0]);
  const { own, count, channels, rows, rest, size } = layout;
  moveHere(backend, tensors);
  const cache = programsOf(backend);
  const outputs = makeOutputs(backend, [tensors[0].shape, [own], [own]]);
  try {
    cache.withScratch(PassMemory.bytes(layout, 3), (address) => {
      const memory = new PassMemory(cache, layout, address, 3);
      const [xAddress, yAddress] = addressesOf(backend, [tensors[0], outputs[0]]);
      // Relative to the first row, so that a large common offset costs no digits.
      const centre = valuesOf(backend, tensors)[0].slice(0, own);
      const centreAddress = memory.write(0, centre);
      cache.execute(`norm sums ${rows} ${channels}`, () => sumsProgram({ rows, channels }), [
        ...[xAddress, centreAddress],
        ...memory.clearSums(),
      ]);
      const { sum, product } = memory.readSums();
      const [x, ...parameters] = valuesOf(backend, tensors);
      for (let i = rest; i < size; i++) {
        const value = x[i] - centre[i % own];
        sum[i % own] += value;
        product[i % own] += value * value;
      }
      const gamma = scale ? parameters[0] : undefined;
      const beta = center ? parameters[scale ? 1 : 0] : undefined;
      const shifted = sum.map((value) => value / count);
      const variance = product.map((value, c) => Math.max(0, value / count - shifted[c] * shifted[c]));
      const factor = variance.map((value, c) => (gamma?.[c] ?? 1) / Math.sqrt(value + epsilon));
      const shift = factor.map((value, c) => (beta?.[c] ?? 0) - shifted[c] * value);
      cache.execute(`norm ${relu} ${rows} ${channels}`, () => affineProgram({ rows, channels }, relu), [
        ...[xAddress, centreAddress, memory.write(1, factor), memory.write(2, shift), yAddress],
      ]);
      const [now, y, meanOut, varianceOut] = valuesOf(backend, [tensors[0], ...outputs]);
      for (let i = rest; i < size; i++) {
        const value = (now[i] - centre[i % own]) * factor[i % own] + shift[i % own];
        y[i] = relu ? Math.max(0, value) : value;
      }
      meanOut.set(shifted.map((value, c) => centre[c] + value));
      varianceOut.set(variance);
    });
  } catch (error) {
    cache.disposeOutputs(outputs);
    throw error;
  }
  return outputs;
}

function batchNormGrad({ inputs, attrs, backend }: Arguments): tf.TensorInfo[] {
  const { epsilon, activation, scale } = attrs;
  const relu = activation === 'relu';
  const tensors = listOf(inputs);
  const layout = layoutOf(tensors[1]);
  const { own, count, channels, rows, rest, size } = layout;
  moveHere(backend, tensors);
  const cache = programsOf(backend);
  const outputs = makeOutputs(backend, [tensors[1].shape, [own], [own]]);
  try {
    cache.withScratch(PassMemory.bytes(layout, 4), (address) => {
      const memory = new PassMemory(cache, layout, address, 4);
      const maps = addressesOf(backend, tensors.slice(0, 3));
      const [dxAddress] = addressesOf(backend, outputs);
      const [mean, variance, gamma] = valuesOf(backend, tensors.slice(3)).map((values) => values.slice());
      // dy, behind the ReLU where there is one, and x - mean of the values behind the rows.
      const [dy, x, y] = valuesOf(backend, tensors);
      const others = Array.from({ length: size - rest }, (_, i) => {
        const at = rest + i;
        return { at, c: at % own, g: relu && y[at] <= 0 ? 0 : dy[at], centred: x[at] - mean[at % own] };
      });
      const centreAddress = memory.write(0, mean);
      cache.execute(
        `norm gradient sums ${relu} ${rows} ${channels}`,
        () => gradientSumsProgram({ rows, channels }, relu),
        [...maps, centreAddress, ...memory.clearSums()],
      );
      const { sum, product } = memory.readSums();
      for (const { c, g, centred } of others) {
        sum[c] += g;
        product[c] += g * centred;
      }
      const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
      // dx = gamma * inverse * (g - mean(g) - (x - mean) * inverse^2 * mean(g * (x - mean))), sorted by g and x.
      const factor = inverse.map((value, c) => (scale ? gamma[c] : 1) * value);
      const slope = inverse.map((value, c) => (-factor[c] * value * value * product[c]) / count);
      const shift = sum.map((value, c) => (-factor[c] * value) / count);
      cache.execute(`norm gradient ${relu} ${rows} ${channels}`, () => gradientProgram({ rows, channels }, relu), [
        ...[...maps, centreAddress],
        ...[memory.write(1, factor), memory.write(2, slope), memory.write(3, shift), dxAddress],
      ]);
      const [dx, dgamma, dbeta] = valuesOf(backend, outputs);
      for (const { at, c, g, centred } of others) dx[at] = factor[c] * g + slope[c] * centred + shift[c];
      dgamma.set(product.map((value, c) => value * inverse[c]));
      dbeta.set(sum);
    });
  } catch (error) {
    cache.disposeOutputs(outputs);
    throw error;
  }
  return outputs;
}

/** Registers BatchNorm and BatchNormGrad in place of the composed ones. */
export function registerBatchNorm(): void {
  registerWasmKernel(BATCH_NORM, batchNorm);
  registerWasmKernel(BATCH_NORM_GRAD, batchNormGrad);
}
