/** What the smoke program prints in each runtime, and that it is the same everywhere. */
import { expect, inject } from 'vitest';

/** Three steps of training. */
export interface Training {
  readonly losses: readonly number[];
  readonly mean: number;
}

/** The result of `smoke()` in smoke.js. */
export interface SmokeResult {
  readonly runtime: { readonly name: string; readonly version: string };
  readonly chosen: string;
  readonly isolated: boolean | null;
  readonly problems: readonly string[];
  readonly wasm: Training;
  readonly webgpu: Training | null;
}

function expectEqual(actual: Training, tolerance: number): void {
  const expected = inject('reference');
  const close = (value: number, reference: number) => expect(Math.abs(value / reference - 1)).toBeLessThan(tolerance);
  expect(actual.losses.length).toBe(expected.losses.length);
  expected.losses.forEach((loss, step) => {
    close(actual.losses[step], loss);
  });
  close(actual.mean, expected.mean);
}

/** The networks learn the same in every runtime, on wasm and on the software GPU. */
export function expectSame(result: SmokeResult, { webgpu }: { readonly webgpu: boolean }): void {
  expect(result.problems).toEqual([]);
  expect(result.chosen).toBe('wasm');
  expectEqual(result.wasm, 1e-4);
  expect(result.webgpu !== null).toBe(webgpu);
  if (result.webgpu !== null) expectEqual(result.webgpu, 1e-3);
}
