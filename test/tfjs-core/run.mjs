/** Sets up Jasmine for tfjs-core's own tests and reports the outcome of each. */
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import { getKernelsForBackend } from '@tensorflow/tfjs-core';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import jasmineRequire from 'jasmine-core/lib/jasmine-core/jasmine.js';
import { detectEnvironment } from '../../src/runtime/environment.js';

// Written into the bundle: a page has no variables of a process.
const backendName = process.env.TFJS_CORE_TESTS_BACKEND;
const grep = process.env.TFJS_CORE_TESTS_GREP;
const jasmine = jasmineRequire.core(jasmineRequire);
const runner = jasmine.getEnv({ suppressLoadErrors: true });
Object.assign(globalThis, jasmineRequire.interface(jasmine, runner), { jasmine });
setTestEnvs([{ name: backendName, backendName, isDataSync: true }]);

/** The runtime's version; a browser's stands in its name. */
function version() {
  const { runtime } = detectEnvironment();
  return /Chrome\/([\d.]+)/.exec(runtime.version)?.[1] ?? runtime.version;
}

/**
 * @param variant Its `beforeEach`, where it has one, runs before each test; its `problem` says after the tests what they have
 *   not tested.
 * @returns The kernels of the backend, the results by name of the test ('' = passed, or a message), the problem or null.
 */
export function runTests(variant) {
  const results = {};
  if (variant.beforeEach !== undefined) runner.beforeEach(variant.beforeEach);
  runner.configure({ random: false, specFilter: (spec) => spec.getFullName().includes(grep) });
  return new Promise((resolve) => {
    runner.addReporter({
      specDone({ fullName, status, failedExpectations }) {
        // Some of their tests share a name.
        let name = fullName;
        for (let copy = 2; name in results; copy++) name = `${fullName} (${copy})`;
        if (status === 'passed') results[name] = '';
        else if (status === 'failed')
          results[name] = failedExpectations.map(({ message }) => message).join(' | ') || 'failed';
      },
      jasmineDone() {
        const kernels = getKernelsForBackend(backendName).map(({ kernelName }) => kernelName);
        resolve({ version: version(), kernels, results, problem: variant.problem?.() ?? null });
      },
    });
    runner.execute();
  });
}
