/** The code blocks of the documentation are type-checked and run, and print what their comments say. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type Block, exampleBlocks, pageBlocks } from './blocks.js';

interface Result {
  readonly lines: readonly string[];
  readonly error: string | null;
}

const root = resolve(import.meta.dirname, '../..');
const folder = join(inject('project'), 'blocks');
const pages = pageBlocks();
const examples = exampleBlocks();
const blocks = [...pages, ...examples];
const fileOf = (block: Block, extension: string) => join(folder, `block${blocks.indexOf(block)}.${extension}`);

/** What TypeScript has against each block. */
function typeErrors(): Map<Block, string[]> {
  for (const block of blocks) writeFileSync(fileOf(block, 'mts'), `${block.code}\nexport {};\n`);
  const program = ts.createProgram({
    rootNames: blocks.map((block) => fileOf(block, 'mts')),
    options: {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
  });
  return new Map(
    blocks.map((block) => {
      const source = program.getSourceFile(fileOf(block, 'mts'));
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      return [block, found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))];
    }),
  );
}

/** The backends that a block imports: blocks with the same ones share a process, so that none works by another's import. */
const backendsOf = ({ code }: Block) =>
  [...code.matchAll(/import '(@tensorflow\/tfjs-backend-\w+|pyconvunet\/(?:wasm|webgpu|tensorflow))'/g)]
    .map(([, name]) => name)
    .sort()
    .join();

function run(together: readonly Block[]): [Block, Result][] {
  for (const block of together) {
    const { outputText } = ts.transpileModule(block.code, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
    });
    writeFileSync(fileOf(block, 'mjs'), outputText);
  }
  const files = together.map((block) => fileOf(block, 'mjs'));
  const output = execFileSync(process.execPath, [join(import.meta.dirname, 'runner.mjs'), ...files], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const results = JSON.parse(output.slice(output.lastIndexOf('\n[') + 1)) as readonly Result[];
  return together.flatMap((block, index) => {
    const result = results[index];
    return result === undefined ? [] : [[block, result] as [Block, Result]];
  });
}

/** What the comments behind `console.log(...);` say is printed. */
const promised = ({ code }: Block) => [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);

/** Without quotes, white space and the lengths of typed arrays. */
const plain = (text: string | undefined) => text?.replace(/['"\s]|\(\d+\)(?=\s*\[)/g, '');

const errors = new Map<Block, string[]>();
const results = new Map<Block, Result>();

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  // Blocks name files of the package as a project sees them.
  symlinkSync(join(inject('project'), 'node_modules'), join(folder, 'node_modules'));
  for (const [block, found] of typeErrors()) errors.set(block, found);
  const isRunnable = (block: Block) => block.isRun && errors.get(block)?.length === 0;
  const groups = new Map<string, Block[]>();
  for (const block of examples.filter(isRunnable)) {
    groups.set(backendsOf(block), [...(groups.get(backendsOf(block)) ?? []), block]);
  }
  // A block of a page must work when it is pasted into an empty file.
  const batches = [...groups.values(), ...pages.filter(isRunnable).map((block) => [block])];
  for (const batch of batches) for (const [block, result] of run(batch)) results.set(block, result);
});

describe.each(blocks)('$name', (block) => {
  test('is correct TypeScript', () => {
    expect(errors.get(block)).toEqual([]);
  });

  test.runIf(block.isRun)('runs, and prints what it says', () => {
    const result = results.get(block);
    expect(result?.error).toBe(null);
    const printed = result?.lines.map(plain) ?? [];
    for (const text of promised(block)) expect(printed).toContain(plain(text));
  });
});

test('there are blocks in the pages and in the docstrings', () => {
  expect(pages.length).toBeGreaterThan(0);
  expect(examples.length).toBeGreaterThan(50);
  expect(basename(folder)).toBe('blocks');
});
