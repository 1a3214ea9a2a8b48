/** What the planned engine is on this machine. */
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { selfTest } from '../../engine/selfTest.js';
import { possibleThreads } from '../../engine/sharedMemory.js';
import { mayStartWorkers } from '../../engine/threads/mayStartWorkers.js';
import type { EngineReport } from '../../runtime/engineReport.js';
import { detectEnvironment } from '../../runtime/environment.js';
import type { KernelBinaries } from '../../runtime/providers.js';
import { heapBytes } from './heap.js';
import { isOurs } from './register.js';

/** The memory of WebAssembly with addresses of 32 bits. */
const MOST_BYTES = 2 ** 32;

async function threadsHere(binaries: KernelBinaries): Promise<EngineReport['threads']> {
  const { sharedMemory, crossOriginIsolated, cores } = detectEnvironment();
  const one = (reason: string) => ({ possible: 1, reason });
  if (!sharedMemory) {
    return crossOriginIsolated === false
      ? one(
          'The page is not cross-origin isolated. Serve it with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
        )
      : one('This runtime has no SharedArrayBuffer.');
  }
  if (possibleThreads(2) === 1) return one('This runtime refuses shared memories of 4096 MB.');
  const problem = await mayStartWorkers(binaries);
  if (problem !== null) return one(`Workers do not start: ${problem}.`);
  if (cores === null) return { possible: 2, reason: 'The runtime does not say how many cores there are.' };
  return cores === 1
    ? one('The machine has one core.')
    : { possible: cores, reason: `The machine has ${cores} cores. Ask for threads by the option.` };
}

/** Looks at the kernels, tests them, and starts no backend. */
export async function inspect(binaries: KernelBinaries): Promise<EngineReport> {
  const kernels = tf.getKernelsForBackend('wasm');
  const ours = kernels.filter(isOurs).map(({ kernelName }) => kernelName);
  const backend = tf.engine().registry.wasm;
  return {
    kernels: { ours: ours.sort(), tfjs: kernels.length - ours.length },
    simd: detectEnvironment().relaxedSimd ? 'relaxed' : 'simd128',
    threads: await threadsHere(binaries),
    memory: { limit: MOST_BYTES, heap: backend instanceof BackendWasm ? heapBytes(backend) : null },
    selfTest: selfTest(binaries),
  };
}
