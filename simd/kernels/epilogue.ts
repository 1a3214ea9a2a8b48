/**
 * What happens to a sum before it is stored: x = max(floor1, x + bias), x = max(floor2, x scale + shift). So a bias, a ReLU, and
 * a normalisation with a ReLU behind it cost no pass of their own. A record has five numbers a channel: bias, floor1, scale,
 * shift, floor2.
 */
import type { Int, IntLike, Vec, Writer } from '../lang.js';

const BYTES = 20;

/** The function of one channel, its numbers in registers. */
export function epilogueOf(w: Writer, record: Int, channel: IntLike): (x: Vec) => Vec {
  const place = w.int(record.plus(w.int(channel).times(BYTES)));
  const [bias, floor1, scale, shift, floor2] = [0, 1, 2, 3, 4].map((i) => w.vec(w.splat(place, 4 * i)));
  if (!bias || !floor1 || !scale || !shift || !floor2) throw new Error('An epilogue has five numbers.');
  return (x) => w.fma(x.plus(bias).atLeast(floor1), scale, shift).atLeast(floor2);
}
