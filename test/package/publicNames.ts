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

/** Reads the public names of every entry from its declarations. */
export function publicNames(): Record<string, PublicNames> {
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

  function collect(symbol: ts.Symbol, prefix: string, values: string[], types: string[]): void {
    for (const exported of checker.getExportsOfModule(symbol)) {
      const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const name = `${prefix}${exported.name}`;
      if (target.flags & ts.SymbolFlags.ValueModule) collect(target, `${name}.`, values, types);
      else if (target.flags & ts.SymbolFlags.Value) values.push(name);
      else types.push(name);
    }
  }

  return Object.fromEntries(
    files.map(({ name, types: file }) => {
      const source = program.getSourceFile(file);
      const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source);
      const values: string[] = [];
      const types: string[] = [];
      // An entry that only registers something is no module with exports.
      if (symbol !== undefined) collect(symbol, '', values, types);
      return [name, { values: values.sort(), types: types.sort() }];
    }),
  );
}
