/**
 * Hands tfjs's SIMD binary over from our own bundle, so that no path has to be configured and nothing is fetched: neither a
 * server's route nor a page's Content-Security-Policy for connections can stand in the way.
 */
import { BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import simdBinary from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
import * as tf from '@tensorflow/tfjs-core';
import { detectEnvironment } from '../../runtime/environment.js';
import { UnsupportedBackendError } from '../../runtime/errors.js';
import { guardAllocations } from './heap.js';

export const NO_SIMD =
  'Backend wasm needs WebAssembly SIMD, which this runtime does not have. ' +
  'Use Chrome 91, Firefox 89, Safari 16.4, Node 20.19 or later, or another backend.';

// tfjs passes this "path" to its platform's fetch; no server ever sees it.
const EMBEDDED_PATH = 'pyconvunet:tfjs-backend-wasm-simd.wasm';
// tfjs's own priority of the wasm backend.
const PRIORITY = 2;

/** Answers tfjs's one request for the embedded binary while `run` runs; every other request goes on as before. */
async function withEmbeddedBinary<T>(run: () => T | Promise<T>): Promise<T> {
  const { platform } = tf.env();
  const platformFetch = platform.fetch;
  const answer = async (path: string, init?: RequestInit): Promise<Response> =>
    path === EMBEDDED_PATH ? new Response(simdBinary) : platformFetch.call(platform, path, init);
  platform.fetch = answer;
  try {
    return await run();
  } finally {
    // Someone else may have replaced it meanwhile: theirs stays.
    if (platform.fetch === answer) platform.fetch = platformFetch;
  }
}

/** Makes tfjs ask for the embedded, single-threaded SIMD binary, whatever path was set before. */
function selectEmbeddedBinary(): void {
  setWasmPaths(
    {
      'tfjs-backend-wasm.wasm': EMBEDDED_PATH,
      'tfjs-backend-wasm-simd.wasm': EMBEDDED_PATH,
      'tfjs-backend-wasm-threaded-simd.wasm': EMBEDDED_PATH,
    },
    true,
  );
  // tfjs's threaded build starts eight workers and hangs for ever where a page forbids them.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
}

/**
 * Lets every later start of backend 'wasm' (by `useBackend`, `tf.setBackend` or `tf.ready`) take the embedded binary. A backend
 * that runs already is left alone: to replace it would dispose of its tensors.
 */
export function embedBinary(): void {
  const { registry } = tf.engine();
  const factory = tf.findBackendFactory('wasm');
  if (registry.wasm instanceof BackendWasm) guardAllocations(registry.wasm);
  if ('wasm' in registry || factory === null) return;
  tf.removeBackend('wasm');
  tf.registerBackend(
    'wasm',
    async () => {
      if (!detectEnvironment().simd) throw new UnsupportedBackendError(NO_SIMD);
      selectEmbeddedBinary();
      const backend = await withEmbeddedBinary(factory);
      if (backend instanceof BackendWasm) guardAllocations(backend);
      return backend;
    },
    PRIORITY,
  );
}
