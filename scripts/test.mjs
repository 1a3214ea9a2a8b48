// `npm test`: everything that needs nothing but Node and this package's own dependencies.
import { isStale } from './lib/build.mjs';
import { Steps } from './lib/steps.mjs';

const steps = new Steps();
await steps.run('format and lint', 'biome', ['check', '--error-on-warnings', '.']);
await steps.run('direction of imports', 'depcruise', ['--config', '.dependency-cruiser.cjs', 'src']);
await steps.run('types', 'tsc', ['--noEmit']);
const isBuilt = !isStale() || (await steps.run('build', 'npm', ['run', '--silent', 'build']));
steps.vitest('unit tests');
await steps.run('API pages: every export documented', 'typedoc', ['--emit', 'none']);
if (isBuilt) {
  await steps.run('figures show the networks', 'node', ['scripts/figures.mjs', '--check']);
  await steps.run('README shows what the command prints', 'node', ['scripts/readme.mjs', '--check']);
  steps.vitest('the packed package', ['--config', 'test/package/vitest.config.ts']);
}
steps.finish();
