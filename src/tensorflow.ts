/**
 * Entry `pyconvunet/tensorflow`: registers backend 'tensorflow', which runs on tfjs-node or tfjs-node-gpu where one is installed.
 *
 * @packageDocumentation
 */
import { tensorflowProvider } from './kernels/tensorflow/provider.js';
import { registerProvider } from './runtime/providers.js';

registerProvider(tensorflowProvider);
