/** Table 3: parameters and multiply-accumulates, beside them the time and memory that were measured. */

import type { ReportRow, StudyReport } from '../../../schemas.js';
import { batchText } from '../batchText.js';
import { executionRemarks } from '../execution.js';
import { machineText } from '../machineText.js';
import { html } from '../markup.js';
import { networkLabel } from '../networks.js';
import { billions, megabytes, millions, seconds } from '../numbers.js';
import { type Column, table } from '../table.js';
import type { Part } from './part.js';

const MEASURED: readonly Column[] = [
  { head: 'Seconds per image', group: 'Measured' },
  { head: 'Seconds per epoch', group: 'Measured' },
  { head: 'Peak memory, prediction (MB)', group: 'Measured' },
  { head: 'Peak memory, training (MB)', group: 'Measured' },
];

const measured = (row: ReportRow | undefined): string[] => [
  seconds(row?.secondsPerImage),
  seconds(row?.secondsPerEpoch),
  megabytes(row?.peakBytes.inference),
  megabytes(row?.peakBytes.training),
];

/** The part. */
export function costPart(report: StudyReport): Part {
  const { complexity, rows, datasets, machines, config } = report;
  const [first, ...others] = datasets;
  const rowOf = (dataset: string | undefined, model: string) =>
    rows.find((row) => row.dataset === dataset && row.model === model);
  const where = machines.map(machineText).join('; ');
  const input = complexity[0]?.inputShape.join(' × ') ?? '';
  return {
    id: 'table-3',
    short: 'Table 3',
    title: 'Table 3. Parameters, multiply-accumulates, time and memory',
    content: html`${table({
      id: 'cost',
      label: 'Table 3',
      caption: `Trainable parameters and multiply-accumulates (MACs) of one image of ${input} (height × width × channels), of the convolutions and as the paper counts them; and what was measured on ${first?.name ?? 'the data'} with ${batchText(config)} in training (${where}). Memory: the largest sum of tensors alive.`,
      columns: [
        { head: 'Network' },
        { head: 'Parameters (M)', group: 'Counted' },
        { head: 'GMac', group: 'Counted' },
        { head: 'GMac, paper’s convention', group: 'Counted' },
        ...MEASURED,
      ],
      groups: [
        {
          rows: complexity.map(({ model, params, macs, paperMacs }) => ({
            head: networkLabel(model),
            cells: [millions(params), billions(macs), billions(paperMacs), ...measured(rowOf(first?.name, model))],
          })),
        },
      ],
    })}${
      others.length === 0
        ? null
        : table({
            id: 'cost-others',
            label: 'Table 3, continued',
            caption: 'The same measurements on the other data sets.',
            columns: [{ head: 'Network' }, ...MEASURED.map(({ head }) => ({ head }))],
            groups: others.map(({ name, size, channels }) => ({
              head: `${name} (${[...size, channels].join(' × ')})`,
              rows: config.models.map((model) => ({ head: networkLabel(model), cells: measured(rowOf(name, model)) })),
            })),
          })
    }${executionRemarks(report).map(
      (remark) => html`<p>${remark}</p>
`,
    )}`,
  };
}
