/** A command that did its work and found something wrong: its document stands on standard output, and it ends with code 1. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}
