/**
 * The registry of backend providers. A backend entry (`pyconvunet/wasm`, …) registers how its backend is started; the core
 * imports none of them, because a bundler stops at an optional package that is not installed.
 */
import * as tf from '@tensorflow/tfjs-core';
import { capabilitiesOf } from './capabilities.js';
import type { EngineReport } from './engineReport.js';
import { InvalidArgumentError } from './errors.js';

/** What the caller hands to a backend that is started. */
export interface StartOptions {
  /** Backend webgpu: an existing GPUDevice to run on. It is never destroyed by this package. */
  readonly device?: object;
  /** Backend webgpu: the GPU object to open a device with, where there is no `navigator.gpu` (Dawn in Node). */
  readonly gpu?: object;
  /**
   * Backend wasm: threads that this package's kernels run on in TensorFlow.js's heap, the calling one included. Default 1. More
   * make the heap a shared one, where memory can be shared (not on pages that are not cross-origin isolated). The number is
   * taken when the backend starts; where TensorFlow.js starts it again by itself, it is that of the last call.
   */
  readonly threads?: number;
  /**
   * Backend wasm: whose kernels compute TensorFlow.js's own convolutions. 'fastest' (at first): this package's where they were
   * measured to be faster, with results that differ by up to 1e-5 of the largest value. 'tfjs': TensorFlow.js's, wherever it has
   * one; gradients of filters and of depthwise convolutions are this package's always.
   */
  readonly convolutions?: 'fastest' | 'tfjs';
}

/** The backend that reads each option. */
export const READERS = { device: 'webgpu', gpu: 'webgpu', threads: 'wasm', convolutions: 'wasm' } as const;

/** Whether a backend could be started here, found without starting it. */
export interface Probe {
  readonly available: boolean;
  /** One sentence: what was found, or what is missing and what to do. */
  readonly reason: string;
  /** The graphics adapter, where the backend has one. */
  readonly adapter?: string;
  /** The adapter computes on the CPU: slower than backend wasm. */
  readonly software?: boolean;
}

/** The WebAssembly binaries of the planned engine. */
export interface KernelBinaries {
  /** SIMD128 alone. */
  readonly base: Uint8Array<ArrayBuffer>;
  /** With the fused multiply-add of relaxed SIMD. */
  readonly relaxed: Uint8Array<ArrayBuffer>;
}

/** How one backend is found and started. */
export interface BackendProvider {
  /** tfjs's name of the backend. */
  readonly name: string;
  /** What runs a whole network without tfjs, where the backend brings it. */
  readonly kernels?: KernelBinaries;
  /** The numbers of a float32 tensor where they lie in the backend's memory, until it allocates again; null for all other tensors. */
  inPlace?(tensor: tf.Tensor): Float32Array | null;
  /** Says of the kernels above what they are here, and tests them; starts no backend. */
  inspect?(): Promise<EngineReport>;
  /** Says whether the backend can start here. */
  probe(options: StartOptions): Promise<Probe>;
  /** Threads that the running backend computes on, where it is not one. */
  threads?(): number;
  /** Makes `tf.setBackend(name)` succeed: loads, opens a device, registers kernels. */
  start(options: StartOptions): Promise<void>;
}

/** Every backend that the package knows, best first, and the import that registers it. */
export const KNOWN_BACKENDS = [
  { name: 'webgpu', module: 'pyconvunet/webgpu' },
  { name: 'tensorflow', module: 'pyconvunet/tensorflow' },
  { name: 'wasm', module: 'pyconvunet/wasm' },
  { name: 'webgl', module: '@tensorflow/tfjs-backend-webgl' },
  { name: 'cpu', module: '@tensorflow/tfjs-backend-cpu' },
] as const;

const providers = new Map<string, BackendProvider>();

/**
 * Registers how a backend is started; a second provider of the same name replaces the first.
 *
 * @param provider The backend's name, its probe and its start.
 */
export function registerProvider(provider: BackendProvider): void {
  providers.set(provider.name, provider);
}

/** A backend that its own tfjs package registered, without a provider of ours: tfjs knows how to start it. */
function tfjsProvider(name: string): BackendProvider {
  const known = KNOWN_BACKENDS.find((backend) => backend.name === name);
  const isOurs = known?.module.startsWith('pyconvunet/') === true;
  return {
    name,
    async probe() {
      const advice =
        isOurs && !capabilitiesOf(name).training
          ? `; import '${known.module}' adds the kernels that training needs`
          : '';
      return { available: true, reason: `Registered by its own TensorFlow.js package${advice}.` };
    },
    async start(options) {
      const own = (['device', 'gpu', 'threads', 'convolutions'] as const).find(
        (key) => READERS[key] === name && options[key] !== undefined,
      );
      if (own === undefined || known === undefined) return;
      throw new InvalidArgumentError(
        `Option '${own}' is read by '${known.module}'. Received: backend '${name}' of its own TensorFlow.js package. Add the line: import '${known.module}';`,
      );
    },
  };
}

/**
 * Finds a backend's provider: one registered by an entry of this package, or tfjs's own registration.
 *
 * @returns The provider, or undefined where nobody has registered that backend.
 */
export function findProvider(name: string): BackendProvider | undefined {
  const provider = providers.get(name);
  if (provider !== undefined) return provider;
  return name in tf.engine().registryFactory ? tfjsProvider(name) : undefined;
}

/** The names of all registered backends in the order in which 'auto' tries them. */
export function registeredBackends(): string[] {
  const names = new Set([...providers.keys(), ...Object.keys(tf.engine().registryFactory)]);
  const rank = (name: string) => {
    const index = KNOWN_BACKENDS.findIndex((backend) => backend.name === name);
    // A backend that we do not know stands just before the slow 'cpu'.
    return index < 0 ? KNOWN_BACKENDS.length - 1.5 : index;
  };
  return [...names].sort((a, b) => rank(a) - rank(b));
}
