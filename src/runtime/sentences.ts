/** What somebody else says, as a part of a sentence of ours. */

/** The message of whatever was thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** A sentence that another one goes on behind. */
export const withoutPeriod = (sentence: string): string => sentence.replace(/\.$/, '');
