/** Bundles a program that uses the installed package, with esbuild and with Vite, and says which files of ours are in it. */
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';

/** A minified bundle. */
export interface Bundle {
  readonly code: string;
  /** Kilobytes (1000 bytes) after gzip. */
  readonly kilobytes: number;
  /** The package's own files that left something in it, relative to dist/. */
  readonly files: readonly string[];
  /** Packages other than ours that left something in it. */
  readonly packages: readonly string[];
}

const external = [/^@tensorflow\//, /^node:/];

function describe(code: string, project: string, modules: readonly string[]): Bundle {
  const dist = join(project, 'node_modules/pyconvunet/dist');
  const inOurs = modules.filter((file) => file.startsWith(dist));
  const packages = modules.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  return {
    code,
    kilobytes: Math.round(gzipSync(code).byteLength / 100) / 10,
    files: inOurs.map((file) => relative(dist, file)).sort(),
    packages: [...new Set(packages)].filter((name) => name !== 'pyconvunet').sort(),
  };
}

/** esbuild, with TensorFlow.js left outside. */
export async function bundleWithEsbuild(project: string, source: string): Promise<Bundle> {
  const { outputFiles, metafile } = await esbuild({
    stdin: { contents: source, resolveDir: project },
    absWorkingDir: project,
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    metafile: true,
    external: ['@tensorflow/*', 'node:*'],
    logLevel: 'error',
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([file, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [join(project, file)] : [],
    ),
  );
  return describe(outputFiles[0]?.text ?? '', project, inputs);
}

/** Vite (Rollup), with TensorFlow.js left outside. */
export async function bundleWithVite(project: string, source: string): Promise<Bundle> {
  const entry = join(project, 'entry.js');
  writeFileSync(entry, source);
  const result = await vite({
    root: project,
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: true, lib: { entry, formats: ['es'] }, rollupOptions: { external } },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((each) => ('output' in each ? each.output : []));
  const chunks = outputs.flatMap((output) => (output.type === 'chunk' ? [output] : []));
  const modules = chunks.flatMap((chunk) =>
    Object.entries(chunk.modules).flatMap(([file, { renderedLength }]) => (renderedLength > 0 ? [file] : [])),
  );
  return describe(chunks.map(({ code }) => code).join('\n'), project, modules);
}
