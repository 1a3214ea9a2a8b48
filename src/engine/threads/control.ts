/**
 * The words over which caller and workers agree, 32-bit integers in shared memory of the pool's own.
 *
 * A task is a ticket. Tickets are numbered through all runs of a pool and never used twice, so a thread that was put to sleep
 * anywhere cannot take part in a run that is not the one it has read: its ticket is gone.
 */

/** Places of the words; what is written often has a cache line of its own. */
export const WORD = {
  /** Even; one more while the two words behind it change. Idle workers sleep on it. */
  sequence: 0,
  /** The program of the run. */
  program: 1,
  /** Its first ticket. */
  first: 2,
  /** One of STATE. */
  state: 3,
  /** Messages sent to each worker so far. */
  posted: 4,
  /** Idle workers that sleep. */
  idle: 5,
  /** The next ticket that nobody has. */
  ticket: 16,
  /** The ticket up to which tasks are done: as many of them, in any order. Threads that wait for a phase sleep on it. */
  done: 32,
  /** Threads that sleep until a phase begins. */
  waiting: 33,
  /** Length and UTF-16 codes of what a kernel has thrown. */
  failure: 48,
  /** One word for each worker, 1 once it has come. */
  workers: 256,
} as const;

export const STATE = { working: 0, failing: 1, failed: 2, stopped: 3 } as const;

/** Codes of a failure that are kept. */
export const MOST_FAILURE = 200;

/** Milliseconds that an idle worker spins before it sleeps: waking up takes about as long. */
export const IDLE_SPIN = 0.1;

/** Milliseconds that a thread spins for the next phase of a run before it sleeps. */
export const PHASE_SPIN = 0.3;

/** The first ticket is close to the sign, so that every pool soon passes it: no run is special. */
export const FIRST_TICKET = 0x7fffff80;
