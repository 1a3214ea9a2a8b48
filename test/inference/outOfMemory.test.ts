/** Images that a plan has no memory for: predicted layer by layer or refused with their size, and what comes after them is right. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { OwnHeap } from '../../src/engine/heap.js';
import { possibleThreads } from '../../src/engine/sharedMemory.js';
import { ThreadPool } from '../../src/engine/threads/threadPool.js';
import { OptimizedModel, optimizeForInference, predictMask, predictProbability } from '../../src/inference/index.js';
import * as models from '../../src/models/index.js';
import { InferencePlan, readWeights } from '../../src/plan/index.js';
import { OutOfMemoryError } from '../../src/runtime/errors.js';
import { findProvider, type KernelBinaries } from '../../src/runtime/providers.js';
import { startBackend } from '../backends.js';
import { noise } from './models.js';

const NO_ROOM = 'There is no room.';
const allocate = OwnHeap.prototype.allocate;

/** Lets the memory of plans give out blocks of so many bytes at most; TensorFlow.js's own is another one. */
function limitBlocks(most: number): void {
  vi.spyOn(OwnHeap.prototype, 'allocate').mockImplementation(function (this: OwnHeap, bytes) {
    if (bytes > most) throw new OutOfMemoryError(NO_ROOM);
    return allocate.call(this, bytes);
  });
}

beforeAll(() => startBackend('wasm'));
afterEach(() => vi.restoreAllMocks());

const network = () => models.pyConvUNet({ widths: [8, 16], inputShape: [null, null, 1], seed: 1 });
const square = (side: number) => ({ width: side, height: side, channels: 1, image: noise(side * side, 1) });
/** What a plan of an image of 32x32 takes at once, with room to spare, and one of 128x128 does not. */
const ENOUGH_FOR_SMALL = 2 ** 20;

describe('predictProbability and predictMask', () => {
  it('compute layer by layer what the plan cannot hold, and go on with the plan', async () => {
    const model = network();
    const [small, large] = [square(32), square(128)];
    const { image, ...size } = large;
    const planned = await predictProbability(model, large);
    const other = network();
    limitBlocks(ENOUGH_FOR_SMALL);
    const predict = vi.spyOn(other, 'predict');
    const before = tf.memory().numTensors;
    const retreated = await predictProbability(other, large);
    expect(predict).toHaveBeenCalledTimes(1);
    const [x] = predict.mock.calls[0] ?? [];
    expect((x as tf.Tensor).shape).toEqual([1, 128, 128, 1]);
    for (const [i, value] of retreated.probability.entries()) {
      expect(value).toBeCloseTo(planned.probability[i] ?? Number.NaN, 4);
    }
    expect((await predictMask(other, { ...size, data: image }, { preprocessing: 'none' })).probability).toEqual(
      retreated.probability,
    );
    predict.mockClear();
    expect(await predictProbability(other, small)).toEqual(await predictProbability(model, small));
    expect(predict).not.toHaveBeenCalled();
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
    other.dispose();
  });

  it('compute layer by layer where not even the plan can be made', async () => {
    limitBlocks(16);
    const model = network();
    const predict = vi.spyOn(model, 'predict');
    await predictProbability(model, square(32));
    expect(predict).toHaveBeenCalledTimes(1);
    model.dispose();
  });

  it('name the size where the layers do not fit either', async () => {
    const model = network();
    await predictProbability(model, square(32));
    limitBlocks(ENOUGH_FOR_SMALL);
    vi.spyOn(model, 'predict').mockImplementation(() => {
      throw new OutOfMemoryError('Backend wasm could not get 12208 MB more.');
    });
    await expect(predictProbability(model, square(128))).rejects.toThrow('An image of 128x128 does not fit.');
    model.dispose();
  });

  it('pass other errors of a plan on', async () => {
    const model = network();
    await predictProbability(model, square(32));
    vi.spyOn(OptimizedModel.prototype, 'predict').mockImplementation(() => {
      throw new Error('A kernel of the planned engine failed.');
    });
    await expect(predictProbability(model, square(32))).rejects.toThrow('A kernel of the planned engine failed.');
    model.dispose();
  });
});

describe('an optimized model', () => {
  it('names the size, leaves no tensor, and predicts smaller images afterwards', async () => {
    const model = network();
    const optimized = await optimizeForInference(model);
    limitBlocks(ENOUGH_FOR_SMALL);
    const x = tf.tensor4d(noise(2 * 128 * 96, 1), [2, 128, 96, 1]);
    const before = tf.memory().numTensors;
    expect(() => optimized.predict(x)).toThrow(new OutOfMemoryError(`An image of 128x96 does not fit. ${NO_ROOM}`));
    expect(tf.memory().numTensors).toBe(before);
    await expect(predictProbability(optimized, square(128))).rejects.toThrow('An image of 128x128 does not fit.');
    expect(await predictProbability(optimized, square(32))).toEqual(await predictProbability(model, square(32)));
    x.dispose();
    optimized.dispose();
    model.dispose();
  });
});

function wasmKernels(): KernelBinaries {
  const kernels = findProvider('wasm')?.kernels;
  if (kernels === undefined) throw new Error('Backend wasm brings kernels.');
  return kernels;
}

describe('a plan', () => {
  it('is right after memory did not suffice at any of its steps', async () => {
    const model = network();
    const kernels = wasmKernels();
    const weights = await readWeights(model);
    const fresh = () => new InferencePlan(model, weights, kernels, { precision: 'fast' });
    const { image } = square(32);
    const outputOf = (plan: InferencePlan) => plan.run(image, [32, 32, 1]).map(({ data }) => [...data]);
    const expected = outputOf(fresh());
    let failures = 0;
    for (let last = 1; ; last++) {
      const plan = fresh();
      let calls = 0;
      // A single refusal is met by giving other sizes up, where there are any; here there are none.
      const spy = vi.spyOn(OwnHeap.prototype, 'allocate').mockImplementation(function (this: OwnHeap, bytes) {
        if (++calls === last) throw new OutOfMemoryError(NO_ROOM);
        return allocate.call(this, bytes);
      });
      const isRefused = (() => {
        try {
          expect(outputOf(plan)).toEqual(expected);
          return false;
        } catch (error) {
          if (error instanceof OutOfMemoryError) return true;
          throw error;
        }
      })();
      spy.mockRestore();
      if (!isRefused) break;
      failures++;
      expect(outputOf(plan), `after a refusal of block ${last}`).toEqual(expected);
    }
    // The packed weights, what packs them, and the maps.
    expect(failures).toBe(3);
    model.dispose();
  });

  it('begins with less where the memory that it expects to need is refused', async () => {
    const model = network();
    const kernels = wasmKernels();
    const weights = await readWeights(model);
    const { image } = square(32);
    const outcome = () => {
      const plan = new InferencePlan(model, weights, kernels, { precision: 'fast' });
      const { bytes } = plan;
      return { bytes, values: plan.run(image, [32, 32, 1]).map(({ data }) => [...data]) };
    };
    const expected = outcome();
    const spy = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementationOnce(() => {
      throw new RangeError('no');
    });
    const { bytes, values } = outcome();
    expect(spy.mock.calls[0]?.[0]).toBeGreaterThan(0);
    spy.mockRestore();
    expect(values).toEqual(expected.values);
    expect(bytes).toBeLessThan(expected.bytes);
    model.dispose();
  });

  it('ends its threads where memory does not suffice for the weights of the model', async () => {
    const model = network();
    const kernels = wasmKernels();
    const weights = await readWeights(model);
    const stop = vi.spyOn(ThreadPool.prototype, 'stop');
    const spy = vi.spyOn(OwnHeap.prototype, 'allocate').mockImplementation(() => {
      throw new OutOfMemoryError(NO_ROOM);
    });
    expect(() => new InferencePlan(model, weights, kernels, { precision: 'fast', threads: 2 })).toThrow(NO_ROOM);
    expect(stop).toHaveBeenCalledTimes(possibleThreads(2) - 1);
    spy.mockRestore();
    stop.mockRestore();
    model.dispose();
  });

  it('gives up another size where memory does not suffice at one of the steps, and takes it again', async () => {
    // Wide enough for Strassen's algorithm, which filters of large maps alone are packed for.
    const model = models.pyConvUNet({ widths: [64, 64], inputShape: [null, null, 1], seed: 1 });
    const kernels = wasmKernels();
    const weights = await readWeights(model);
    const fresh = () => new InferencePlan(model, weights, kernels, { precision: 'fast' });
    const outputOf = (plan: InferencePlan, side: number) =>
      plan.run(square(side).image, [side, side, 1]).map(({ data }) => [...data]);
    const expected = new Map([8, 64].map((side) => [side, outputOf(fresh(), side)]));
    let refusals = 0;
    for (let last = 1; ; last++) {
      const plan = fresh();
      expect(outputOf(plan, 8)).toEqual(expected.get(8));
      let calls = 0;
      const spy = vi.spyOn(OwnHeap.prototype, 'allocate').mockImplementation(function (this: OwnHeap, bytes) {
        if (++calls === last) throw new OutOfMemoryError(NO_ROOM);
        return allocate.call(this, bytes);
      });
      expect(outputOf(plan, 64), `with a refusal of block ${last}`).toEqual(expected.get(64));
      spy.mockRestore();
      if (calls < last) break;
      refusals++;
      expect(outputOf(plan, 8), `after a refusal of block ${last}`).toEqual(expected.get(8));
    }
    // New weights of the larger size, what packs them, and the maps.
    expect(refusals).toBe(3);
    model.dispose();
  });
});
