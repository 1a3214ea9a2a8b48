/** The command of the installed package in Node 20, 22 and 24, Deno and Bun. */
import { spawnSync } from 'node:child_process';
import { expect, inject, test } from 'vitest';
import { runtimes } from './runtimes.mjs';

test.each(Object.entries(runtimes))('%s runs the command', (_name, [command, ...args]) => {
  const line = [...args, 'node_modules/pyconvunet/dist/cli.js', 'doctor', '--json'];
  const { status, stdout, stderr } = spawnSync(command ?? '', line, { cwd: inject('project'), encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const { backends } = JSON.parse(stdout) as { backends: { name: string; available: boolean }[] };
  expect(backends.find(({ name }) => name === 'wasm')).toMatchObject({ available: true });
});
