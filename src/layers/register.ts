/** Class names of this package's layers, and their registration. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * tfjs keys its classes by the bare name, so that two packages' `PyConv2D` would collide silently; the prefix is Keras 3's
 * way of writing `registerClass(cls, package)`.
 */
export const className = (name: string): string => `pyconvunet>${name}`;

const counts = new Map<string, number>();

/** A legal default name, counted per prefix: '>' of the class name, from which tfjs derives one, is illegal in tensor names. */
export function defaultName(prefix: string): string {
  const count = (counts.get(prefix) ?? 0) + 1;
  counts.set(prefix, count);
  return `${prefix}_${count}`;
}

/** Registers a layer class so that saved models find it. */
export function register<T extends tf.serialization.Serializable>(
  cls: tf.serialization.SerializableConstructor<T>,
): void {
  tf.serialization.registerClass(cls);
}
