/**
 * Hands tfjs's SIMD binary over from our own bundle, so that no path has to be configured and nothing is fetched: neither a
 * server's route nor a page's Content-Security-Policy for connections can stand in the way.
 */
import { BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import simdBinary from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
import * as tf from '@tensorflow/tfjs-core';
import { possibleThreads } from '../../engine/sharedMemory.js';
import { detectEnvironment } from '../../runtime/environment.js';
import { InvalidArgumentError, UnsupportedBackendError } from '../../runtime/errors.js';
import { messageOf, withoutPeriod } from '../../runtime/sentences.js';
import { guardAllocations } from './heap.js';
import { withoutAddedListeners } from './processListeners.js';
import { withSharedMemory } from './sharedHeap.js';

const NO_SIMD =
  'Backend wasm needs WebAssembly SIMD, which this runtime does not have. ' +
  'Use Chrome 91, Firefox 89, Safari 16.4, Node 20.19 or later, or another backend.';

/** The smallest module: where a page forbids WebAssembly, tfjs would wait for its own for ever. */
const EMPTY_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** Why the backend cannot run in this runtime or page, or null where it can. */
export function whyNot(): string | null {
  if (!detectEnvironment().simd) return NO_SIMD;
  try {
    new WebAssembly.Module(EMPTY_MODULE);
    return null;
  } catch (error) {
    return `WebAssembly is forbidden here: ${withoutPeriod(messageOf(error))}. A page must allow it: Content-Security-Policy: script-src 'wasm-unsafe-eval'.`;
  }
}

const REMOVED =
  "Backend 'wasm' was removed before 'pyconvunet/wasm' was imported, so that nothing is left to start. " +
  'Import it before the call of tf.removeBackend.';

// tfjs passes this "path" to its platform's fetch; no server ever sees it.
const EMBEDDED_PATH = 'pyconvunet:tfjs-backend-wasm-simd.wasm';
/** The same binary with a memory that threads share. */
const SHARED_PATH = 'pyconvunet:tfjs-backend-wasm-simd-shared.wasm';
// tfjs's own priority of the wasm backend.
const PRIORITY = 2;

interface Answering {
  readonly platform: tf.Platform;
  /** The platform's own. */
  readonly platformFetch: tf.Platform['fetch'];
  /** What stands in its place. */
  readonly answer: tf.Platform['fetch'];
}

let answering: Answering | undefined;
let starts = 0;

function beginAnswering(): Answering {
  const { platform } = tf.env();
  const platformFetch = platform.fetch;
  const answer = async (path: string, init?: RequestInit): Promise<Response> => {
    if (path === EMBEDDED_PATH) return new Response(simdBinary);
    if (path === SHARED_PATH) return new Response(withSharedMemory(simdBinary));
    return platformFetch.call(platform, path, init);
  };
  platform.fetch = answer;
  return { platform, platformFetch, answer };
}

/**
 * Answers tfjs's one request for the embedded binary while `run` runs; every other request goes on as before. Of starts that
 * overlap the first one puts the answer in place and the last one takes it away.
 */
async function withEmbeddedBinary<T>(run: () => T | Promise<T>): Promise<T> {
  starts++;
  answering ??= beginAnswering();
  try {
    return await run();
  } finally {
    starts--;
    if (starts === 0) {
      const { platform, platformFetch, answer } = answering;
      // Someone else may have replaced it meanwhile: theirs stays.
      if (platform.fetch === answer) platform.fetch = platformFetch;
      answering = undefined;
    }
  }
}

/** Makes tfjs ask for the embedded, single-threaded SIMD binary, whatever path was set before. */
function selectEmbeddedBinary(path: string): void {
  setWasmPaths(
    {
      'tfjs-backend-wasm.wasm': path,
      'tfjs-backend-wasm-simd.wasm': path,
      'tfjs-backend-wasm-threaded-simd.wasm': path,
    },
    true,
  );
  // tfjs's threaded build starts eight workers and hangs for ever where a page forbids them.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
}

type Factory = () => tf.KernelBackend | Promise<tf.KernelBackend>;

// What tfjs registered; it exports no other way to start the backend.
let tfjsFactory: Factory | undefined;

/** Threads that the next start is asked for. */
let nextThreads = 1;

/** Threads that a backend was asked for, and those that its heap allows. */
export interface Threads {
  readonly asked: number;
  readonly given: number;
}

const threadsOfBackends = new WeakMap<tf.KernelBackend, Threads>();

/** Threads of a backend that runs; one that was started by others has one. */
export const threadsOf = (backend: tf.KernelBackend): Threads =>
  threadsOfBackends.get(backend) ?? { asked: 1, given: 1 };

/** Threads that the kernels of this package run on in the heap of a backend. */
export const threadsIn = (backend: tf.KernelBackend): number => threadsOf(backend).given;

async function startEmbedded(): Promise<tf.KernelBackend> {
  const problem = whyNot();
  if (problem !== null) throw new UnsupportedBackendError(problem);
  if (tfjsFactory === undefined) throw new UnsupportedBackendError(REMOVED);
  const asked = nextThreads;
  const given = possibleThreads(asked);
  selectEmbeddedBinary(given > 1 ? SHARED_PATH : EMBEDDED_PATH);
  const start = tfjsFactory;
  const backend = await withoutAddedListeners(() => withEmbeddedBinary(start));
  threadsOfBackends.set(backend, { asked, given });
  return backend;
}

/**
 * Takes so many threads for the next start.
 *
 * @throws InvalidArgumentError where the backend runs with another number: its heap cannot become another one.
 */
export function chooseThreads(threads: number): void {
  const running = tf.engine().registry.wasm;
  if (running !== undefined && threadsOf(running).asked !== threads) {
    throw new InvalidArgumentError(
      `Backend wasm takes its number of threads when it starts. Received: threads=${threads}, while it runs with ${threadsOf(running).asked}. Ask for threads before anything else starts it, or call tf.removeBackend('wasm') first, which disposes of its tensors.`,
    );
  }
  nextThreads = threads;
}

/**
 * Lets every later start of backend 'wasm' (by `useBackend`, `tf.setBackend` or `tf.ready`) take the embedded binary. A backend
 * that runs already or is starting is left alone: to remove it would dispose of its tensors or break off the start.
 */
export function embedBinary(): void {
  const { registry, registryFactory } = tf.engine();
  if (registry.wasm instanceof BackendWasm) guardAllocations(registry.wasm);
  const registration = registryFactory.wasm;
  if (registration === undefined || registration.factory === startEmbedded) return;
  tfjsFactory ??= registration.factory;
  // Exchanged in place: tf.removeBackend would break off a start that is under way.
  registration.factory = startEmbedded;
}

/** Registers the backend again where `tf.removeBackend` has taken it away. */
export function restoreRegistration(): void {
  if (tf.findBackendFactory('wasm') !== null) return;
  if (tfjsFactory === undefined) throw new UnsupportedBackendError(REMOVED);
  tf.registerBackend('wasm', startEmbedded, PRIORITY);
}
