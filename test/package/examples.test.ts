/** The examples that run in Node, with the packed package; those in browsers and Deno are run by `npm run test:runtimes`. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { expect, inject, test } from 'vitest';

const examples = resolve(import.meta.dirname, '../../examples');
const project = inject('project');

/** Runs a program of an example in a copy of its folder; its standard output without the line about the backend. */
function run(example: string, program: string): string {
  const folder = join(project, 'examples', example);
  cpSync(join(examples, example), folder, { recursive: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { cwd: folder, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout.trim().split('\n').at(-1) ?? '';
}

test('node: learns and segments', () => {
  const [, dice, foreground] =
    /^Dice (\S+) on the validation part; (\d+) of 1024 pixels are lung\.$/.exec(run('node', 'segment.js')) ?? [];
  expect(Number(dice)).toBeGreaterThan(0.8);
  expect(Number(foreground)).toBeGreaterThan(100);
});

test('package: the wrapped layer trains, and is saved and loaded', () => {
  const [, first, last, difference] =
    /^Loss (\S+) to (\S+); saved and loaded, it differs by (\S+)\.$/.exec(run('package', 'demo.js')) ?? [];
  expect(Number(last)).toBeLessThan(Number(first) * 0.8);
  expect(Number(difference)).toBe(0);
});

test.each(['vite/main.ts', 'deno/segment.ts'])('%s is correct TypeScript', (file) => {
  const folder = join(project, 'examples', file, '..');
  cpSync(join(examples, file, '..'), folder, { recursive: true });
  const root = resolve(import.meta.dirname, '../..');
  const program = ts.createProgram({
    rootNames: [join(project, 'examples', file)],
    options: {
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      moduleDetection: ts.ModuleDetectionKind.Force,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
  });
  const diagnostics = ts.getPreEmitDiagnostics(program);
  expect(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([]);
});
