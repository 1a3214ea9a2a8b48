/** A data set on disk for the command's tests: generated images with masks. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePng, phantom } from '../../src/data/index.js';

/** A folder of its own under the system's temporary one. */
export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'pyconvunet-'));

/** Writes `count` lung phantoms of a seed, of 32x32 pixels as image/ and mask/, named p<group>_s<index>. */
export async function writeDataset(folder: string, count = 8, seed = 0): Promise<string> {
  await mkdir(join(folder, 'image'), { recursive: true });
  await mkdir(join(folder, 'mask'), { recursive: true });
  for (const [i, { image, mask }] of phantom('lung', { count, size: 32, seed }).entries()) {
    const name = `p${i >> 1}_s${i}.png`;
    await writeFile(join(folder, 'image', name), encodePng({ width: 32, height: 32, channels: 1, data: image.data }));
    await writeFile(join(folder, 'mask', name), encodePng({ width: 32, height: 32, channels: 1, data: mask.data }));
  }
  return folder;
}
