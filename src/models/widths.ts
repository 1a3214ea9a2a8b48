/** What a list of widths means for a network by its name: the paper's groups do not fit narrow stages. */
import { InvalidArgumentError } from '../runtime/errors.js';
import type { NetworkName } from './index.js';

/**
 * The options that set the depth and width of a network.
 *
 * @throws InvalidArgumentError where PyConvU-Net cannot divide a width among its levels.
 */
export function widthOptions(name: NetworkName, widths: readonly number[] | null | undefined) {
  if (widths === null || widths === undefined) return {};
  if (name !== 'pyconvunet') return { widths };
  const odd = widths.find((width) => width % 8 !== 0);
  if (odd !== undefined) {
    throw new InvalidArgumentError(
      `widths of pyconvunet must be multiples of 8, since its levels make 1/8, 1/8, 1/4 and 1/2 of the channels. Received: ${widths.join(',')}.`,
    );
  }
  return { widths, groups: 'auto' as const };
}
