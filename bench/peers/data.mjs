// What export.py wrote, for the contenders in JavaScript.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The numbers of a file, float32. */
const floats = (path) => {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

/**
 * @param {string} folder Where export.py wrote.
 * @param {string} network As the package names it.
 */
export function readData(folder, network) {
  const record = JSON.parse(readFileSync(join(folder, 'data.json'), 'utf8'));
  const { weights, multiplyAccumulates, losses } = record.networks[network];
  const [batch, channels, height, width] = record.inputShape;
  return {
    multiplyAccumulates,
    losses,
    /** [batch, channels, height, width] */
    nchw: [batch, channels, height, width],
    /** [batch, height, width, channels] */
    nhwc: [batch, height, width, channels],
    input: (layout) => floats(join(folder, `input-${layout}.f32`)),
    /** The mask, 0 or 1. */
    target: () => floats(join(folder, 'target.f32')),
    /** Reference probabilities. */
    output: () => floats(join(folder, `${network}-output.f32`)),
    /** Every weight as the package names it and TensorFlow lays it out. @returns {Map<string, {shape: number[], values: Float32Array}>} */
    weights: () => {
      const all = floats(join(folder, `${network}-weights.bin`));
      const count = (shape) => shape.reduce((product, size) => product * size, 1);
      return new Map(
        Object.entries(weights).map(([name, { offset, shape }]) => [
          name,
          { shape, values: all.subarray(offset, offset + count(shape)) },
        ]),
      );
    },
  };
}
