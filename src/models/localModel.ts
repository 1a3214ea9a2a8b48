/** A model.json on this machine, whose weight files lie beside it, as a tfjs handler that names a damaged file. */
import * as tf from '@tensorflow/tfjs-core';
import { DataError } from '../runtime/errors.js';
import { readLocalFile } from '../runtime/platformFiles.js';
import { messageOf, withoutPeriod } from '../runtime/sentences.js';
import { manifestBytes } from './manifestBytes.js';

type WeightGroup = tf.io.WeightsManifestConfig[number];

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isGroup = (value: unknown): boolean =>
  isRecord(value) && Array.isArray(value.paths) && Array.isArray(value.weights);
const isModelJson = (value: unknown): value is tf.io.ModelJSON =>
  isRecord(value) &&
  isRecord(value.modelTopology) &&
  Array.isArray(value.weightsManifest) &&
  value.weightsManifest.every(isGroup);

function parseModelJson(path: string, bytes: Uint8Array): tf.io.ModelJSON {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new DataError(
      `${path} is no JSON file: ${withoutPeriod(messageOf(error))}. Give the model.json that 'pyconvunet train' or model.save wrote, or copy it again.`,
      { cause: error },
    );
  }
  if (isModelJson(parsed)) return parsed;
  throw new DataError(
    `${path} is no model: it needs modelTopology and weightsManifest. Give the model.json that 'pyconvunet train' or model.save wrote.`,
  );
}

/** The files of one group, one after another, which hold as many bytes as the group's weights. */
async function readGroup(
  { paths, weights }: WeightGroup,
  read: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
  folder: string,
): Promise<ArrayBuffer[]> {
  const parts = await Promise.all(paths.map(read));
  const received = parts.reduce((sum, part) => sum + part.length, 0);
  const expected = manifestBytes(weights);
  if (expected !== undefined && received !== expected) {
    const files = paths.map((name) => folder + name).join(', ');
    throw new DataError(
      `${files} hold${paths.length === 1 ? 's' : ''} ${received} bytes, and model.json lists weights of ${expected}: truncated, or of another model. Copy the folder again.`,
    );
  }
  return parts.map((part) => part.buffer);
}

/**
 * A handler for a model.json on this machine.
 *
 * @param path The model.json.
 * @param onShare Receives the share of the files that has been read, 0..1.
 */
export function localModel(path: string, onShare: (share: number) => void): tf.io.IOHandler {
  const folder = path.replace(/[^/\\]*$/, '');
  return {
    load: async () => {
      const bytes = await readLocalFile(
        path,
        "Give the path of a model.json that 'pyconvunet train' or model.save wrote.",
      );
      const json = parseModelJson(path, bytes);
      const files = 1 + json.weightsManifest.reduce((sum, { paths }) => sum + paths.length, 0);
      let done = 0;
      const finish = () => onShare(++done / files);
      finish();
      const read = async (name: string) => {
        const part = await readLocalFile(folder + name, `${path} names it: copy it beside that file.`);
        finish();
        return part;
      };
      return tf.io.getModelArtifactsForJSON(json, async (manifest) => {
        const groups = await Promise.all(manifest.map((group) => readGroup(group, read, folder)));
        return [manifest.flatMap(({ weights }) => weights), groups.flat()];
      });
    },
  };
}
