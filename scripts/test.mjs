// `npm test`: everything that needs nothing but Node and this package's own dependencies.
import { isStale } from './lib/build.mjs';
import { Steps } from './lib/steps.mjs';

const steps = new Steps();
steps.run('format and lint', 'biome', ['check', '--error-on-warnings', '.']);
steps.run('direction of imports', 'depcruise', ['--config', '.dependency-cruiser.cjs', 'src']);
steps.run('types', 'tsc', ['--noEmit']);
const built = !isStale() || steps.run('build', 'npm', ['run', '--silent', 'build']);
steps.vitest('unit tests');
steps.run('API pages: every export documented', 'typedoc', ['--emit', 'none']);
if (built) {
  steps.vitest('the packed package', ['--config', 'test/package/vitest.config.ts']);
}
steps.finish();
