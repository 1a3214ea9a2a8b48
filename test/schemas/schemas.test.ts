/** JSON Schemas of every document that the command prints and a run folder holds: `npm run schemas` writes them anew. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Ajv from 'ajv';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import * as printed from '../../src/cli/schemas.js';
import * as study from '../../src/study/schemas.js';
import * as kept from '../../src/training/files/schemas.js';

const folder = resolve(import.meta.dirname, '../../schemas');

const documents: readonly { name: string; title: string; schema: z.ZodType }[] = [
  { name: 'train', title: 'pyconvunet train --json', schema: printed.trainDocument },
  { name: 'demo', title: 'pyconvunet demo --json', schema: printed.demoDocument },
  { name: 'evaluate', title: 'pyconvunet evaluate --json', schema: printed.evaluateDocument },
  { name: 'predict', title: 'pyconvunet predict --json', schema: printed.predictDocument },
  { name: 'benchmark', title: 'pyconvunet benchmark --json', schema: printed.benchmarkDocument },
  { name: 'complexity', title: 'pyconvunet complexity --json', schema: printed.complexityDocument },
  { name: 'complexity-all', title: 'pyconvunet complexity --all --json', schema: printed.comparisonDocument },
  { name: 'draw', title: 'pyconvunet draw --json', schema: printed.drawDocument },
  { name: 'doctor', title: 'pyconvunet doctor --json', schema: printed.doctorDocument },
  { name: 'config', title: 'config.json of a run', schema: kept.runConfigSchema },
  { name: 'history', title: 'history.json of a run', schema: kept.historySchema },
  { name: 'report', title: 'report.json of a study', schema: study.reportSchema },
  { name: 'dry-run', title: 'pyconvunet experiment --dry-run --json', schema: printed.dryRunDocument },
  { name: 'study', title: 'study.json of a study', schema: study.studyConfigSchema },
  { name: 'result', title: 'result.json of a run of a study', schema: study.runResultSchema },
  { name: 'checkpoint', title: 'checkpoint.json of a run', schema: kept.checkpointSchema },
];

describe.each(documents)('$title', ({ name, title, schema }) => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  const document = { $schema, title, ...rest };

  test('its schema is the one in schemas/ (npm run schemas)', async () => {
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(join(folder, `${name}.schema.json`));
  });

  test('its schema is one that others can compile, and refuses what it does not know', () => {
    const validate = new Ajv({ strict: true }).compile(document);
    expect(validate({ surprise: 1 })).toBe(false);
  });
});

test('schemas/ holds no other file', () => {
  expect(readdirSync(folder).sort()).toEqual(documents.map(({ name }) => `${name}.schema.json`).sort());
});
