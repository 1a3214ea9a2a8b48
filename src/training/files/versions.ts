/** The versions that a run was made with. */
import { version_core } from '@tensorflow/tfjs-core';
import { version_layers } from '@tensorflow/tfjs-layers';
import { version } from '../../runtime/version.js';

export const versions = (): Record<string, string> => ({
  pyconvunet: version,
  'tfjs-core': version_core,
  'tfjs-layers': String(version_layers),
  node: process.version,
});
