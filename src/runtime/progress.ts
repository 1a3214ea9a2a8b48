/** How every long call reports progress and is aborted. */

/** One report of progress; `done` never decreases within a call. */
export interface Progress {
  /** What is being done, for example 'training' or 'predicting'. */
  readonly status: string;
  /** Units finished so far. */
  readonly done: number;
  /** Units in all. */
  readonly total: number;
}

/** Options that every long call takes. */
export interface LongCallOptions<P extends Progress = Progress> {
  /** Aborts the call: it then throws `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Called after each unit of work. */
  readonly onProgress?: (progress: P) => void;
}
