/** The scores of single images out of the runs of a report. */
import type { NetworkName } from '../../../models/index.js';
import type { CaseResult, StudyReport } from '../../schemas.js';

/** The part whose images are shown one by one: the test part where there is one. */
export function shownPart({ runs }: Pick<StudyReport, 'runs'>, dataset: string): 'test' | 'best' {
  return runs.some((run) => run.dataset === dataset && run.test !== null) ? 'test' : 'best';
}

/** How the report calls it. */
export const partTitle = (part: 'test' | 'best'): string =>
  part === 'test' ? 'test part, network of the best epoch' : 'validation part, best epoch';

/** The Dice of every image of a data set by one network, mean over seeds, on a test part over folds too; null where none has one. */
export function diceByImage(report: StudyReport, dataset: string, model: NetworkName): Map<string, number | null> {
  const part = shownPart(report, dataset);
  const runs = report.runs.filter((run) => run.dataset === dataset && run.model === model);
  const byName = new Map<string, CaseResult[]>();
  for (const run of runs) {
    for (const each of run[part]?.cases ?? []) byName.set(each.name, [...(byName.get(each.name) ?? []), each]);
  }
  return new Map(
    [...byName].map(([name, cases]) => {
      const values = cases.flatMap(({ dice }) => dice ?? []);
      return [name, values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length];
    }),
  );
}
