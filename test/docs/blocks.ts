/** The code blocks of the documentation: README.md, docs/*.md, and the examples in the docstrings of public names. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { type PublicSymbol, publicSymbols } from '../package/publicNames.js';

/** One block of TypeScript. */
export interface Block {
  /** Where a reader finds it, such as `README.md:20` or `pyconvunet: losses.dice`. */
  readonly name: string;
  readonly code: string;
  /** Marked ```ts no-run: it is type-checked only. */
  readonly isRun: boolean;
}

const root = resolve(import.meta.dirname, '../..');
const FENCE = /^([ \t]*)```ts( no-run)?[ \t]*\n([\s\S]*?)\n\1```/gm;

function blocksOf(text: string, where: (line: number) => string): Block[] {
  return [...text.matchAll(FENCE)].map((match) => ({
    name: where(text.slice(0, match.index).split('\n').length),
    code: match[3] ?? '',
    isRun: match[2] === undefined,
  }));
}

/** The ```ts blocks of README.md and docs/*.md. */
export function pageBlocks(): Block[] {
  const pages = [
    'README.md',
    ...readdirSync(join(root, 'docs')).flatMap((file) => (file.endsWith('.md') ? [`docs/${file}`] : [])),
  ];
  return pages
    .filter((page) => existsSync(join(root, page)))
    .flatMap((page) => blocksOf(readFileSync(join(root, page), 'utf8'), (line) => `${page}:${line}`));
}

function examplesOf({ entry, name, symbol, checker }: PublicSymbol): Block[] {
  const members =
    symbol.flags & ts.SymbolFlags.Class
      ? [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])]
      : [];
  return [symbol, ...members].flatMap((documented) => {
    const title = documented === symbol ? `${entry}: ${name}` : `${entry}: ${name}.${documented.name}`;
    const examples = documented.getJsDocTags(checker).filter((tag) => tag.name === 'example');
    return examples.flatMap((tag) => blocksOf(ts.displayPartsToString(tag.text), () => title));
  });
}

/** The examples in the docstrings of everything that an entry exports; a name that two entries export once. */
export function exampleBlocks(): Block[] {
  const seen = new Set<ts.Symbol>();
  return publicSymbols().flatMap((found) => {
    if (seen.has(found.symbol)) return [];
    seen.add(found.symbol);
    return examplesOf(found);
  });
}
