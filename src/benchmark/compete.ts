/** Contenders against each other: each is checked by the others, and those that are right take turns. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError, OutOfMemoryError } from '../runtime/errors.js';
import type { LongCallOptions, Progress } from '../runtime/progress.js';
import { messageOf } from '../runtime/sentences.js';
import { yieldToOthers } from '../runtime/yieldToOthers.js';
import { compareOutputs } from './agreement.js';
import { CannotTakePart, type Contender, type ContenderName, nameOf, type Work } from './contender.js';
import { type Summary, summarise } from './summary.js';

/** A contender that was right, with its times. */
export interface Timed extends ContenderName, Summary {
  /** Milliseconds from the model with its weights to its first result: planning, packing, compiling. */
  readonly firstMs: number;
  /** Bytes of the plan's memory; layer by layer of all tensors alive at the fullest moment. */
  readonly bytes: number;
  /** From the nearest of the other implementations; null where there is none. */
  readonly difference: number | null;
}

/** A contender that was not timed. */
export interface NotTimed extends ContenderName {
  /** It has no way to compute this or no memory for it, it computed something else than the others, or it failed. */
  readonly status: 'skipped' | 'wrong' | 'failed';
  readonly reason: string;
}

/** Who came in. */
export interface Competition {
  readonly timed: readonly Timed[];
  readonly notTimed: readonly NotTimed[];
}

/** A report of a competition under way. */
export interface CompetitionProgress extends Progress {
  /** The contender whose turn it is. */
  readonly contender: string;
}

/** How contenders compete. */
export interface CompetitionOptions extends LongCallOptions<CompetitionProgress> {
  readonly work: Work;
  /** Turns of each contender. */
  readonly rounds: number;
  /** Told of each contender when it has started. */
  readonly onEntry?: (line: string) => void;
}

/** Runs in a turn, of which the median counts. */
export const SAMPLES = 3;

/** A contender that has computed its output. */
interface Entry {
  readonly contender: Contender;
  readonly values: Float32Array;
  readonly firstMs: number;
  readonly bytes: number;
  readonly turns: number[][];
}

const plainName = ({ backend, way, threads }: ContenderName): ContenderName => ({ backend, way, threads });

/** Bytes of all tensors alive at the fullest moment of a run, less those of others. */
async function peakBytes(contender: Contender, others: number): Promise<number> {
  const { peakBytes: peak } = await tf.profile(async () => {
    await contender.run();
    return [];
  });
  return peak - others;
}

async function enter(contender: Contender): Promise<Entry> {
  await tf.setBackend(contender.backend);
  const others = tf.memory().numBytes;
  await contender.build();
  const started = performance.now();
  await contender.first();
  const firstMs = performance.now() - started;
  const values = await contender.output();
  const bytes = contender.bytes ?? (await peakBytes(contender, others));
  return { contender, values, firstMs, bytes, turns: [] };
}

/** Whose fault an error is: a mistake of the caller and the wish to stop end the benchmark, anything else this contender's part in it. */
function endOf(contender: Contender, error: unknown, signal: AbortSignal | undefined): NotTimed {
  if (error instanceof InvalidArgumentError || (signal?.aborted === true && error === signal.reason)) throw error;
  const reason = messageOf(error);
  // What one contender has no memory for may be what another one is there for.
  const isSkipped = error instanceof CannotTakePart || error instanceof OutOfMemoryError;
  return { ...plainName(contender), status: isSkipped ? 'skipped' : 'failed', reason };
}

async function takeTurn({ contender, turns }: Entry, signal: AbortSignal | undefined): Promise<void> {
  await tf.setBackend(contender.backend);
  const turn: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    await yieldToOthers();
    signal?.throwIfAborted();
    const started = performance.now();
    await contender.run();
    turn.push(performance.now() - started);
  }
  turns.push(turn);
}

/** Splits what has started into right and wrong. */
function judge(entries: readonly Entry[], work: Work): { right: Map<Entry, number | null>; wrong: NotTimed[] } {
  const verdicts = compareOutputs(
    entries.map(({ contender: { backend, way }, values }) => ({ implementation: `${backend} ${way}`, values })),
    work,
  );
  const right = new Map<Entry, number | null>();
  const wrong: NotTimed[] = [];
  for (const [i, entry] of entries.entries()) {
    const { difference, isConfirmed } = verdicts[i] ?? { difference: null, isConfirmed: false };
    if (isConfirmed) right.set(entry, difference);
    else {
      const reason = `its output differs by ${(difference ?? Number.NaN).toExponential(1)} from the nearest of the others`;
      wrong.push({ ...plainName(entry.contender), status: 'wrong', reason });
    }
  }
  return { right, wrong };
}

/**
 * Starts all contenders, compares their outputs, and times those that are right: in rounds, each of which begins with another one, so
 * that nobody always follows the same one and a disturbance meets all.
 *
 * @param contenders Disposed of in any case.
 * @throws `signal.reason` where aborted; InvalidArgumentError that a contender throws.
 */
export async function compete(contenders: readonly Contender[], options: CompetitionOptions): Promise<Competition> {
  const { work, rounds, signal, onProgress, onEntry } = options;
  const total = contenders.length * (1 + rounds);
  let done = 0;
  const report = (contender: Contender, turns = 1) => {
    done += turns;
    onProgress?.({ status: 'measuring', done, total, contender: nameOf(contender) });
  };
  const notTimed: NotTimed[] = [];
  const entries: Entry[] = [];
  const leave = (end: NotTimed) => {
    notTimed.push(end);
    onEntry?.(`${nameOf(end)}: ${end.status === 'wrong' ? 'WRONG' : end.status}, ${end.reason}`);
  };
  try {
    for (const contender of contenders) {
      await yieldToOthers();
      signal?.throwIfAborted();
      try {
        const entry = await enter(contender);
        entries.push(entry);
        onEntry?.(`${nameOf(contender)}: first result after ${(entry.firstMs / 1000).toFixed(1)} s`);
        report(contender);
      } catch (error) {
        leave(endOf(contender, error, signal));
        report(contender, 1 + rounds);
      }
    }
    const { right, wrong } = judge(entries, work);
    for (const end of wrong) leave(end);
    const running = new Set(right.keys());
    for (let round = 0; round < rounds; round++) {
      const order = [...running];
      const first = order.length === 0 ? 0 : round % order.length;
      for (const entry of [...order.slice(first), ...order.slice(0, first)]) {
        try {
          await takeTurn(entry, signal);
          report(entry.contender);
        } catch (error) {
          leave(endOf(entry.contender, error, signal));
          running.delete(entry);
          report(entry.contender, rounds - round);
        }
      }
    }
    const timed = [...running].map((entry) => ({
      ...plainName(entry.contender),
      ...summarise(entry.turns),
      firstMs: entry.firstMs,
      bytes: entry.bytes,
      difference: right.get(entry) ?? null,
    }));
    return { timed, notTimed };
  } finally {
    for (const contender of contenders) contender.dispose();
  }
}
