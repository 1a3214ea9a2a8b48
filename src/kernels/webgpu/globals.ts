/** What tfjs's webgpu backend expects on the global and Node does not have: the usage constants, and a navigator with a gpu. */

// Values fixed by the WebGPU specification, section "Buffer usages", "Texture usages" and "Map modes".
const CONSTANTS = {
  GPUBufferUsage: {
    MAP_READ: 1,
    MAP_WRITE: 2,
    COPY_SRC: 4,
    COPY_DST: 8,
    INDEX: 16,
    VERTEX: 32,
    UNIFORM: 64,
    STORAGE: 128,
    INDIRECT: 256,
    QUERY_RESOLVE: 512,
  },
  GPUTextureUsage: { COPY_SRC: 1, COPY_DST: 2, TEXTURE_BINDING: 4, STORAGE_BINDING: 8, RENDER_ATTACHMENT: 16 },
  GPUMapMode: { READ: 1, WRITE: 2 },
} as const;

// tfjs asks whether a resource is a buffer or a texture by these classes.
const CLASSES = ['GPUBuffer', 'GPUTexture', 'GPUExternalTexture'] as const;

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

/**
 * Defines what is missing, and nothing that is there.
 *
 * @param device The device that tfjs will run on; its own classes are found through it.
 * @param gpu What `navigator.gpu` shall be where it is missing; without it that is left to {@link withNavigatorGpu}.
 */
export function provideGlobals(device: GPUDevice, gpu: GPU | undefined): void {
  for (const [name, constants] of Object.entries(CONSTANTS)) {
    if (!(name in globalThis)) define(globalThis, name, constants);
  }
  if (!('GPUBuffer' in globalThis)) {
    const buffer = device.createBuffer({ size: 4, usage: CONSTANTS.GPUBufferUsage.STORAGE });
    define(globalThis, 'GPUBuffer', buffer.constructor);
    buffer.destroy();
  }
  for (const name of CLASSES) {
    // A class without instances: this runtime hands out no such resource.
    if (!(name in globalThis)) define(globalThis, name, class {});
  }
  if (gpu === undefined || hasNavigatorGpu()) return;
  if (typeof navigator === 'undefined') define(globalThis, 'navigator', {});
  define(navigator, 'gpu', gpu);
}

function hasNavigatorGpu(): boolean {
  return typeof navigator !== 'undefined' && Boolean(Reflect.get(navigator, 'gpu'));
}

/**
 * Runs `make` with something at `navigator.gpu`. tfjs's backend asks whether it is there when it is made, and never uses it; a
 * caller who hands over a device has no GPU object to leave there, and others would call its `requestAdapter`.
 */
export function withNavigatorGpu<T>(make: () => T): T {
  if (hasNavigatorGpu()) return make();
  const hasNavigator = typeof navigator !== 'undefined';
  if (!hasNavigator) define(globalThis, 'navigator', {});
  define(navigator, 'gpu', {});
  try {
    return make();
  } finally {
    if (hasNavigator) Reflect.deleteProperty(navigator, 'gpu');
    else Reflect.deleteProperty(globalThis, 'navigator');
  }
}
