/** The engine's test of itself: its loops against loops of the tests, its cases against the algorithms they name, and that it can fail. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OwnHeap } from '../../src/engine/heap.js';
import { Lowering } from '../../src/engine/lower/context.js';
import { algorithmOf, stencilOf } from '../../src/engine/lower/convolution.js';
import { MovableProgram } from '../../src/engine/movable.js';
import { plainResult } from '../../src/engine/plainLoops.js';
import { Program } from '../../src/engine/program.js';
import { SELF_TEST_CASES, selfTest } from '../../src/engine/selfTest.js';
import { tilesOf } from '../../src/engine/tiles.js';
import { isPassed } from '../../src/runtime/engineReport.js';
import type { KernelBinaries } from '../../src/runtime/providers.js';
import { convolve, type Image } from '../plan/reference.js';

const binary = (name: string) =>
  Uint8Array.from(readFileSync(resolve(import.meta.dirname, `../../src/kernels/wasm/binaries/${name}.wasm`)));
const binaries: KernelBinaries = { base: binary('base'), relaxed: binary('relaxed') };

const values = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i) + 0.3 * Math.cos(5 * i));

afterEach(() => vi.restoreAllMocks());

describe('plainResult', () => {
  const cases = SELF_TEST_CASES.map(({ algorithm, convolution }) => [algorithm, convolution] as const);

  it.each(cases)('is the convolution that the tests know: %s', (_, convolution) => {
    const { batch, input, output, op } = convolution;
    const x = values(batch * input.height * input.width * input.channels, 1);
    const filters = op.levels.map(({ kernelSize: [kh, kw], groups, start, end }, i) =>
      values((kh * kw * input.channels * (end - start)) / groups, i),
    );
    const dy = values(batch * output.height * output.width * output.channels, 3);
    const y = plainResult(convolution, { x, filters, dy }, 'y');
    const pixels = input.height * input.width * input.channels;
    for (let sample = 0; sample < batch; sample++) {
      const image: Image = { ...input, data: Float64Array.from(x.subarray(sample * pixels, (sample + 1) * pixels)) };
      for (const [i, level] of op.levels.entries()) {
        const { kernelSize, groups, start, end, padding } = level;
        const expected = convolve(image, filters[i] ?? [], {
          ...{ kernel: kernelSize, groups, filters: end - start, before: [padding.top, padding.left] },
          ...{ output: [output.height, output.width], strides: op.strides, dilations: op.dilations },
        });
        for (let pixel = 0; pixel < output.height * output.width; pixel++) {
          for (let c = start; c < end; c++) {
            const actual = y[(sample * output.height * output.width + pixel) * output.channels + c];
            expect(actual).toBeCloseTo(expected.data[pixel * (end - start) + c - start] ?? Number.NaN, 10);
          }
        }
      }
    }
    // Both gradients by what defines them: a change of x or of a filter changes the sum of y dy by its product with the gradient.
    const total = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from({ length: a.length }, (_, i) => (a[i] ?? 0) * (b[i] ?? 0)).reduce((sum, v) => sum + v, 0);
    const change = values(x.length, 7);
    const dx = plainResult(convolution, { x, filters, dy }, 'dx');
    expect(total(dx, change)).toBeCloseTo(total(plainResult(convolution, { x: change, filters, dy }, 'y'), dy), 8);
    for (const [level, filter] of filters.entries()) {
      const other = values(filter.length, 9);
      const alone = filters.map((each, i) => (i === level ? other : each.map(() => 0)));
      const gradient = plainResult(convolution, { x, filters, dy }, { level });
      expect(total(gradient, other)).toBeCloseTo(
        total(plainResult(convolution, { x, filters: alone, dy }, 'y'), dy),
        8,
      );
    }
  });
});

describe('the cases', () => {
  it.each([
    ['Winograd F(4x4, 3x3)', 4, ['nested']],
    ['nested Winograd F(3x3, 3x3)', 3, ['nested', 'nested', 'nested', 'nested']],
    ['1x1', 4, ['pointwise']],
    ['1x1 by Strassen’s algorithm, over a list', 4, ['pointwise']],
    ['1x1 by Strassen’s algorithm, on planes', 4, ['pointwise']],
    ['direct', 4, ['direct']],
  ] as const)('%s is computed in this way, in tiles of %i', (name, tile, algorithms) => {
    const convolution = SELF_TEST_CASES.find(({ algorithm }) => algorithm === name)?.convolution;
    if (convolution === undefined) throw new Error(`There is no case ${name}.`);
    const { input, output, op, batch } = convolution;
    const [from, to] = [tilesOf(input, tile, batch), tilesOf(output, tile, batch)];
    const found = op.levels.map((level) =>
      algorithmOf(stencilOf(op, level), level.groups, { from, to, precision: 'fast' }),
    );
    expect(found).toEqual(algorithms);
    // The engine chooses the tiles itself.
    const newMap = vi.spyOn(Lowering.prototype, 'newMap');
    selfTest(binaries);
    const tiles = newMap.mock.results.map(({ value }) => value.tiles);
    expect(tiles.some((each) => each.tile === tile && each.width === input.width)).toBe(true);
  });

  it('are all there are', () => {
    expect(SELF_TEST_CASES).toHaveLength(6);
  });

  it('take products of each algorithm', () => {
    const call = vi.spyOn(Program.prototype, 'call');
    selfTest(binaries);
    const kernels = new Set(call.mock.calls.map(([kernel]) => kernel));
    expect([...kernels]).toEqual(
      expect.arrayContaining(['gatherGemm', 'gatherStrassen', 'strassen', 'nested', 'nestedRows']),
    );
  });
});

describe('selfTest', () => {
  it('passes, by errors that are those of float32', () => {
    const tests = selfTest(binaries);
    expect(tests).toHaveLength(18);
    for (const test of tests) {
      expect(test.error, `${test.algorithm}, ${test.of}`).toBeLessThanOrEqual(test.bound);
      expect(test.error).toBeGreaterThan(1e-9);
      expect(test.bound).toBe(test.of === 'gradient of the filter' ? 1e-4 : 1e-5);
      expect(isPassed(test)).toBe(true);
    }
    expect(new Set(tests.map(({ algorithm, of }) => `${algorithm} ${of}`)).size).toBe(18);
  });

  it('fails where a kernel writes nothing, and where it writes no numbers', () => {
    const run = MovableProgram.prototype.run;
    vi.spyOn(MovableProgram.prototype, 'run').mockImplementation(() => {});
    for (const test of selfTest(binaries)) {
      expect(test.error).toBe(1);
      expect(isPassed(test)).toBe(false);
    }
    vi.spyOn(MovableProgram.prototype, 'run').mockImplementation(function (this: MovableProgram, arena, places) {
      run.call(this, arena, places);
      const [output] = [...places.values()].slice(-1);
      const { engine } = this as unknown as { engine: { floats(address: number, length: number): Float32Array } };
      engine.floats(output ?? 0, 1).fill(Number.NaN);
    });
    for (const test of selfTest(binaries)) {
      expect(test.error).toBeNull();
      expect(isPassed(test)).toBe(false);
    }
  });
});

describe('memory beyond 2 GiB', () => {
  /** The same tests in a memory whose free part begins so many bytes before the address 2^31, which is negative to signed integers. */
  function testedBefore(bytes: number) {
    const heaps = new WeakSet<object>();
    const { allocate } = OwnHeap.prototype;
    vi.spyOn(OwnHeap.prototype, 'allocate').mockImplementation(function (this: OwnHeap, size: number) {
      if (!heaps.has(this)) {
        heaps.add(this);
        allocate.call(this, 2 ** 31 - 1024 - bytes);
      }
      return allocate.call(this, size);
    });
    const tests = selfTest(binaries);
    vi.restoreAllMocks();
    return tests;
  }

  it('has the same results, wherever in it the maps lie', () => {
    const expected = selfTest(binaries);
    expect(expected.every(isPassed)).toBe(true);
    for (const bytes of [0, 16e3, 48e3, 80e3, 112e3, 160e3, 240e3]) {
      expect(testedBefore(64 * Math.round(bytes / 64)), `${bytes} bytes before`).toEqual(expected);
    }
  });
});
