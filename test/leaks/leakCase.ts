/** What a leak case is, how one is run, and which exports lack one. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** Calls one public function or class with small real arguments, and disposes of what belongs to the caller. */
export type LeakCase = () => unknown;

/** The cases of one namespace or entry, by the export's name. */
export type LeakCases = Readonly<Record<string, LeakCase>>;

/** Tensors and buffers that a case left behind; a kernel that forgets an intermediate result leaves a buffer alone. */
export async function leftBehind(run: LeakCase): Promise<{ tensors: number; buffers: number }> {
  const before = tf.memory();
  await run();
  const after = tf.memory();
  return { tensors: after.numTensors - before.numTensors, buffers: after.numDataBuffers - before.numDataBuffers };
}

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** Names of the functions and classes that a module exports; plain values and namespaces hold no tensors of their own. */
export const callables = (module: object): string[] =>
  Object.entries(module).flatMap(([name, value]) => (isFunction(value) ? [name] : []));

/** Names of the namespaces that a module exports. */
export const namespaces = (module: object): string[] =>
  Object.entries(module).flatMap(([name, value]) =>
    Object.prototype.toString.call(value) === '[object Module]' ? [name] : [],
  );

/** What to do about exports without a case and cases without an export; empty where all is well. */
export function complaints(prefix: string, module: object, cases: LeakCases, file: string): string[] {
  const exported = callables(module);
  const missing = exported.filter((name) => !Object.hasOwn(cases, name));
  const stale = Object.keys(cases).filter((name) => !exported.includes(name));
  return [
    ...missing.map((name) => `${prefix}${name} has no leak case: add '${name}' to ${file}.`),
    ...stale.map((name) => `${prefix}${name} is exported no more: remove '${name}' from ${file}.`),
  ];
}

/** Runs a function with a model and disposes of the model. */
export async function withModel(model: tfl.LayersModel, use: (model: tfl.LayersModel) => unknown): Promise<void> {
  try {
    await use(model);
  } finally {
    model.dispose();
  }
}
