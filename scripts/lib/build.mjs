// Whether dist/ is older than what it is built from.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps.mjs';

const modified = (path) => statSync(join(root, path)).mtimeMs;

/** True where dist/ is missing or older than any of its sources. */
export function isStale() {
  // tsc writes it last.
  if (!existsSync(join(root, 'dist/index.d.ts'))) return true;
  const filesOf = (folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, file));
  const sources = [...filesOf('src'), ...filesOf('simd')];
  const inputs = [...sources, 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'tsup.config.ts'];
  return inputs.some((file) => modified(file) > modified('dist/index.d.ts'));
}
