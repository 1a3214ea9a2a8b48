/** Class names of this package's layers, and their registration. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * tfjs keys its classes by the bare name, so that two packages' `PyConv2D` would collide silently; the prefix is Keras 3's
 * way of writing `registerClass(cls, package)`.
 */
export const className = (name: string): string => `pyconvunet>${name}`;

let layerCount = 0;

/** A legal default name: '>' of the class name, from which tfjs derives one, is illegal in tensor names. */
export function defaultName(prefix: string): string {
  layerCount += 1;
  return `${prefix}_${layerCount}`;
}

/** Registers a layer class so that saved models find it. */
export function register<T extends tf.serialization.Serializable>(
  cls: tf.serialization.SerializableConstructor<T>,
): void {
  tf.serialization.registerClass(cls);
}
