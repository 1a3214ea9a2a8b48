/** Sets up Jasmine for tfjs-core's own tests and prints the outcome of each as one line of JSON. */
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import { getKernelsForBackend } from '@tensorflow/tfjs-core';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import jasmineRequire from 'jasmine-core/lib/jasmine-core/jasmine.js';

const backendName = process.env.TFJS_CORE_TESTS_BACKEND ?? '';
const grep = process.env.TFJS_CORE_TESTS_GREP ?? '';
const jasmine = jasmineRequire.core(jasmineRequire);
const runner = jasmine.getEnv({ suppressLoadErrors: true });
Object.assign(globalThis, jasmineRequire.interface(jasmine, runner), { jasmine });
setTestEnvs([{ name: backendName, backendName, isDataSync: true }]);

/** @param variant Its `problem`, where it has one, says after the tests what they have not tested. */
export function runTests(variant) {
  const results = {};
  runner.configure({ random: false, specFilter: (spec) => spec.getFullName().includes(grep) });
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
      console.log(`RESULTS ${JSON.stringify({ kernels, results, problem: variant.problem?.() ?? null })}`);
      process.exit(0);
    },
  });
  runner.execute();
}
