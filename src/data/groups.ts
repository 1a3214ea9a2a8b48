/** Groups of samples by their names: slices of one volume, images of one patient. */
import { DataError, InvalidArgumentError } from '../runtime/errors.js';

/** Everything before a last number that is set off by _, -, # or a space, with or without s, z or slice before it. */
const volume = /^(.+?)[-_# ](?:(?:s|z|slice)[-_ ]?)?\d+$/i;

/**
 * Makes a function that tells the group of a name.
 *
 * @param groupBy The word 'volume' (`v10001_s081` is of `v10001`, `ID_0000_Z_0142` of `ID_0000`, `stack#7` of `stack`),
 * or a regular expression on the name without extension: its first group where it has one, else the whole match.
 * @returns A function from a name to its group; it throws DataError for a name that the pattern does not match.
 * @throws InvalidArgumentError where a text is no regular expression.
 * @example
 * ```ts
 * import { grouping } from 'pyconvunet/training';
 *
 * const groupOf = grouping('^patient(\\d+)');
 * console.log(groupOf('patient12_slice3')); // 12
 * ```
 */
export function grouping(groupBy: string | RegExp): (name: string) => string {
  const pattern = groupBy === 'volume' ? volume : compile(groupBy);
  return (name) => {
    const match = pattern.exec(name);
    const group = match?.[1] ?? match?.[0];
    if (group === undefined || group === '') {
      throw new DataError(
        `The name '${name}' does not match the pattern of groups ${String(groupBy)}. ` +
          `Give a regular expression that matches every name, its first group being the volume or patient.`,
      );
    }
    return group;
  };
}

function compile(groupBy: string | RegExp): RegExp {
  try {
    // Without the flags g and y, whose matches depend on the one before.
    return typeof groupBy === 'string' ? new RegExp(groupBy) : new RegExp(groupBy, groupBy.flags.replace(/[gy]/g, ''));
  } catch (cause) {
    throw new InvalidArgumentError(
      `groupBy must be 'volume' or a regular expression. Received: ${String(groupBy)}. ` +
        `Escape brackets that are meant literally.`,
      { cause },
    );
  }
}
