/**
 * The provider of backend tensorflow: tfjs-node or tfjs-node-gpu, found when it is asked for. It is never imported statically:
 * its native part is installed by some and missing for most.
 */
import * as tf from '@tensorflow/tfjs-core';
import { UnsupportedBackendError } from '../../runtime/errors.js';
import type { BackendProvider, Probe } from '../../runtime/providers.js';
import { messageOf } from '../../runtime/sentences.js';

const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

// tfjs-node's own priority of its backend.
const PRIORITY = 3;

const isLoaded = () => tf.findBackendFactory('tensorflow') !== null;

/** Node's `process`, read so that bundlers see no Node built-in. */
function nodeProcess(): NodeJS.Process | undefined {
  return typeof process === 'object' && typeof process.getBuiltinModule === 'function' ? process : undefined;
}

/** tfjs-node calls two functions of node:util that Node 23 removed. */
function restoreRemovedUtilities(node: NodeJS.Process): void {
  const util: Record<string, unknown> = node.getBuiltinModule('node:util');
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

function isNotInstalled(error: unknown, name: string): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return false;
  // Vite's server gives an optional peer that is missing a name of its own.
  return String(error).includes(`'${name}'`) || String(error).includes('__vite-optional-peer-dep');
}

// What the package registered: imported once, it does not register again what tf.removeBackend took away.
let factory: ReturnType<typeof tf.findBackendFactory> | undefined;

/** Undoes what the package does when it is imported: it starts its backend and makes it the current one. */
async function registerOnly(previous: string): Promise<void> {
  if (isLoaded()) {
    factory = tf.findBackendFactory('tensorflow');
    // Before the removal, which would break off a start of the current backend.
    if (previous) await tf.setBackend(previous);
    tf.removeBackend('tensorflow');
  }
  if (factory !== undefined) tf.registerBackend('tensorflow', factory, PRIORITY);
}

/** Imports the first package that is installed; leaves tfjs's current backend, or none, as it was. */
async function load(): Promise<string> {
  const node = nodeProcess();
  if (node === undefined) {
    throw new UnsupportedBackendError("Backend 'tensorflow' runs in Node only. Use backend 'webgpu' or 'wasm' here.");
  }
  restoreRemovedUtilities(node);
  // With oneDNN TensorFlow also computes the gradients of grouped convolutions on a CPU. Read when the library is loaded.
  node.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  const previous = tf.getBackend();
  for (const name of PACKAGES) {
    try {
      // Not a literal, so that no bundler looks for an optional package.
      await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
    } catch (error) {
      if (isNotInstalled(error, name)) continue;
      const cause = error instanceof Error ? error.message.split('\n')[0] : String(error);
      throw new UnsupportedBackendError(
        `Package '${name}' is installed but does not load: ${cause} Install it again: npm rebuild ${name} --build-addon-from-source.`,
      );
    }
    await registerOnly(previous);
    return name;
  }
  throw new UnsupportedBackendError(
    "Package '@tensorflow/tfjs-node' is not installed. Install it: npm install @tensorflow/tfjs-node (or @tensorflow/tfjs-node-gpu).",
  );
}

async function probe(): Promise<Probe> {
  if (isLoaded()) return { available: true, reason: 'TensorFlow is loaded.' };
  try {
    return { available: true, reason: `TensorFlow through ${await load()}.` };
  } catch (error) {
    return { available: false, reason: messageOf(error) };
  }
}

async function start(): Promise<void> {
  if (!isLoaded()) await load();
}

export const tensorflowProvider: BackendProvider = { name: 'tensorflow', probe, start };
