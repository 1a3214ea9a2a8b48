/** The provider of backend webgpu: opens a device or takes the caller's, and hands it to tfjs's backend. */
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError, UnsupportedBackendError } from '../../runtime/errors.js';
import type { BackendProvider, Probe, StartOptions } from '../../runtime/providers.js';
import {
  type AdapterInfo,
  adapterInfo,
  describeAdapter,
  deviceInfo,
  findAdapter,
  findGpu,
  givenDevice,
  isSoftware,
  NO_ADAPTER,
  NO_GPU,
  openDevice,
} from './adapter.js';
import { provideGlobals, withNavigatorGpu } from './globals.js';

// tfjs's own priority of the webgpu backend.
const PRIORITY = 3;

// Dawn does not survive the collection of a GPU object whose devices are alive, and tfjs keeps the device only.
let gpuInUse: GPU | undefined;

/** The backend that runs already, or undefined. */
function running(): WebGPUBackend | undefined {
  const backend = tf.engine().registry.webgpu;
  return backend instanceof WebGPUBackend ? backend : undefined;
}

function found(info: AdapterInfo | undefined): Probe {
  const adapter = describeAdapter(info);
  const software = isSoftware(info);
  const reason = software ? `The adapter ${adapter} computes on the CPU.` : `The adapter is ${adapter}.`;
  return { available: true, reason, adapter, software };
}

async function probe(options: StartOptions): Promise<Probe> {
  const device = givenDevice(options) ?? running()?.device;
  if (device !== undefined) return found(deviceInfo(device));
  const gpu = findGpu(options);
  if (gpu === undefined) return { available: false, reason: NO_GPU };
  const adapter = await findAdapter(gpu);
  return adapter === null ? { available: false, reason: NO_ADAPTER } : found(adapterInfo(adapter));
}

async function start(options: StartOptions): Promise<void> {
  const device = givenDevice(options);
  const current = running();
  if (current !== undefined) {
    if (device === undefined || device === current.device) return;
    throw new InvalidArgumentError(
      "Backend 'webgpu' runs on another device already. Call tf.removeBackend('webgpu') first, which disposes of its tensors.",
    );
  }
  const gpu = findGpu(options);
  if (device === undefined && gpu === undefined) throw new UnsupportedBackendError(NO_GPU);
  const opened = device === undefined ? await openDevice(gpu as GPU) : { device, info: deviceInfo(device) };
  gpuInUse = gpu ?? gpuInUse;
  provideGlobals(opened.device, gpu);
  // tfjs registers a factory of its own where it finds navigator.gpu; ours stands for this device.
  if (tf.findBackendFactory('webgpu') !== null) tf.removeBackend('webgpu');
  const make = () => withNavigatorGpu(() => new WebGPUBackend(opened.device, opened.info));
  tf.registerBackend('webgpu', make, PRIORITY);
}

export const webgpuProvider: BackendProvider = { name: 'webgpu', probe, start };
