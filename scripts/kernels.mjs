// Writes the SIMD kernels (simd/) as WebAssembly binaries into src/kernels/wasm/binaries/, from where they are embedded.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './lib/steps.mjs';

const { outputFiles } = await build({
  entryPoints: [join(root, 'simd/binaries.ts')],
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  write: false,
});
const source = Buffer.from(outputFiles[0].contents).toString('base64');
const { base, relaxed } = await import(`data:text/javascript;base64,${source}`);
const folder = join(root, 'src/kernels/wasm/binaries');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'base.wasm'), base());
writeFileSync(join(folder, 'relaxed.wasm'), relaxed());
