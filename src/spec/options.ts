/** The refusal of options that nothing reads, and how messages write the value of an option. */
import { InvalidArgumentError } from '../runtime/errors.js';

/** A value as messages write it: lists in brackets, texts in quotes, NaN as itself. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  const plain = typeof value === 'number' || typeof value === 'function' || value === undefined;
  return plain ? String(value) : (JSON.stringify(value) ?? String(value));
}

/**
 * Refuses options that are not known: a misspelt one would be left out silently.
 *
 * @param title Whose options they are.
 * @param options What was received.
 * @param known The legal names, as the message lists them.
 * @param unlisted Names that pass without being listed.
 * @throws InvalidArgumentError naming the option and listing the legal ones.
 */
export function checkKeys(
  title: string,
  options: unknown,
  known: readonly string[],
  unlisted: readonly string[] = [],
): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError(
      `${title} takes an object of options. Received: ${show(options)}. Its options are ${known.join(', ')}.`,
    );
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key) || unlisted.includes(key)) continue;
    throw new InvalidArgumentError(`${title} has no option '${key}'. Its options are ${known.join(', ')}.`);
  }
}

/**
 * {@link checkKeys} for what works on images, which is always channels last.
 *
 * @throws InvalidArgumentError also for a `dataFormat` other than 'channelsLast'.
 */
export function checkImageKeys(
  title: string,
  options: unknown,
  known: readonly string[],
  unlisted: readonly string[] = [],
): void {
  checkKeys(title, options, known, [...unlisted, 'dataFormat']);
  const { dataFormat = 'channelsLast' } = options as { readonly dataFormat?: unknown };
  if (dataFormat !== 'channelsLast') {
    throw new InvalidArgumentError(
      `${title} takes images [batch, height, width, channels], the channels last. Received: dataFormat=${show(dataFormat)}. Transpose channels-first images with tf.transpose(x, [0, 2, 3, 1]), and leave dataFormat out.`,
    );
  }
}
