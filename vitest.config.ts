import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    {
      // The build embeds tfjs's wasm binary through esbuild's binary loader; this is the same for tests that run the source.
      name: 'wasm-bytes',
      enforce: 'pre',
      load(id) {
        if (!id.endsWith('.wasm')) return;
        const base64 = readFileSync(id).toString('base64');
        return `export default Uint8Array.from(atob('${base64}'), (c) => c.charCodeAt(0));`;
      },
    },
  ],
  test: {
    include: ['test/**/*.test.ts'],
    // They need the built package: npm run test:package, test:docs and test:runtimes.
    exclude: ['test/{package,docs,runtimes}/**', '**/node_modules/**'],
    // One copy of tfjs: without this vitest inlines its ES modules while Node loads the CommonJS build for others.
    server: { deps: { external: [/@tensorflow(?!.*\.wasm$)/], inline: [/\.wasm$/] } },
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});
