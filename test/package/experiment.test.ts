/** An experiment that is killed in the middle of a run goes on with the same command and ends with the numbers of one left alone. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';

const command = join(inject('project'), 'node_modules/.bin/pyconvunet');
const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-experiment-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const args = (out: string) => [
  ...['experiment', '--data', 'phantom:lung', '--images', '20', '--models', 'unet,pyconvunet', '--widths', '8,16'],
  ...['--size', '32', '--epochs', '3', '--batch', '2', '--seeds', '1', '--out', out],
];

function run(out: string): string {
  const { status, stdout, stderr } = spawnSync(command, args(out), { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

const read = (...path: string[]): unknown => JSON.parse(readFileSync(join(...path), 'utf8'));

/** Without what was measured by a clock. */
function numbers(report: unknown): unknown {
  return JSON.parse(JSON.stringify(report, (key, value: unknown) => (key.startsWith('seconds') ? undefined : value)));
}

/** Bytes and times of a finished run's files. */
const snapshot = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true }).flatMap((each) => {
    const file = join(each.parentPath, each.name);
    return each.isFile() ? [[file, statSync(file).mtimeMs, readFileSync(file).toString('base64')]] : [];
  });

/** Kills the command with -9 as soon as a run has finished an epoch, and some steps of the next. */
async function killIn(out: string, runFolder: string): Promise<void> {
  const child = spawn(command, args(out), { stdio: 'ignore' });
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  const checkpoint = join(runFolder, 'checkpoint.json');
  const epoch = () => (existsSync(checkpoint) ? (read(checkpoint) as { epoch: number }).epoch : 0);
  while (epoch() < 1 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  setTimeout(() => child.kill('SIGKILL'), 30);
  expect(await closed).toBeNull();
}

test('kill -9 in the middle of the second of two runs', async () => {
  const alone = join(folder, 'alone');
  const killed = join(folder, 'killed');
  run(alone);
  const runs = join(killed, 'runs', 'phantom-lung');
  const [first, second] = [join(runs, 'unet', 'seed1'), join(runs, 'pyconvunet', 'seed1')];
  await killIn(killed, second);
  expect(existsSync(join(first, 'result.json'))).toBe(true);
  expect(existsSync(join(second, 'result.json'))).toBe(false);
  expect(existsSync(join(killed, 'report.json'))).toBe(false);
  const before = snapshot(first);

  const stdout = run(killed);
  expect(stdout).toContain('run 1/2: unet on phantom-lung, seed 1 (kept)');
  expect(stdout).toContain('run 2/2: pyconvunet on phantom-lung, seed 1\n');
  expect(stdout).not.toContain('epoch 1/3');
  expect(snapshot(first)).toEqual(before);
  expect(numbers(read(killed, 'report.json'))).toEqual(numbers(read(alone, 'report.json')));
  for (const file of ['weights.bin', 'history.json', 'model.json']) {
    const [ours, theirs] = [second, second.replace(killed, alone)].map((path) => readFileSync(join(path, file)));
    expect(ours?.equals(theirs ?? Buffer.alloc(0)), file).toBe(true);
  }
  // A third time there is nothing to do.
  const again = run(killed);
  expect(again.match(/\(kept\)/g)).toHaveLength(2);
  expect(again).not.toContain('epoch 3/3');
});
