/**
 * Entry `pyconvunet/webgpu`: registers backend 'webgpu', in browsers, in Deno, and in Node with a GPU object or device handed over.
 *
 * @packageDocumentation
 */
import { registerCast } from './kernels/webgpu/cast.js';
import { webgpuProvider } from './kernels/webgpu/provider.js';
import { registerProvider } from './runtime/providers.js';

registerCast();
registerProvider(webgpuProvider);
