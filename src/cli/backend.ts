/** The backends that the command brings, and the start of one. */
import '@tensorflow/tfjs-backend-cpu';
import '../wasm.js';
import '../tensorflow.js';
import { Option } from 'commander';
import { type BackendChoice, useBackend } from '../runtime/backends.js';
import { UnsupportedBackendError } from '../runtime/errors.js';
import type { Log } from './output.js';
import * as parse from './parsers.js';

/** What --backend takes. */
export const BACKENDS = ['wasm', 'cpu', 'tensorflow', 'webgpu', 'auto'] as const;

/** The option --backend. */
export const backendOption = (): Option =>
  new Option('--backend <name>', 'where to compute').choices(BACKENDS).default('wasm');

/** The option --threads. */
export const threadsOption = (): Option =>
  new Option('--threads <n>', 'threads of planned networks on backend wasm; the result does not depend on it')
    .argParser(parse.threads)
    .default(1);

/**
 * Starts a backend for the command; webgpu's package is optional and loaded only when it is asked for.
 *
 * @param threads Of planned networks, where the command has any.
 */
export async function startBackend(name: string, log: Log, threads = 1): Promise<BackendChoice> {
  if (name === 'webgpu') {
    try {
      await import('../webgpu.js');
    } catch (error) {
      throw new UnsupportedBackendError(
        'Backend webgpu needs the package @tensorflow/tfjs-backend-webgpu. Install it: npm install @tensorflow/tfjs-backend-webgpu',
        { cause: error },
      );
    }
  }
  const choice = await useBackend(name, { log });
  if (threads > 1 && choice.name === 'wasm') log(`Planned networks compute on ${threads} threads.`);
  return choice;
}
