/** A study in one call. */
import type { StudyInput } from './config.js';
import { type WrittenReport, writeReport } from './report.js';
import { performStudy, prepareStudy, type StudyOptions } from './study.js';

/** Options of {@link runStudy}. */
export interface RunStudyOptions extends StudyOptions {
  /** The study's folder: new, or that of an earlier call to go on with. */
  readonly out: string;
}

/**
 * Trains and compares networks as the paper did it: every network on every data set with every seed, on the current backend.
 * Finished runs are kept byte for byte, an interrupted one goes on from its checkpoint.
 *
 * @param input Networks, data sets, seeds, protocol; what is left out comes from the protocol.
 * @param options The folder; signal, onProgress (steps of all runs), onEstimate, onRun, onEpoch.
 * @returns The report, and the paths of report.json and report.html.
 * @throws InvalidArgumentError or DataError for an illegal configuration, data that cannot be used or a folder of other
 *   settings; OutOfMemoryError before the first step where a run cannot fit; `signal.reason` where aborted.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { runStudy } from 'pyconvunet/files';
 *
 * const { report } = await runStudy(
 *   { data: [{ source: 'phantom:lung', images: 4 }], models: ['unet'], widths: [4, 8], size: [32, 32], epochs: 1 },
 *   { out: 'study' },
 * );
 * console.log(report.rows.length); // 1
 * ```
 */
export async function runStudy(input: StudyInput, { out, ...options }: RunStudyOptions): Promise<WrittenReport> {
  const { signal } = options;
  const study = await prepareStudy(input, out, signal === undefined ? {} : { signal });
  return writeReport(study, await performStudy(study, options));
}
