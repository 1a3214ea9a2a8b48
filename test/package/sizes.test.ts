/** A ceiling in kilobytes for what an entry adds to a page: minified, gzipped, TensorFlow.js left out (sizes.json). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { bundleWithEsbuild } from './bundles.js';

interface Ceiling {
  readonly import: string;
  /** Kilobytes (1000 bytes). */
  readonly ceiling: number;
  readonly reason: string;
}

const ceilings = JSON.parse(readFileSync(join(import.meta.dirname, 'sizes.json'), 'utf8')) as Ceiling[];

test.each(ceilings)('$import: at most $ceiling kB', async ({ import: statement, ceiling, reason }) => {
  const names = /^import (?:\{ (.*) \}|\* as (\w+)) from/
    .exec(statement)
    ?.slice(1)
    .find((found) => found !== undefined);
  const used = names === undefined ? '' : `globalThis.used = [${names}];`;
  const { kilobytes, packages } = await bundleWithEsbuild(inject('project'), `${statement}\n${used}`);
  expect(kilobytes, `${reason} Other packages in it: ${packages.join(', ') || 'none'}.`).toBeLessThanOrEqual(ceiling);
  // A ceiling far above the size guards nothing.
  expect(kilobytes).toBeGreaterThan(ceiling * 0.5);
});
