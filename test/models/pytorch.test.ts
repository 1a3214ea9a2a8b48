import { describeBackends } from '../backends.js';
import { pytorchSuite } from './pytorchSuite.js';

describeBackends('networks equal PyTorch', pytorchSuite);
