/** Runs bundled test files where it is, and reports in plain values. Bundled by suites.test.ts. */
import { startTests, type VitestRunner } from '@vitest/runner';
import { getTests } from '@vitest/runner/utils';
import { detectEnvironment } from '../../src/runtime/environment.js';

export interface SuitesResult {
  readonly passed: number;
  /** Name and message of each test that failed, and of each file that could not be run. */
  readonly failed: readonly string[];
  readonly relaxedSimd: boolean;
  readonly sharedMemory: boolean;
}

/** @param files The test files by name, each loaded when it is asked for. */
export async function runSuites(files: Readonly<Record<string, () => Promise<unknown>>>): Promise<SuitesResult> {
  const runner: VitestRunner = {
    config: {
      root: '/',
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: undefined,
      allowOnly: false,
      sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: 120_000,
      hookTimeout: 120_000,
      retry: 0,
      includeTaskLocation: undefined,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    },
    importFile: (path, source) => (source === 'collect' ? files[path.slice(1)]?.() : undefined),
  };
  const ran = await startTests(
    Object.keys(files).map((name) => `/${name}`),
    runner,
  );
  const messagesOf = (name: string, errors: readonly { message: string }[] = []): string =>
    `${name}: ${errors.map(({ message }) => message).join(' | ')}`;
  const tests = getTests(ran);
  const { relaxedSimd, sharedMemory } = detectEnvironment();
  return {
    passed: tests.filter(({ result }) => result?.state === 'pass').length,
    failed: [
      ...ran.filter(({ result }) => result?.errors?.length).map(({ name, result }) => messagesOf(name, result?.errors)),
      ...tests
        .filter(({ result }) => result?.state !== 'pass')
        .map(({ fullName, result }) => messagesOf(fullName, result?.errors)),
    ],
    relaxedSimd,
    sharedMemory,
  };
}
