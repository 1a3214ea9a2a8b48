/** The family of errors that users meet; each message says what was received, what is legal and what to do. */

/** An argument of a public function is illegal. */
export class InvalidArgumentError extends Error {
  override readonly name = 'InvalidArgumentError';
}

/** A backend is missing, was not imported, or cannot do what was asked. */
export class UnsupportedBackendError extends Error {
  override readonly name = 'UnsupportedBackendError';
}

/** A file or a data set is missing, unreadable or inconsistent; the message names the file. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** What was asked for does not fit into the memory that the backend can hold. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}
