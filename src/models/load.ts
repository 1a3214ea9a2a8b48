/** Loading of a model from a URL, a path or any tfjs handler. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { DataError } from '../runtime/errors.js';
import { hasFileSystem, pathOfFileUrl } from '../runtime/platformFiles.js';
import type { LongCallOptions } from '../runtime/progress.js';
import { requireBackend } from '../runtime/requireBackend.js';
import { withoutPeriod } from '../runtime/sentences.js';
import { localModel } from './localModel.js';
import { manifestBytes } from './manifestBytes.js';

/** Anything with a scheme but a file's is for tfjs's own handlers: http, https, indexeddb, localstorage. */
const hasScheme = (source: string): boolean => /^[a-z][a-z0-9+.-]+:\/\//i.test(source);
const isFileUrl = (source: string): boolean => /^file:\/\//i.test(source);

type OnShare = (share: number) => void;

function handlerFor(source: string, onShare: OnShare, signal: AbortSignal | undefined): tf.io.IOHandler {
  if (hasFileSystem() && isFileUrl(source)) return localModel(pathOfFileUrl(source), onShare);
  if (hasFileSystem() && !hasScheme(source)) return localModel(source, onShare);
  const options = { onProgress: onShare, ...(signal === undefined ? {} : { requestInit: { signal } }) };
  // A page's own relative address has no handler of its own.
  if (!hasScheme(source)) return tf.io.browserHTTPRequest(source, options);
  const [handler] = tf.io.getLoadHandlers(source, options);
  if (handler === undefined) {
    throw new DataError(
      `Nothing here loads ${source}: indexeddb:// and localstorage:// are there in browsers only. Give a path, an http(s) URL or a tf.io handler.`,
    );
  }
  return handler;
}

/** tfjs's message, and that of its cause: Node's fetch says only there what failed. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error && error.cause.message !== '' ? ` (${error.cause.message})` : '';
  return `${withoutPeriod(error.message)}${cause}`;
}

const asDataError = (name: string, error: unknown): DataError =>
  error instanceof DataError ? error : new DataError(`Cannot load ${name}: ${reason(error)}.`, { cause: error });

/** One buffer: tfjs reads several wrongly where the last one is longer than the others. */
function joined(weightData: tf.io.WeightData): ArrayBuffer {
  if (!Array.isArray(weightData)) return weightData;
  const [first = new ArrayBuffer(0), ...others] = weightData;
  return others.length === 0 ? first : tf.io.CompositeArrayBuffer.join(weightData);
}

/** The artifacts in one piece; refuses what tfjs would load as a network with random or shifted weights, or fail on without a name. */
function checkedArtifacts(name: string, artifacts: tf.io.ModelArtifacts): tf.io.ModelArtifacts {
  const { format, modelTopology, weightData, weightSpecs } = artifacts;
  if (format === 'graph-model') {
    throw new DataError(
      `${name} is a graph model, which only tf.loadGraphModel of @tensorflow/tfjs-converter reads. Give a layers model, as model.save writes it.`,
    );
  }
  if (typeof modelTopology !== 'object' || modelTopology === null) {
    throw new DataError(`${name} is no model: it has no modelTopology. Give the model.json that model.save wrote.`);
  }
  if (weightData === undefined || weightSpecs === undefined) {
    throw new DataError(`${name} has no weights, only the network's layers. Save the model again with its weights.`);
  }
  const weights = joined(weightData);
  const received = weights.byteLength;
  const expected = manifestBytes(weightSpecs);
  if (expected !== undefined && received !== expected) {
    throw new DataError(
      `The weight files of ${name} hold ${received} bytes, and it lists weights of ${expected}: truncated, or of another model. Copy all files again.`,
    );
  }
  return { ...artifacts, weightData: weights };
}

/** tfjs's loading in two steps, the network and its weights: where they do not fit, tfjs alone leaves both in memory. */
async function built(artifacts: tf.io.ModelArtifacts): Promise<tfl.LayersModel> {
  const { weightData, weightSpecs = [] } = artifacts;
  let isAsked = false;
  const handler = {
    load: async () =>
      Object.defineProperty({ ...artifacts }, 'weightData', {
        // tfjs asks first whether there are weights, which spares the layers their initialisers, and then for the weights.
        get: () => {
          if (isAsked) return undefined;
          isAsked = true;
          return weightData;
        },
      }),
  };
  const model = await tfl.loadLayersModel(handler);
  try {
    await setWeights(model, tf.io.decodeWeights(weightData ?? new ArrayBuffer(0), weightSpecs), weightSpecs);
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}

/** Copies decoded weights into a model, and into its optimizer where it was saved with one; disposes of them. */
async function setWeights(
  model: tfl.LayersModel,
  decoded: tf.NamedTensorMap,
  specs: tf.io.WeightsManifestEntry[],
): Promise<void> {
  const ofOptimizer = specs.filter(({ group }) => group === 'optimizer').map(({ name }) => name);
  const ofModel = Object.entries(decoded).filter(([name]) => !ofOptimizer.includes(name));
  try {
    model.loadWeights(Object.fromEntries(ofModel));
    if (model.optimizer !== undefined && ofOptimizer.length > 0) {
      await model.optimizer.setWeights(ofOptimizer.map((name) => ({ name, tensor: decoded[name] })));
    }
  } finally {
    tf.dispose(decoded);
  }
}

/**
 * Loads a model that `model.save` or `pyconvunet train` wrote, with this package's layers registered.
 *
 * @param source A model.json by its path (Node, Deno, Bun) or URL (http, https, file; in a page also relative),
 *   `indexeddb://name`, `localstorage://name`, or any handler of tf.io, such as `tf.io.browserFiles`.
 * @param options `signal`, and `onProgress`, whose `done` is the share of the files that has arrived (`total` 1).
 * @returns The model; what training wrote about preprocessing, classes and threshold is in its user-defined metadata, which
 *   `inference.predictMask` reads.
 * @throws DataError naming the file that cannot be read, is no model or is truncated; `signal.reason` where aborted.
 *
 * @example
 * ```ts no-run
 * import 'pyconvunet/wasm';
 * import { models, useBackend } from 'pyconvunet';
 *
 * await useBackend('wasm');
 * const model = await models.load('run/model.json');
 * ```
 */
export async function load(
  source: string | URL | tf.io.IOHandler,
  options: LongCallOptions = {},
): Promise<tfl.LayersModel> {
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  requireBackend();
  let done = 0;
  const report = (share: number): void => {
    done = Math.max(done, Math.min(share, 1));
    onProgress?.({ status: 'loading', done, total: 1 });
  };
  const address = source instanceof URL ? source.href : source;
  const name = typeof address === 'string' ? address : 'the model';
  report(0);
  let model: tfl.LayersModel;
  try {
    const handler = typeof address === 'string' ? handlerFor(address, report, signal) : address;
    if (handler.load === undefined) throw new DataError('The handler only saves. Give one with a load function.');
    const received = await handler.load();
    signal?.throwIfAborted();
    const artifacts = checkedArtifacts(name, received);
    model = await built(artifacts);
  } catch (error) {
    signal?.throwIfAborted();
    throw asDataError(name, error);
  }
  report(1);
  return model;
}
