/** Backend webgpu for tests in Node: Dawn, from test/runtimes; `npm run test:runtimes` lets it find the SwiftShader driver. */
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import '../src/webgpu.js';

let gpu: object | undefined;

/** Dawn's GPU object: one per process, since Dawn does not survive the collection of one whose devices are alive. */
export async function dawn(): Promise<object> {
  if (gpu === undefined) {
    const module = './runtimes/node_modules/webgpu/index.js';
    const { create } = (await import(/* @vite-ignore */ module)) as { create(options: string[]): object };
    gpu = create([]);
  }
  return gpu;
}

const errors: string[] = [];
let watched: GPUDevice | undefined;

/**
 * Has small tensors computed on the GPU, which tfjs computes on the CPU by default, and collects what the device reports: a
 * shader that does not compile throws nowhere, and the result is whatever the buffer held.
 */
export function watchDevice(): void {
  const backend = tf.backend();
  if (!(backend instanceof WebGPUBackend)) throw new Error(`The current backend is ${tf.getBackend()}, not webgpu.`);
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  if (watched === backend.device) return;
  watched = backend.device;
  watched.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    const { error } = event as GPUUncapturedErrorEvent;
    errors.push(error.message);
  });
}

/** What the device has reported since the last call. */
export async function deviceErrors(): Promise<string[]> {
  await watched?.queue.onSubmittedWorkDone();
  return errors.splice(0);
}
