/** What prepared samples hold, in few digits: a run knows its images by it, wherever they lie. */
import { createHash } from 'node:crypto';
import type { Sample } from '../sample.js';

/** The first 16 hexadecimal digits of the SHA-256 of image and mask. */
function digest({ image, mask }: Sample): string {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  return createHash('sha256').update(bytes(image)).update(bytes(mask)).digest('hex').slice(0, 16);
}

/** The digests of samples, by name. */
export const digestsOf = (samples: readonly Sample[]): Record<string, string> =>
  Object.fromEntries(samples.map((sample) => [sample.name, digest(sample)]));
