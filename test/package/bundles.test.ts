/** What bundlers keep of the package: what registers something always, rooms that nobody uses never. */
import { describe, expect, inject, test } from 'vitest';
import { type Bundle, bundleWithEsbuild, bundleWithVite } from './bundles.js';

const project = inject('project');
const bundlers = [
  { name: 'esbuild', bundle: (source: string) => bundleWithEsbuild(project, source) },
  { name: 'Vite', bundle: (source: string) => bundleWithVite(project, source) },
];

/** The folders of dist/ of which something is in a bundle. */
const rooms = ({ files }: Bundle) => [...new Set(files.map((file) => file.split('/')[0]))];

describe.each(bundlers)('$name', ({ bundle }) => {
  test("import 'pyconvunet/wasm' keeps the embedded binary, the kernels and the provider", async () => {
    const { code, files, packages } = await bundle("import 'pyconvunet/wasm';");
    expect(files).toEqual(
      expect.arrayContaining([
        'wasm.js',
        'kernels/wasm/embeddedBinary.js',
        'kernels/wasm/convGradients.js',
        'runtime/providers.js',
      ]),
    );
    // The first bytes of a WebAssembly module, in base64.
    expect(code).toContain('AGFzbQEAAAA');
    expect(packages).toEqual([]);
  });

  test('import { layers } keeps the layers and drops networks, losses, metrics, counting, augmentation and prediction', async () => {
    const result = await bundle(
      "import { layers } from 'pyconvunet'; globalThis.layer = layers.pyConv2d({ filters: 8 });",
    );
    expect(result.files).toEqual(
      expect.arrayContaining(['layers/pyConv2d.js', 'layers/batchNorm.js', 'ops/pyConv2d.js']),
    );
    expect(rooms(result)).toEqual(['layers', 'ops', 'runtime', 'spec']);
    expect(result.packages).toEqual([]);
  });

  test("import 'pyconvunet' alone registers every layer, for a saved model to find", async () => {
    const result = await bundle("import 'pyconvunet';");
    const registering = [
      'batchNorm',
      'bilinearUpsampling',
      'crop',
      'dropout',
      'groupConv2d',
      'nearestUpsampling',
      'pyConv2d',
      'sizeGuard',
    ];
    expect(result.files).toEqual(expect.arrayContaining(registering.map((name) => `layers/${name}.js`)));
    expect(rooms(result)).toEqual(['layers', 'ops', 'runtime', 'spec']);
  });

  test("import { train } from 'pyconvunet/training' keeps the optimizer's registration and no image decoder", async () => {
    const result = await bundle("import { train } from 'pyconvunet/training'; globalThis.train = train;");
    expect(result.files).toContain('optimizers/adam.js');
    expect(result.packages).toEqual([]);
  });

  test("import * as training from 'pyconvunet/training' brings decoders, and neither checks of files nor charts", async () => {
    const { packages } = await bundle("import * as training from 'pyconvunet/training'; globalThis.used = training;");
    expect(packages).toContain('fast-png');
    for (const heavy of ['zod', 'commander', 'cli-progress', 'linkedom', '@observablehq/plot', 'd3-shape']) {
      expect(packages).not.toContain(heavy);
    }
  });
});
