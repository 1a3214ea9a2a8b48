/** An optimized model in a line: where it is printed, and in a Jupyter cell. */
import { inspect } from 'node:util';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, it, vi } from 'vitest';
import { OptimizedModel, optimizeForInference } from '../../src/inference/index.js';
import { uNet } from '../../src/models/index.js';
import { DISPLAY } from '../../src/runtime/display.js';
import { startBackend } from '../backends.js';

beforeAll(() => startBackend('wasm'));

/** The line, which a notebook shows too. */
async function lineOf(optimized: OptimizedModel): Promise<string> {
  const line = inspect(optimized);
  expect(await optimized[DISPLAY]()).toEqual({ 'text/plain': line });
  return line;
}

it('says how a model is planned, until it is disposed of', async () => {
  const model = uNet({ widths: [4, 8], inputShape: [null, null, 1], seed: 1 });
  const [one, two] = [await optimizeForInference(model), await optimizeForInference(model, { threads: 2 })];
  expect(await lineOf(one)).toMatch(
    new RegExp(`^OptimizedModel of ${model.name}: planned, 1 thread, (relaxed SIMD|SIMD128), \\d+\\.\\d MiB$`),
  );
  expect(await lineOf(two)).toContain(': planned, 2 threads, ');
  vi.spyOn(OptimizedModel.prototype, 'threadProblem', 'get').mockReturnValue('no more workers.');
  expect(await lineOf(two)).toContain(': planned, 2 threads (fewer than asked for: no more workers), ');
  vi.restoreAllMocks();
  for (const each of [one, two]) {
    each.dispose();
    expect(await lineOf(each)).toBe(`OptimizedModel of ${model.name}: disposed of`);
  }
  model.dispose();
});

it('says why a model is not planned', async () => {
  const input = tfl.input({ shape: [8, 8, 1] });
  const mean = tfl.layers.averagePooling2d({ poolSize: 2, name: 'mean' }).apply(input) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: mean, name: 'small' });
  const optimized = await optimizeForInference(model);
  expect(await lineOf(optimized)).toBe(
    "OptimizedModel of small: not planned (layer 'mean' (AveragePooling2D) has no rule in the plan)",
  );
  optimized.dispose();
  model.dispose();
});
