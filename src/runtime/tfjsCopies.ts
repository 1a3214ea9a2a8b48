/**
 * Finding a second copy of tfjs-core. Copies share the engine, kernels and gradients (these hang on the global), but not the
 * classes nor the serialization map: a layer registered in one is unknown to the other's loader.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** Which copies of tfjs-core this program has loaded, as far as can be seen. */
export interface TfjsCopies {
  /** Version of the copy that this package uses. */
  readonly version: string;
  /** 1, or 2 where at least one other copy was found. */
  readonly copies: 1 | 2;
  /** What gave the other copy away, and what to do; empty for one copy. */
  readonly evidence: readonly string[];
}

// Each copy of tfjs-core sets the platform when it is loaded, so a later change means a later copy.
const platformAtImport = tf.env().platform;

/** The class that the first copy loaded has hung on the global. */
function firstTensorClass(): unknown {
  const globals: unknown = Reflect.get(tf.env().global, '_tfGlobals');
  return globals instanceof Map ? globals.get('Tensor') : undefined;
}

/**
 * Looks for a second copy of tfjs-core.
 *
 * @returns The version in use, and what points at another copy.
 */
export function findTfjsCopies(): TfjsCopies {
  const evidence: string[] = [];
  const first = firstTensorClass();
  if (first !== undefined && first !== tf.Tensor)
    evidence.push('Another copy of @tensorflow/tfjs-core was loaded before.');
  if (tf.env().platform !== platformAtImport) evidence.push('Another copy of @tensorflow/tfjs-core was loaded later.');
  if (!(tfl.LayersModel.prototype instanceof tf.serialization.Serializable)) {
    evidence.push('@tensorflow/tfjs-layers uses another copy of @tensorflow/tfjs-core.');
  }
  for (const [name, backend] of Object.entries(tf.engine().registry)) {
    if (!(backend instanceof tf.KernelBackend))
      evidence.push(`Backend '${name}' uses another copy of @tensorflow/tfjs-core.`);
  }
  if (evidence.length > 0) {
    evidence.push("Let the package manager or bundler keep one ('npm ls @tensorflow/tfjs-core' lists them).");
  }
  return { version: tf.version_core, copies: evidence.length > 0 ? 2 : 1, evidence };
}
