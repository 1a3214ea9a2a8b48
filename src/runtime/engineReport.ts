/** What a backend that brings kernels of its own says of them. */

/** One algorithm of the engine against plain loops in float64. */
export interface SelfTest {
  readonly algorithm: string;
  readonly of: 'output' | 'gradient of the input' | 'gradient of the filter';
  /** Largest difference, relative to the largest value; null where a value is not finite. */
  readonly error: number | null;
  /** What it is held to. */
  readonly bound: number;
}

/** The planned engine on this machine. */
export interface EngineReport {
  /** tfjs kernels of the backend by who computes them: this package by name, TensorFlow.js by number. */
  readonly kernels: { readonly ours: readonly string[]; readonly tfjs: number };
  /** Instructions in use. */
  readonly simd: 'simd128' | 'relaxed';
  /** Threads that make sense, and why not more; the default is one. */
  readonly threads: { readonly possible: number; readonly reason: string };
  /** Bytes. A plan has a memory of its own, of at most `limit`, as has tfjs's heap; `heap` is its size, null before the backend has started. */
  readonly memory: { readonly limit: number; readonly heap: number | null };
  readonly selfTest: readonly SelfTest[];
}

/** Whether a test of the engine is within its bound. */
export const isPassed = ({ error, bound }: SelfTest): boolean => error !== null && error <= bound;
