/** The report as one HTML file. */
import type { StudyReport } from '../../schemas.js';
import type { FigureCase } from '../figure4.js';
import { page } from './page.js';
import { againPart } from './parts/again.js';
import { casesPart } from './parts/cases.js';
import { comparisonsPart } from './parts/comparisons.js';
import { costPart } from './parts/cost.js';
import { lossesPart, scoresPerEpochPart } from './parts/curves.js';
import { datasetsPart } from './parts/datasets.js';
import { definitionsPart } from './parts/definitions.js';
import { head, titleOf } from './parts/head.js';
import { objectsPart } from './parts/objects.js';
import { predictionsPart } from './parts/predictions.js';
import { scoresPart } from './parts/scores.js';
import { worstCasesPart } from './parts/worstCases.js';

/**
 * Renders a study's report as one HTML file: it opens from disk, needs no network, reads on a phone, on a desk, in the
 * dark and on paper.
 *
 * @param report The document of report.json.
 * @param figures The cases of Fig. 4 in the order in which they are shown; none leaves the figure out.
 * @returns The file's text.
 */
export async function renderReport(report: StudyReport, figures: readonly FigureCase[]): Promise<string> {
  return page(titleOf(report), head(report), [
    datasetsPart(report),
    await lossesPart(report),
    await scoresPerEpochPart(report),
    ...(figures.length === 0 ? [] : [predictionsPart(figures)]),
    scoresPart(report),
    comparisonsPart(report),
    await casesPart(report),
    worstCasesPart(report),
    objectsPart(report),
    costPart(report),
    definitionsPart(report),
    againPart(report),
  ]);
}
