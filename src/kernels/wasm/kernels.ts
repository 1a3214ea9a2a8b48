/** All kernels of backend wasm in one call. */
import { registerBatchNorm } from './batchNorm.js';
import { registerConcat } from './concat.js';
import { registerConvolutions } from './conv2d.js';
import { registerIdentity } from './identity.js';
import { registerMaxPoolGrad } from './maxPoolGrad.js';
import { registerPyConv } from './pyConv.js';
import { registerReverse } from './reverse.js';
import { registerSegmentSum } from './segmentSum.js';
import { registerSlice } from './slice.js';

let registered = false;

/** Registers what tfjs lacks or does slowly on wasm; a second call changes nothing. */
export function registerWasmKernels(): void {
  if (registered) return;
  registered = true;
  registerConvolutions();
  registerSlice();
  registerConcat();
  registerReverse();
  registerIdentity();
  registerMaxPoolGrad();
  registerSegmentSum();
  registerBatchNorm();
  registerPyConv();
}
