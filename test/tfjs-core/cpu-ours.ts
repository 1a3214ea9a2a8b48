/** TensorFlow.js's cpu backend with this package's composed kernels. */
import '@tensorflow/tfjs-backend-cpu';
import { ensureKernels } from '../../src/ops/index.js';

ensureKernels('cpu');
