/** The names that each entry of the built package exports, as TypeScript sees them: values and types, namespaces expanded. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');

/** The public names of one entry; members of a namespace as `layers.pyConv2d`. */
export interface PublicNames {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** The entries of package.json that hold code, and their declaration files. */
export function entries(): { name: string; types: string }[] {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { types: string } | string>;
  };
  return Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string' ? [] : [{ name: path.replace(/^\./, 'pyconvunet'), types: join(root, target.types) }],
  );
}

/** One thing that an entry exports. */
export interface PublicSymbol {
  readonly entry: string;
  readonly name: string;
  readonly symbol: ts.Symbol;
  readonly isValue: boolean;
  readonly checker: ts.TypeChecker;
}

/** Everything that the entries export, read from their declarations. */
export function publicSymbols(): PublicSymbol[] {
  const files = entries();
  const program = ts.createProgram({
    rootNames: files.map(({ types }) => types),
    options: {
      module: ts.ModuleKind.NodeNext,
      skipLibCheck: true,
      noEmit: true,
      types: [],
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    },
  });
  const checker = program.getTypeChecker();

  function collect(module: ts.Symbol, entry: string, prefix: string): PublicSymbol[] {
    return checker.getExportsOfModule(module).flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const name = `${prefix}${exported.name}`;
      if (symbol.flags & ts.SymbolFlags.ValueModule) return collect(symbol, entry, `${name}.`);
      return [{ entry, name, symbol, isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0, checker }];
    });
  }

  return files.flatMap(({ name, types }) => {
    const source = program.getSourceFile(types);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    // An entry that only registers something is no module with exports.
    return module === undefined ? [] : collect(module, name, '');
  });
}

/** The public names of every entry. */
export function publicNames(): Record<string, PublicNames> {
  const symbols = publicSymbols();
  const names = (entry: string, isValue: boolean) =>
    symbols.flatMap((each) => (each.entry === entry && each.isValue === isValue ? [each.name] : [])).sort();
  return Object.fromEntries(
    entries().map(({ name }) => [name, { values: names(name, true), types: names(name, false) }]),
  );
}
