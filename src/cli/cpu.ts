/** The start of the backend for commands that build networks and run none. */
import * as tf from '@tensorflow/tfjs-core';
import { startBackend } from './backend.js';

/** Starts backend cpu without a word: at its first tensor tfjs would advise a faster one, which nothing here needs. */
export async function startCpu(): Promise<void> {
  await startBackend('cpu', () => {});
  const isQuiet = tf.env().getBool('PROD');
  tf.env().set('PROD', true);
  tf.scalar(0).dispose();
  tf.env().set('PROD', isQuiet);
}
