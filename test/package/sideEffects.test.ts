/** `sideEffects` in package.json names every file that does something when it is imported, so that bundlers keep it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const { sideEffects } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { sideEffects: string[] };
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.d.ts'),
);

/** Whether a file has a statement at its top that is neither an import, an export nor a declaration. */
function actsOnImport(file: string): boolean {
  const source = ts.createSourceFile(file, readFileSync(join(root, 'src', file), 'utf8'), ts.ScriptTarget.ES2022);
  return source.statements.some((statement) => ts.isExpressionStatement(statement) || ts.isForOfStatement(statement));
}

/** Whether a pattern of the list stands for the built file of a source. */
function standsFor(pattern: string, file: string): boolean {
  const expression = pattern.replace('./dist/', '').replaceAll('.', '\\.').replaceAll('*', '[^/]*');
  return new RegExp(`^${expression}$`).test(file.replaceAll('\\', '/').replace(/\.ts$/, '.js'));
}

test('every file that acts when it is imported is listed', () => {
  const acting = sources.filter(actsOnImport);
  expect(acting.length).toBeGreaterThan(0);
  expect(acting.filter((file) => !sideEffects.some((pattern) => standsFor(pattern, file)))).toEqual([]);
});

test('every pattern of the list stands for such a file, or for an entry that imports such files', () => {
  const idle = sideEffects.filter((pattern) => !sources.some((file) => standsFor(pattern, file) && actsOnImport(file)));
  expect(idle).toEqual(['./dist/index.js', './dist/notebook.js']);
});
