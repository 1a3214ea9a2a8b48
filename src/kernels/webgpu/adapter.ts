/** Finding a GPU adapter and opening a device on it: in browsers, in Deno, and in Node with a GPU object handed over (Dawn). */
import { InvalidArgumentError, UnsupportedBackendError } from '../../runtime/errors.js';
import type { StartOptions } from '../../runtime/providers.js';

export const NO_GPU =
  'There is no navigator.gpu. Use a browser with WebGPU or Deno, or in Node pass an object of the package webgpu (Dawn): ' +
  "useBackend('webgpu', { gpu: create([]) }).";
export const NO_ADAPTER = 'WebGPU is there but offers no adapter: the graphics driver is missing or blocked.';

function isGpu(value: unknown): value is GPU {
  return typeof value === 'object' && value !== null && 'requestAdapter' in value;
}

function isDevice(value: unknown): value is GPUDevice {
  return typeof value === 'object' && value !== null && 'createBuffer' in value && 'queue' in value;
}

/** The GPU object to open devices with: the caller's, or the runtime's. */
export function findGpu({ gpu }: StartOptions): GPU | undefined {
  if (gpu !== undefined) {
    if (isGpu(gpu)) return gpu;
    throw new InvalidArgumentError(
      "Option 'gpu' must be a GPU object with requestAdapter(), such as navigator.gpu. Received: another object.",
    );
  }
  const own: unknown = typeof navigator === 'undefined' ? undefined : Reflect.get(navigator, 'gpu');
  return isGpu(own) ? own : undefined;
}

/** The caller's device, checked; undefined where none was given. */
export function givenDevice({ device }: StartOptions): GPUDevice | undefined {
  if (device === undefined || isDevice(device)) return device;
  throw new InvalidArgumentError(
    "Option 'device' must be a GPUDevice, as adapter.requestDevice() resolves to. Received: another object.",
  );
}

/** The fastest adapter. */
export async function findAdapter(gpu: GPU): Promise<GPUAdapter | null> {
  return gpu.requestAdapter({ powerPreference: 'high-performance' });
}

/** What an adapter says about itself; tfjs's types are older than both places where it stands. */
export type AdapterInfo = GPUAdapterInfo & { readonly isFallbackAdapter?: boolean };

function infoAt(host: object, key: string): AdapterInfo | undefined {
  const info: unknown = Reflect.get(host, key);
  return typeof info === 'object' && info !== null ? (info as AdapterInfo) : undefined;
}

/** What a device's adapter says about itself, where the runtime tells. */
export const deviceInfo = (device: GPUDevice): AdapterInfo | undefined => infoAt(device, 'adapterInfo');

/** What an adapter says about itself, where the runtime tells. */
export const adapterInfo = (adapter: GPUAdapter): AdapterInfo | undefined => infoAt(adapter, 'info');

/** A name for people, from whatever the browser discloses. */
export function describeAdapter(info: AdapterInfo | undefined): string {
  if (info === undefined) return 'unnamed';
  const { vendor, architecture, device, description } = info;
  return description || [vendor, device || architecture].filter((part) => part).join(' ') || 'unnamed';
}

/** Whether an adapter computes on the CPU: it says so, or has the name of a known software renderer. */
export function isSoftware(info: AdapterInfo | undefined): boolean {
  if (info === undefined) return false;
  const { vendor, architecture, device, description } = info;
  const names = [vendor, architecture, device, description].join(' ');
  return info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test(names);
}

// What tfjs's kernels use where an adapter has more than the default.
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;
const FEATURES = ['timestamp-query', 'bgra8unorm-storage'] as const;

/**
 * Opens a device with the limits and features that tfjs uses. tfjs's own opening hands over a nested list of features, which
 * Deno refuses.
 */
export async function openDevice(gpu: GPU): Promise<{ device: GPUDevice; info: AdapterInfo | undefined }> {
  const adapter = await findAdapter(gpu);
  if (adapter === null) throw new UnsupportedBackendError(NO_ADAPTER);
  const device = await adapter.requestDevice({
    requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
  });
  return { device, info: adapterInfo(adapter) };
}
