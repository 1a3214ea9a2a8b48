import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts', 'src/wasm.ts', 'src/webgpu.ts', 'src/tensorflow.ts', 'src/files.ts', 'src/training.ts', 'src/cli.ts'],
  format: 'esm',
  target: 'es2022',
  dts: true,
  splitting: true,
  clean: true,
  // tfjs's SIMD binary becomes bytes of our own bundle, so that no path has to be configured.
  noExternal: [/\.wasm$/],
  loader: { '.wasm': 'binary' },
});
