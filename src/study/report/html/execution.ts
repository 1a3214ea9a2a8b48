/** Which runs did not compute as a plan on all threads does, and why: their times are not to be compared with the others'. */
import { withoutPeriod } from '../../../runtime/sentences.js';
import type { RunResult, StudyReport } from '../../schemas.js';
import { networkTitle } from './networks.js';

/** What a reader of the times must know of a run; null where it was planned on all its threads, or did not say. */
function remarkOf({ execution }: RunResult): string | null {
  if (execution === undefined || execution === null) return null;
  const { planned, reason, threadProblem } = execution;
  const because = (why: string | null) => (why === null ? '' : ` (${withoutPeriod(why)})`);
  if (!planned) return `training steps were not planned, but taken layer by layer${because(reason)}`;
  if (threadProblem === null) return null;
  return `fewer threads took the training steps than were asked for${because(threadProblem)}`;
}

/** One sentence for each remark, with all networks that it holds for. */
export function executionRemarks({ runs }: Pick<StudyReport, 'runs'>): string[] {
  const networks = new Map<string, Set<string>>();
  for (const run of runs) {
    const remark = remarkOf(run);
    if (remark === null) continue;
    networks.set(remark, (networks.get(remark) ?? new Set()).add(networkTitle(run.model)));
  }
  return [...networks].map(([remark, titles]) => `${[...titles].join(', ')}: ${remark}.`);
}
