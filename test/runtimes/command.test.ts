/** The command of the installed package in Node 20, 22 and 24, Deno and Bun. */
import { spawnSync } from 'node:child_process';
import { expect, inject, test } from 'vitest';
import type { DoctorReport } from '../../src/runtime/doctor.js';
import { isPassed } from '../../src/runtime/engineReport.js';
import { runtimes } from './runtimes.mjs';

test.each(Object.entries(runtimes))('%s runs the command', (_name, [command, ...args]) => {
  const line = [...args, 'node_modules/pyconvunet/dist/cli.js', 'doctor', '--json'];
  const { status, stdout, stderr } = spawnSync(command ?? '', line, { cwd: inject('project'), encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const { backends } = JSON.parse(stdout) as DoctorReport;
  const wasm = backends.find(({ name }) => name === 'wasm');
  expect(wasm).toMatchObject({ available: true });
  expect(wasm?.engine?.selfTest).toHaveLength(18);
  expect(wasm?.engine?.selfTest.filter((each) => !isPassed(each))).toEqual([]);
});
