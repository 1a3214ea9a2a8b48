/** What npm would publish. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { expect, inject, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const tarball = inject('tarball');
const installed = join(inject('project'), 'node_modules/pyconvunet');

function run(command: string, args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

test('publint has nothing to say', async () => {
  const bytes = new Uint8Array(readFileSync(tarball));
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer } });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

test('attw: the types of every entry are found as they are at run time', () => {
  const attw = join(root, 'node_modules/.bin/attw');
  const { status, output } = run(attw, ['--profile', 'esm-only', '--no-color', '--no-emoji', tarball]);
  expect(status, output).toBe(0);
});

test('the tarball holds the build, the schemas, the small model and the papers, and no source, test or map', () => {
  const { output } = run('tar', ['-tzf', tarball]);
  const files = output.trim().split('\n');
  const outside = files.filter(
    (file) =>
      !/^package\/(dist\/.*\.(js|d\.ts)|schemas\/.*\.json|examples\/model\/.*\.(json|bin|png|md)|package\.json|README\.md|LICENSE|CHANGELOG\.md|CITATION\.cff)$/.test(
        file,
      ),
  );
  expect(outside).toEqual([]);
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'CITATION.cff', 'dist/cli.js']) {
    expect(files).toContain(`package/${file}`);
  }
});

test('the command can be executed', () => {
  const { status, output } = run(join(installed, '../.bin/pyconvunet'), ['--version']);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect({ status, output }).toEqual({ status: 0, output: `${version}\n` });
});
