/** The report as one HTML file. */
import type { StudyReport } from '../../schemas.js';
import type { FigureCase } from '../figure4.js';

export async function renderReport(report: StudyReport, figures: readonly FigureCase[]): Promise<string> {
  return `<!doctype html><pre>${JSON.stringify(report.rows, null, 1)} ${figures.length}</pre>`;
}
