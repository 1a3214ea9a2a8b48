/** Where the command writes: one JSON document or plain lines on standard output, everything else on standard error. */
import { SingleBar } from 'cli-progress';
import type { Progress } from '../runtime/progress.js';

/** Writes a line for people; with --json standard output belongs to the document, and lines go to standard error. */
export type Log = (line: string) => void;

export const logTo = (json: boolean): Log => {
  const stream = json ? process.stderr : process.stdout;
  return (line) => void stream.write(`${line}\n`);
};

/** Prints the one JSON document of a --json call. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** Seconds as people read them. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export const percent = (value: number | null): string => (value === null ? 'none' : value.toFixed(4));

interface ProgressLine<P extends Progress> {
  report: (progress: P) => void;
  stop: () => void;
}

/** A bar on a terminal; elsewhere nothing but the lines that the command logs. */
function progressLine<P extends Progress>(describe: (progress: P) => string): ProgressLine<P> {
  if (!process.stderr.isTTY) return { report: () => {}, stop: () => {} };
  const bar = new SingleBar({
    format: '{bar} {value}/{total} {text}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
  });
  let started = false;
  return {
    report: (progress) => {
      const payload = { text: describe(progress) };
      if (started) bar.update(progress.done, payload);
      else bar.start(progress.total, progress.done, payload);
      started = true;
    },
    stop: () => bar.stop(),
  };
}

/** Runs long work with a bar, which is taken away whatever happens. */
export async function withProgress<P extends Progress, R>(
  describe: (progress: P) => string,
  work: (report: (progress: P) => void) => Promise<R>,
): Promise<R> {
  const bar = progressLine(describe);
  try {
    return await work(bar.report);
  } finally {
    bar.stop();
  }
}
