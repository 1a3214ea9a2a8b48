/** Where the command writes: one JSON document or plain lines on standard output, everything else on standard error. */
import { SingleBar } from 'cli-progress';
import type { Progress } from '../runtime/progress.js';

/** Writes a line for people. */
export type Log = (line: string) => void;

/** What a command writes with. */
export interface Output {
  /** With --json standard output belongs to the document, and lines go to standard error. */
  readonly log: Log;
  /** Runs long work with a bar on a terminal, elsewhere with a line every few seconds. */
  readonly withProgress: <P extends Progress, R>(
    describe: (progress: P) => string,
    work: (report: (progress: P) => void) => Promise<R>,
  ) => Promise<R>;
}

const SECONDS_BETWEEN_LINES = 10;

function terminalBar(): SingleBar {
  return new SingleBar({
    format: '{bar} {value}/{total} {text}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    // Units may be done in part.
    formatValue: (value) => String(Math.floor(value)),
  });
}

/** The output of one call of the command. */
export function createOutput({ json }: { readonly json: boolean }): Output {
  const stream = json ? process.stderr : process.stdout;
  let bar: SingleBar | undefined;
  return {
    log: (line) => {
      // The line takes the place of the bar, which is drawn again below it.
      if (bar !== undefined) process.stderr.write('\r\u001b[K');
      stream.write(`${line}\n`);
    },
    withProgress: async (describe, work) => {
      let lastLine = performance.now();
      try {
        return await work((progress) => {
          const text = describe(progress);
          if (process.stderr.isTTY) {
            if (bar === undefined) {
              bar = terminalBar();
              bar.start(progress.total, progress.done, { text });
            } else {
              bar.update(progress.done, { text });
            }
          } else if (performance.now() - lastLine > SECONDS_BETWEEN_LINES * 1000) {
            lastLine = performance.now();
            process.stderr.write(`${Math.floor(progress.done)}/${progress.total} ${text}\n`);
          }
        });
      } finally {
        bar?.stop();
        bar = undefined;
      }
    },
  };
}

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

/** A score, or 'none' where there is none. */
export const scoreText = (value: number | null): string => (value === null ? 'none' : value.toFixed(4));

/** A word of a shell command. */
export const shellWord = (text: string): string =>
  /^[\w./:,+@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
