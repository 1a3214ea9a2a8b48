import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The package as others get it: packed, installed, bundled. Needs dist/ and the npm registry. */
export default defineConfig({
  cacheDir: '../node_modules/.vite',
  test: {
    root: resolve(import.meta.dirname, '..'),
    include: ['{package,docs}/**/*.test.ts'],
    globalSetup: ['package/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
  },
});
