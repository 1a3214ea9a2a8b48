import { defineConfig } from 'tsup';

// Every source file becomes a file of its own: whoever bundles this package drops the rooms that he does not use, and
// `sideEffects` in package.json can name the files that register something. Types: tsconfig.build.json.
export default defineConfig({
  entry: ['src/**/*.ts', '!src/**/*.d.ts'],
  format: 'esm',
  target: 'es2022',
  // One build for browsers, Node, Deno and Bun.
  platform: 'neutral',
  removeNodeProtocol: false,
  splitting: false,
  clean: true,
  silent: true,
  external: [/^\.{1,2}\/.*\.js$/, /^node:/],
  // tfjs's SIMD binary alone is taken in, as bytes, so that no path has to be configured.
  noExternal: [/\.wasm$/],
  loader: { '.wasm': 'binary' },
});
