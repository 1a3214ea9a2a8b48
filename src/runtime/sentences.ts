/** What somebody else says, as a part of a sentence of ours. */

/** The message of whatever was thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** What stands where something else is wanted: an object by its keys. */
export const receivedText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? `an object of ${Object.keys(value).join(', ')}` : String(value);

/** A sentence that another one goes on behind. */
export const withoutPeriod = (sentence: string): string => sentence.replace(/\.$/, '');
