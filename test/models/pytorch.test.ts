import '@tensorflow/tfjs-backend-cpu';
import { pytorchSuite } from './pytorchSuite.js';

pytorchSuite('cpu');
