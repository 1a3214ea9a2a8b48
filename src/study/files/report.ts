/** The report of a study on disk. */
import { join } from 'node:path';
import { writeJson } from '../../training/files/index.js';
import type { RunResult } from '../schemas.js';
import type { PreparedStudy } from './study.js';

export async function writeReport(study: PreparedStudy, results: readonly RunResult[]) {
  const report = { protocol: study.config.protocol, runs: results };
  const json = join(study.folder, 'report.json');
  await writeJson(json, report);
  return { report, json, html: join(study.folder, 'report.html') };
}
