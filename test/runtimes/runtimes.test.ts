/** The installed package in Node 20, 22 and 24, Deno and Bun. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { expectSame, type SmokeResult } from './compare.js';
import { runtimes, softwareGpu } from './runtimes.mjs';

const project = inject('project');

beforeAll(() => {
  writeFileSync(
    join(project, 'main.js'),
    "import { smoke } from './smoke.js';\nconsole.log(JSON.stringify(await smoke()));\n",
  );
});

test.each(Object.entries(runtimes))(
  '%s trains on wasm, on webgpu where it has one, and ends by itself',
  async (name, line) => {
    const [command, ...args] = line;
    const { status, stdout, stderr } = spawnSync(command, [...args, 'main.js'], {
      cwd: project,
      encoding: 'utf8',
      timeout: 200_000,
      env: { ...process.env, ...(name === 'deno' ? await softwareGpu() : {}) },
    });
    expect(status, stderr).toBe(0);
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as SmokeResult;
    expect(result.runtime.name).toBe(name.replace(/\d+$/, ''));
    expectSame(result, { webgpu: name === 'deno' });
  },
);
