/** Comparisons as tables in a cell. */
import type { ComplexityReport } from '../complexity/index.js';
import type { MimeBundle } from '../runtime/display.js';
import type { ModelComparison } from '../study/index.js';
import { table } from './html.js';

const grouped = (value: number): string => value.toLocaleString('en-US');
const giga = (value: number): string => (value / 1e9).toFixed(2);
const score = (value: number | null): string => value?.toFixed(4) ?? 'undefined';
const probability = (value: number | null): string =>
  value === null ? 'none' : value < 0.001 ? '< 0.001' : value.toPrecision(2);

/** As the paper's Table 3. */
export function complexityTable(reports: readonly ComplexityReport[]): MimeBundle {
  const [first] = reports;
  const counted = first === undefined ? '' : ` at ${first.inputShape.join('x')}, convention '${first.convention}'`;
  const rows = reports.map(({ model, params, macs, flops }) => [
    model,
    grouped(params.trainable),
    grouped(params.nonTrainable),
    giga(macs),
    giga(flops),
  ]);
  const head = ['network', 'trainable parameters', 'other', 'GMac', 'GFLOP'];
  return { 'text/html': table(`Parameters and operations of one image${counted}`, head, rows).markup };
}

/** Dice of each network, and every pair with its interval and p. */
export function modelComparisonTables({ models, pairs }: ModelComparison): MimeBundle {
  const level = pairs[0] === undefined ? '' : ` with its ${100 * pairs[0].level} % interval`;
  const scores = table(
    'Dice over the whole set, the mean over seeds',
    ['network', 'Dice'],
    models.map(({ name, dice }) => [name, score(dice)]),
  );
  const compared = table(
    `Difference of Dice, paired${level}; p by the signed-rank test, adjusted by Holm`,
    ['pair', 'difference', 'interval', 'p', 'Holm p', 'units'],
    pairs.map(({ a, b, difference, interval, p, holmP, n, unit, reason }) => [
      `${a} - ${b}`,
      score(difference),
      interval === null ? (reason ?? 'none') : interval.map(score).join(' to '),
      probability(p),
      probability(holmP),
      `${n} ${unit}s`,
    ]),
  );
  return { 'text/html': pairs.length === 0 ? scores.markup : `${scores.markup}${compared.markup}` };
}
