/** A run that is killed, or told to stop by Ctrl-C, goes on and ends with the bytes of a run that was left alone. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

const command = join(inject('project'), 'node_modules/.bin/pyconvunet');
const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-resume-'));
const alone = join(folder, 'alone');

const args = (out: string) => [
  ...['train', '--data', 'phantom:lung', '--size', '32', '--model', 'pyconvunet', '--widths', '8,16'],
  ...['--epochs', '3', '--batch', '2', '--seed', '1', '--backend', 'wasm', '--out', out],
];

function run(all: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, all, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

/** Finished epochs of a run's checkpoint; 0 while there is none. */
function finishedEpochs(out: string): number {
  const path = join(out, 'checkpoint.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { epoch: number }).epoch : 0;
}

/** Sends a signal in the middle of the second epoch. */
async function interrupt(out: string, signal: NodeJS.Signals): Promise<{ code: number | null; stdout: string }> {
  const child: ChildProcess = spawn(command, args(out), { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  while (finishedEpochs(out) < 1 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  // An epoch has twenty steps: some of the second are done then, and not all.
  setTimeout(() => child.kill(signal), 60);
  const code = await closed;
  expect(stdout).not.toContain('epoch 2/3');
  return { code, stdout };
}

function expectSameBytes(out: string): void {
  for (const file of ['weights.bin', 'history.json', 'checkpoint-3-0.bin', 'checkpoint.json', 'model.json']) {
    expect(readFileSync(join(out, file)).equals(readFileSync(join(alone, file))), file).toBe(true);
  }
}

beforeAll(() => void run(args(alone)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('after kill -9 in the middle of an epoch', async () => {
  const out = join(folder, 'killed');
  const { code } = await interrupt(out, 'SIGKILL');
  expect(code).toBeNull();
  expect(run(['train', '--resume', out])).toContain('Going on at epoch 2 of 3.');
  expectSameBytes(out);
});

test('after Ctrl-C in the middle of an epoch', async () => {
  const out = join(folder, 'stopped');
  const { code, stdout } = await interrupt(out, 'SIGINT');
  expect(code).toBe(130);
  expect(stdout).toContain(`Stopped; the run is saved. Go on with: pyconvunet train --resume ${out}`);
  run(['train', '--resume', out]);
  expectSameBytes(out);
});
