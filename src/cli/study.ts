/** A study on the terminal: what it will take, its runs and epochs, and where its report is. */
import {
  estimateRuns,
  type PreparedStudy,
  performStudy,
  prepareStudy,
  type RunEstimate,
  type StudyInput,
  type StudyLoading,
  type StudyProgress,
  type WrittenReport,
  writeReport,
} from '../study/files/index.js';
import { type RunKey, type RunResult, runTitle } from '../study/index.js';
import { gibibytes } from '../training/index.js';
import { duration, type Output, scoreText } from './output.js';

/** Sum of some numbers. */
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** What a run will take. */
function runLine(key: RunKey, estimate: RunEstimate | null): string {
  if (estimate === null) return `${runTitle(key)}: does not fit`;
  const { steps, seconds, bytes, finished } = estimate;
  return `${runTitle(key)}: ${finished ? 'finished' : `${duration(seconds)} for ${steps} steps`}, memory ${gibibytes(bytes)}`;
}

/** What all runs that are left will take. */
function totalLine(estimates: readonly RunEstimate[]): string {
  const left = estimates.filter(({ finished }) => !finished);
  return `${left.length} of ${estimates.length} runs are left: about ${duration(sum(left.map(({ seconds }) => seconds)))} on this backend, at most ${gibibytes(Math.max(0, ...left.map(({ bytes }) => bytes)))} (from forward passes of each network).`;
}

/**
 * Measures every network, with a line for each run as soon as its own is measured.
 *
 * @throws OutOfMemoryError that says of each that does not fit what would, behind the lines of all.
 */
export async function estimateWithLines(
  { runs }: PreparedStudy,
  { output: { log }, signal }: Pick<StudyContext, 'output' | 'signal'>,
): Promise<RunEstimate[]> {
  log('Estimating memory and time.');
  const estimates = await estimateRuns(runs, { signal, onRun: (key, estimate) => log(runLine(key, estimate)) });
  log(totalLine(estimates));
  return estimates;
}

const loadingText = ({ dataset, images: [done, total] }: StudyLoading): string =>
  `data sets; ${dataset}: ${done} of ${total} images`;

/** Loads the data of a study, with a bar. */
export function loadStudy(
  input: StudyInput,
  folder: string,
  { output, signal }: Pick<StudyContext, 'output' | 'signal'>,
): Promise<PreparedStudy> {
  return output.withProgress(loadingText, (onProgress) => prepareStudy(input, folder, { signal, onProgress }));
}

const progressText = ({ run, runs, title }: StudyProgress): string => `run ${run}/${runs}  ${title}`;

interface StudyContext {
  readonly output: Output;
  readonly signal: AbortSignal;
  /** How to go on with an interrupted study, for people. */
  readonly goOn: string;
}

/** Performs what is left of a study and writes its report. */
export async function runInFolder(
  study: PreparedStudy,
  { output, signal, goOn }: StudyContext,
): Promise<WrittenReport & { readonly seconds: number }> {
  const { log, withProgress } = output;
  const started = performance.now();
  try {
    const results = await withProgress<StudyProgress, RunResult[]>(progressText, (onProgress) =>
      performStudy(study, {
        signal,
        onProgress,
        onEstimate: (estimates) => {
          for (const estimate of estimates) log(runLine(estimate, estimate));
          log(totalLine(estimates));
        },
        onRun: (key, { run, runs, kept }) => log(`run ${run}/${runs}: ${runTitle(key)}${kept ? ' (kept)' : ''}`),
        onEpoch: ({ epoch, epochs, loss, valDice, valMeanIoU, seconds, isBest }) =>
          log(
            `  epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  Dice ${scoreText(valDice)}  MIoU ${scoreText(valMeanIoU)}  ${duration(seconds)}${isBest ? '  best' : ''}`,
          ),
      }),
    );
    const written = await writeReport(study, results);
    const seconds = (performance.now() - started) / 1000;
    for (const { dataset, model, best } of written.report.rows) {
      log(`${model} on ${dataset}: Dice ${scoreText(best.dice)}, MIoU ${scoreText(best.meanIoU)} at the best epoch`);
    }
    log(`Done in ${duration(seconds)}. Report: ${written.html}`);
    return { ...written, seconds };
  } catch (error) {
    if (error === signal.reason) log(`Stopped; what was done is kept. Go on with ${goOn}.`);
    throw error;
  }
}
