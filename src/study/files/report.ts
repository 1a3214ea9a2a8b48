/** The report of a study on disk: report.json, and report.html that opens without a network. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DisplayKind } from '../../runtime/display.js';
import { readRunConfig, writeAtomically, writeJson } from '../../training/files/index.js';
import { assembleReport } from '../report/assemble.js';
import { chooseCases, type FigureCase, inFigureOrder } from '../report/figure4.js';
import { renderReport } from '../report/html/index.js';
import type { RunResult, StudyReport } from '../schemas.js';
import type { LoadedDataset } from './datasets.js';
import { readMask } from './results.js';
import type { PreparedStudy } from './study.js';

/** A written report; in a Jupyter cell it shows its page. */
export interface WrittenReport {
  readonly report: StudyReport;
  /** Paths of the two files. */
  readonly json: string;
  readonly html: string;
}

/** The page in a frame of its own, so that its styles and scripts stay within it. */
const reportDisplay = new DisplayKind<WrittenReport>(
  ({ html }) => `Report: ${html}`,
  async ({ html }) => {
    const page = (await readFile(html, 'utf8')).replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    return {
      'text/html': `<iframe srcdoc="${page}" title="Report of the study" style="width: 100%; height: 80vh; border: 0"></iframe>`,
    };
  },
);

/** The rows of Fig. 4 of a data set: predictions of the first seed at its best epoch, in the first fold. */
async function figuresOf(
  { config, runs }: PreparedStudy,
  { dataset: { name }, splits }: LoadedDataset,
  results: readonly RunResult[],
): Promise<FigureCase[]> {
  const shown = inFigureOrder(config.models).map((model) => {
    const index = runs.findIndex(({ key }) => key.dataset === name && key.model === model);
    const run = runs[index];
    const result = results[index];
    if (run === undefined || result === undefined) throw new Error(`${model} was not run on ${name}.`);
    return { model, folder: run.folder, cases: result.best.cases };
  });
  const cases = await Promise.all(
    (splits[0]?.validation ?? []).map(async (sample) => ({
      sample,
      predictions: await Promise.all(
        shown.map(async ({ model, folder, cases: scored }) => ({
          model,
          mask: await readMask(folder, sample.name),
          dice: scored.find((each) => each.name === sample.name)?.dice ?? null,
        })),
      ),
    })),
  );
  return chooseCases(name, cases);
}

/** The versions that the runs were made with, several where they differ. */
async function versionsOf({ runs }: PreparedStudy): Promise<Record<string, string>> {
  const used = new Map<string, Set<string>>();
  for (const { folder } of runs) {
    for (const [name, version] of Object.entries((await readRunConfig(folder)).versions)) {
      used.set(name, (used.get(name) ?? new Set()).add(version));
    }
  }
  return Object.fromEntries([...used].map(([name, versions]) => [name, [...versions].join(', ')]));
}

/** The command that runs a study again from what its folder holds. */
const COMMAND = 'pyconvunet experiment --config study.json --out FOLDER';

/**
 * Writes the report of a study that has ended.
 *
 * @param study Of `prepareStudy`.
 * @param results Of `performStudy`: the result of every run, in the order of `listRuns`.
 * @returns The report, and the paths of report.json and report.html, which replace older ones at once.
 * @throws Error where a run or its predicted masks are missing.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { performStudy, prepareStudy, writeReport } from 'pyconvunet/files';
 *
 * const study = await prepareStudy(
 *   { data: [{ source: 'phantom:lung', images: 4 }], models: ['unet'], widths: [4, 8], size: [32, 32], epochs: 1 },
 *   'reported',
 * );
 * const { report, html } = await writeReport(study, await performStudy(study));
 * console.log(report.rows[0]?.model, html); // unet reported/report.html
 * ```
 */
export async function writeReport(study: PreparedStudy, results: readonly RunResult[]): Promise<WrittenReport> {
  const { folder, config, datasets } = study;
  const report = assembleReport(config, datasets, results, {
    versions: await versionsOf(study),
    command: COMMAND,
  });
  const figures: FigureCase[] = [];
  for (const dataset of datasets) figures.push(...(await figuresOf(study, dataset, results)));
  const json = join(folder, 'report.json');
  const html = join(folder, 'report.html');
  await writeJson(json, report);
  await writeAtomically(html, await renderReport(report, figures));
  return reportDisplay.attach({ report, json, html });
}
