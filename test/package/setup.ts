/** Packs the package and installs it, once for all tests, into an empty project as npm gives it to a user. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The packed package. */
    tarball: string;
    /** A project into which it is installed. */
    project: string;
  }
}

const root = resolve(import.meta.dirname, '../..');

export default function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-package-'));
  const project = join(folder, 'project');
  mkdirSync(project);
  // dist/ is built already: --ignore-scripts keeps npm from building it again.
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const tarball = join(folder, filename);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', tarball], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  provide('tarball', tarball);
  provide('project', project);
  return () => rmSync(folder, { recursive: true, force: true });
}
