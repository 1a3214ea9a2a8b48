/** Loading of a model from a URL, a path or any tfjs handler. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { DataError } from '../runtime/errors.js';
import { hasFileSystem, readLocalFile } from '../runtime/platformFiles.js';

/** Anything with a scheme is for tfjs's own handlers: http, https, indexeddb, localstorage, file with tfjs-node. */
const hasScheme = (source: string): boolean => /^[a-z][a-z0-9+.-]+:\/\//i.test(source);

function parseModelJson(path: string, bytes: Uint8Array): tf.io.ModelJSON {
  try {
    const parsed: tf.io.ModelJSON = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof parsed.modelTopology === 'object' && Array.isArray(parsed.weightsManifest)) return parsed;
  } catch (error) {
    throw new DataError(`${path} is no JSON file: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
  throw new DataError(
    `${path} is no model: it needs modelTopology and weightsManifest, as tf.LayersModel.save writes them.`,
  );
}

/** A handler for a model.json on this machine, whose weight files lie beside it. */
function localModel(path: string): tf.io.IOHandler {
  const folder = path.replace(/[^/\\]*$/, '');
  return {
    load: async () => {
      const json = parseModelJson(path, await readLocalFile(path));
      return tf.io.getModelArtifactsForJSON(json, async (manifest) => {
        const specs = manifest.flatMap((group) => group.weights);
        const parts = await Promise.all(
          manifest.flatMap((group) => group.paths.map((name) => readLocalFile(folder + name))),
        );
        return [specs, parts.map((part) => part.buffer)];
      });
    },
  };
}

/**
 * Loads a model that `model.save` or `pyconvunet train` wrote, with this package's layers registered.
 *
 * @param source A path (Node, Deno, Bun) or URL of a model.json, `indexeddb://name`, `localstorage://name`, or a handler.
 * @returns The model; what a run wrote about preprocessing, classes and threshold is in its user-defined metadata, which
 *   `inference.predictMask` reads.
 * @throws DataError where a local file cannot be read or is no model.
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
export async function load(source: string | tf.io.IOHandler): Promise<tfl.LayersModel> {
  const local = typeof source === 'string' && !hasScheme(source) && hasFileSystem();
  return tfl.loadLayersModel(local ? localModel(source) : source);
}
