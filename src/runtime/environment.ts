/** What the machine and the page offer: the JavaScript runtime, SIMD and relaxed SIMD in WebAssembly, shared memory, cores. */

/** The runtime that executes the code, for example `{name: 'node', version: '20.20.2'}`. */
export interface Runtime {
  readonly name: 'node' | 'deno' | 'bun' | 'browser' | 'unknown';
  readonly version: string;
}

/** What this runtime offers to numerical code. */
export interface Environment {
  readonly runtime: Runtime;
  /** WebAssembly knows 128-bit SIMD; backend wasm needs it. */
  readonly simd: boolean;
  /** WebAssembly knows relaxed SIMD (a fused multiply-add). */
  readonly relaxedSimd: boolean;
  /** Shared memory can be handed to threads: in a browser only on a cross-origin-isolated page. */
  readonly sharedMemory: boolean;
  /** `globalThis.crossOriginIsolated`; null where the notion does not exist (Node, Deno, Bun). */
  readonly crossOriginIsolated: boolean | null;
  /** Logical cores, or null where the runtime does not say. */
  readonly cores: number | null;
}

// The smallest modules that use the feature; `validate` compiles nothing.
const SIMD_MODULE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11,
];
const RELAXED_SIMD_MODULE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2,
  253, 133, 2, 11,
];

function validates(module: readonly number[]): boolean {
  return typeof WebAssembly !== 'undefined' && WebAssembly.validate(new Uint8Array(module));
}

function versionAt(host: unknown, key: string): string | undefined {
  if (typeof host !== 'object' || host === null) return undefined;
  const value: unknown = Reflect.get(host, key);
  return typeof value === 'string' ? value : undefined;
}

function detectRuntime(): Runtime {
  const { Deno, Bun, process, navigator } = globalThis as {
    Deno?: unknown;
    Bun?: unknown;
    process?: unknown;
    navigator?: unknown;
  };
  // Deno and Bun imitate Node's process, so they are asked first.
  if (typeof Deno === 'object' && Deno !== null) {
    return { name: 'deno', version: versionAt(Reflect.get(Deno, 'version'), 'deno') ?? '' };
  }
  const bun = versionAt(Bun, 'version');
  if (bun !== undefined) return { name: 'bun', version: bun };
  const agent = versionAt(navigator, 'userAgent');
  if (typeof process === 'object' && process !== null) {
    const node = versionAt(Reflect.get(process, 'versions'), 'node');
    if (node !== undefined) return { name: 'node', version: node };
  }
  return agent === undefined ? { name: 'unknown', version: '' } : { name: 'browser', version: agent };
}

function countCores(): number | null {
  if (typeof navigator !== 'undefined' && navigator.hardwareConcurrency > 0) return navigator.hardwareConcurrency;
  // Node 20 has no navigator; asked in this way, bundlers see no Node built-in.
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return null;
  return process.getBuiltinModule('node:os').availableParallelism();
}

/**
 * Looks at the runtime; nothing is started or loaded.
 *
 * @returns What this runtime offers to numerical code.
 * @example
 * ```ts
 * const { runtime, simd } = detectEnvironment();
 * ```
 */
export function detectEnvironment(): Environment {
  const runtime = detectRuntime();
  const isolated: unknown = Reflect.get(globalThis, 'crossOriginIsolated');
  return {
    runtime,
    simd: validates(SIMD_MODULE),
    relaxedSimd: validates(RELAXED_SIMD_MODULE),
    sharedMemory: typeof SharedArrayBuffer !== 'undefined',
    crossOriginIsolated: runtime.name === 'browser' && typeof isolated === 'boolean' ? isolated : null,
    cores: countCores(),
  };
}
