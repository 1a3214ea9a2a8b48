/** Several models side by side, as the paper's Table 3. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { DisplayKind } from '../runtime/display.js';
import { InvalidArgumentError } from '../runtime/errors.js';
import { show } from '../spec/index.js';
import { CLOSED_FORM_NOTE } from './closedForms.js';
import { type ComplexityOptions, type ComplexityReport, complexity } from './complexity.js';
import { CONVENTIONS } from './conventions.js';

/** What {@link formatComparison} needs of a report. */
export type ComparisonRow = Pick<
  ComplexityReport,
  'model' | 'params' | 'macs' | 'flops' | 'convention' | 'inputShape'
> &
  Partial<Pick<ComplexityReport, 'warnings' | 'pyramidalConvolutions'>>;

// tfjs-layers may be there twice: what a count reads of a model, not its class.
const isModel = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'layers' in value && 'inputs' in value;

const noModels = (received: unknown): InvalidArgumentError =>
  new InvalidArgumentError(
    `complexity.compare takes models, [models.uNet(), models.pyConvUNet()]. Received: ${show(received)}. Build a network by its name with models.create('unet').`,
  );

/**
 * Counts several models under one convention and for one input.
 *
 * @param models Built models. An iterable is read one by one, so a generator may build each network and dispose of it
 *   afterwards: all seven together hold half a gigabyte of weights.
 * @param options Convention and input shape, as for `complexity`.
 * @returns One report per model, in order.
 * @throws InvalidArgumentError for anything but models, and as `complexity` does.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { complexity, models } from 'pyconvunet';
 *
 * function* networks() {
 *   for (const name of ['unet', 'pyconvunet'] as const) {
 *     const model = models.create(name, { widths: [8, 16, 32] });
 *     yield model;
 *     model.dispose();
 *   }
 * }
 * const reports = complexity.compare(networks(), { convention: 'paper', inputShape: [64, 64, 3] });
 * console.log(complexity.formatComparison(reports));
 * ```
 */
export function compare(
  models: Iterable<tfl.LayersModel>,
  options: Omit<ComplexityOptions, 'name'> = {},
): ComplexityReport[] {
  const reports: ComplexityReport[] = [];
  if (typeof models !== 'object' || models === null || !(Symbol.iterator in models)) throw noModels(models);
  for (const model of models) {
    if (!isModel(model)) throw noModels(model);
    reports.push(complexity(model, options));
  }
  return comparisonDisplay.attach(reports);
}

/** A comparison in a Jupyter cell. */
export const comparisonDisplay = new DisplayKind<readonly ComplexityReport[]>((reports) =>
  reports.length === 0 ? 'Comparison of no network' : formatComparison(reports),
);

/** A whole number with its thousands apart. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
const giga = (value: number): string => (value / 1e9).toFixed(2);

function lines(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  );
}

/**
 * Renders a comparison as text: the paper's Table 3, parameters and cost of each network, with how they were counted.
 *
 * @param rows Reports of `complexity` or `compare`, all of one convention and input shape.
 * @param options `baseline`: the row whose parameters and MACs the others are shares of. Default 'unet', if it is there.
 * @returns Several lines, without a line break at the end.
 * @throws InvalidArgumentError where there is no row, rows were counted in different ways, or the baseline is missing.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { complexity, models } from 'pyconvunet';
 *
 * const report = complexity.complexity(models.uNet({ widths: [8, 16] }), { inputShape: [64, 64, 3] });
 * console.log(complexity.formatComparison([report]));
 * ```
 */
export function formatComparison(rows: readonly ComparisonRow[], options: { readonly baseline?: string } = {}): string {
  const [first] = rows;
  if (first === undefined) throw new InvalidArgumentError('formatComparison needs at least one row. Received: none.');
  const counted = (row: ComparisonRow) => `convention '${row.convention}' at ${row.inputShape.join('x')}`;
  const other = rows.find((row) => counted(row) !== counted(first));
  if (other !== undefined) {
    throw new InvalidArgumentError(
      `Rows can be compared where they were counted in one way. Received: ${first.model} under ${counted(first)}, ${other.model} under ${counted(other)}.`,
    );
  }
  const baseline = rows.find((row) => row.model === (options.baseline ?? 'unet'));
  if (options.baseline !== undefined && baseline === undefined) {
    throw new InvalidArgumentError(
      `There is no row '${options.baseline}' to compare with. Received: ${rows.map((row) => row.model).join(', ')}.`,
    );
  }
  const share = (value: number, whole: number) => `${((100 * value) / whole).toFixed(1)} %`;
  const table = rows.map((row) => [
    row.model,
    grouped(row.params.trainable),
    grouped(row.params.nonTrainable),
    ...(baseline === undefined ? [] : [share(row.params.trainable, baseline.params.trainable)]),
    giga(row.macs),
    giga(row.flops),
    ...(baseline === undefined ? [] : [share(row.macs, baseline.macs)]),
  ]);
  const of = baseline === undefined ? [] : [`of ${baseline.model}`];
  const header = ['network', 'trainable', 'other', ...of, 'GMac', 'GFLOP', ...of];
  return [
    ...lines([header, ...table]),
    `Counted for one image of ${first.inputShape.join('x')} under the convention '${first.convention}': ${CONVENTIONS[first.convention]}. One multiply-accumulate is two FLOPs.`,
    ...(rows.some((row) => row.pyramidalConvolutions !== undefined) ? [CLOSED_FORM_NOTE] : []),
    ...rows.flatMap((row) => (row.warnings ?? []).map((warning) => `${row.model}: ${warning}`)),
  ].join('\n');
}
