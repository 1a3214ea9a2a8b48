import { defineConfig } from 'vitest/config';

/** The packed package in other runtimes: started by scripts/test-runtimes.mjs, which installs and unpacks them. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    globalSetup: ['setup.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // They measure nothing, but each starts processes that take both cores.
    maxWorkers: 1,
  },
});
