/** `pyconvunet experiment`: its documents, what it says, where it goes on, and what it refuses. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dryRunDocument } from '../../src/cli/schemas.js';
import { reportSchema, studyConfigSchema } from '../../src/study/schemas.js';
import { temporaryFolder, writeDataset } from './dataset.js';
import { pyconvunet } from './harness.js';

/** Memory of the machine in bytes, where a test makes it small. */
const machine = vi.hoisted((): { bytes: number | undefined } => ({ bytes: undefined }));
vi.mock('node:os', async (original) => {
  const os = await original<typeof import('node:os')>();
  return { ...os, totalmem: () => machine.bytes ?? os.totalmem() };
});

let folder = '';
let data = '';
let out = '';

beforeAll(async () => {
  folder = await temporaryFolder();
  data = await writeDataset(join(folder, 'lungs'));
  out = join(folder, 'study');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));
const small = ['--models', 'unet,pyconvunet', '--widths', '8,16', '--size', '32', '--batch', '3', '--seeds', '1'];
const experiment = (...args: string[]) => pyconvunet(['experiment', ...small, ...args]);
const phantoms = ['--data', 'phantom:lung', '--images', '6'];

/** Starts the command and interrupts it when a file is there. */
async function interruptedBy(path: string, args: readonly string[]) {
  const controller = new AbortController();
  const timer = setInterval(() => {
    readFile(path).then(
      () => controller.abort(),
      () => {},
    );
  }, 5);
  const outcome = await pyconvunet(args, controller.signal);
  clearInterval(timer);
  return outcome;
}

describe('pyconvunet experiment', () => {
  it('compares networks on data sets and prints the report', async () => {
    const sets = ['--data', data, '--data', 'phantom:cell', '--images', '6'];
    const { code, stdout, stderr } = await experiment(...sets, '--epochs', '2', '--out', out, '--json');
    expect(code, stderr).toBe(0);
    const report = reportSchema.parse(JSON.parse(stdout));
    expect(await json(join(out, 'report.json'))).toEqual(report);
    expect(report.rows.map(({ model, dataset }) => `${model} on ${dataset}`)).toEqual([
      'unet on lungs',
      'pyconvunet on lungs',
      'unet on phantom-cell',
      'pyconvunet on phantom-cell',
    ]);
    expect(stdout).not.toContain(folder);
    expect(stderr).toContain('lungs: 6 images: 5 for training, 1 for validation, 0 for the test.');
    expect(stderr).toMatch(/^unet on lungs, seed 1: \d+ (s|min) for 4 steps, memory 0\.\d\d GiB$/m);
    expect(stderr).toMatch(
      /^4 of 4 runs are left: about \d+ (s|min) on this backend, at most 0\.\d\d GiB \(from forward passes of each network\)\.$/m,
    );
    expect(stderr).toContain('run 2/4: pyconvunet on lungs, seed 1\n');
    expect(stderr).toMatch(/^ {2}epoch 1\/2 {2}loss \d\.\d{4} {2}Dice \d\.\d{4} {2}MIoU \d\.\d{4} {2}\d+ s {2}best$/m);
    expect(stderr).toMatch(/^pyconvunet on phantom-cell: Dice \d\.\d{4}, MIoU \d\.\d{4} at the best epoch$/m);
    expect(stderr).toMatch(/^Done in \d+ s\. Report: (.+)$/m);
    expect(stderr).toContain(`Report: ${join(out, 'report.html')}`);
    const config = studyConfigSchema.parse(await json(join(out, 'study.json')));
    expect(config).toMatchObject({ seeds: [1], epochs: 2, backend: 'wasm', size: [32, 32], widths: [8, 16] });
  });

  it('runs again from its own study.json, keeping what there is, with options over it', async () => {
    const config = ['--config', join(out, 'study.json')];
    const again = await pyconvunet(['experiment', ...config, '--out', out]);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout.match(/\(kept\)/g)).toHaveLength(4);
    expect(again.stdout).not.toContain('epoch 1');

    const other = await pyconvunet([
      ...['experiment', ...config, '--models', 'unet', '--data', 'phantom:lung', '--images', '4'],
      ...['--epochs', '1', '--out', join(folder, 'other'), '--json'],
    ]);
    expect(other.code, other.stderr).toBe(0);
    const report = reportSchema.parse(JSON.parse(other.stdout));
    expect(report.config).toMatchObject({ epochs: 1, models: ['unet'], widths: [8, 16], seeds: [1] });
    expect(report.config.data.map(({ name, images }) => [name, images])).toEqual([['phantom-lung', 4]]);
  });

  it('leaves out the deep supervision of a configuration with its UNet++', async () => {
    const path = join(folder, 'supervised.json');
    const written = { models: ['unet++', 'unet'], deepSupervision: true, widths: [4, 8, 12], size: [32, 32] };
    await writeFile(path, JSON.stringify({ ...written, data: [{ source: 'phantom:lung', images: 4 }] }));
    const args = ['experiment', '--config', path, '--out', join(folder, 'supervised'), '--dry-run', '--json'];
    const models = async (...more: string[]) => {
      const { code, stdout, stderr } = await pyconvunet([...args, ...more]);
      expect(code, stderr).toBe(0);
      return dryRunDocument.parse(JSON.parse(stdout)).runs.map(({ model }) => model);
    };
    expect(await models()).toEqual(['unet++', 'unet']);
    expect(await models('--models', 'unet')).toEqual(['unet']);
  });

  it('estimates without a step', async () => {
    const dry = join(folder, 'dry');
    const args = [...phantoms, '--seeds', '1,2', '--epochs', '2', '--out', dry, '--dry-run'];
    const plain = await experiment(...args);
    expect(plain.code, plain.stderr).toBe(0);
    expect(plain.stdout).toContain('phantom-lung: 6 images: 5 for training, 1 for validation, 0 for the test.');
    expect(plain.stdout).toMatch(/^pyconvunet on phantom-lung, seed 2: \d+ (s|min) for 4 steps, memory 0\.\d\d GiB$/m);
    const { stdout } = await experiment(...args, '--json');
    const { runs, hours, peakBytes } = dryRunDocument.parse(JSON.parse(stdout));
    expect(runs).toHaveLength(4);
    expect(runs.every(({ steps, finished }) => steps === 4 && !finished)).toBe(true);
    expect(3600 * hours).toBeCloseTo(
      runs.reduce((sum, { seconds }) => sum + seconds, 0),
      9,
    );
    expect(peakBytes).toBe(Math.max(...runs.map(({ bytes }) => bytes)));
    await expect(readdir(dry)).rejects.toThrow('ENOENT');
  });

  it('goes on behind a network that does not fit, and fails at the end with what would fit', async () => {
    // Between what the two networks need.
    machine.bytes = 75e6;
    const { code, stdout, stderr } = await pyconvunet([
      ...['experiment', ...phantoms, '--models', 'unet++,unet', '--widths', '16,32,64', '--size', '64'],
      ...['--batch', '4', '--seeds', '1,2', '--out', join(folder, 'unfit'), '--dry-run'],
    ]).finally(() => {
      machine.bytes = undefined;
    });
    expect(code).toBe(1);
    const lines = stdout.split('\n').filter((line) => line.includes('seed'));
    expect(lines.map((line) => line.replace(/\d+ (s|min) for/, 'N s for'))).toEqual([
      'unet++ on phantom-lung, seed 1: does not fit',
      'unet on phantom-lung, seed 1: N s for 100 steps, memory 0.06 GiB',
      'unet++ on phantom-lung, seed 2: does not fit',
      'unet on phantom-lung, seed 2: N s for 100 steps, memory 0.06 GiB',
    ]);
    expect(stderr).toMatch(
      /^pyconvunet: unet\+\+ on phantom-lung: A training step of 4 images of 64x64 needs about 0\.07 GiB, .+ A batch of \d fits .+\.\n$/,
    );
  });

  it('says in a dry run what has finished, and counts the hours of the rest', async () => {
    const args = ['--config', join(out, 'study.json'), '--seeds', '1,2', '--out', out, '--dry-run'];
    const { stdout } = await pyconvunet(['experiment', ...args, '--json']);
    const { runs, hours } = dryRunDocument.parse(JSON.parse(stdout));
    const left = runs.filter(({ finished }) => !finished);
    expect(left.map(({ seed }) => seed)).toEqual([2, 2, 2, 2]);
    expect(runs).toHaveLength(8);
    expect(3600 * hours).toBeCloseTo(
      left.reduce((sum, { seconds }) => sum + seconds, 0),
      9,
    );
    const plain = await pyconvunet(['experiment', ...args]);
    expect(plain.stdout).toContain('unet on lungs, seed 1: finished, memory');
    expect(plain.stdout).toContain('4 of 8 runs are left: about ');
  });

  it('is interrupted with code 130, says how to go on, and refuses other settings then', async () => {
    const stopped = join(folder, 'stopped study');
    const args = ['experiment', ...small, ...phantoms, '--epochs', '40', '--out', stopped];
    const checkpoint = join(stopped, 'runs', 'phantom-lung', 'unet', 'seed1', 'checkpoint.json');
    const { code, stdout, stderr } = await interruptedBy(checkpoint, args);
    expect(code).toBe(130);
    expect(stderr).toBe('');
    expect(stdout).toContain(`Stopped; what was done is kept. Go on with the same command, --out '${stopped}'.`);
    expect(stdout).not.toContain('Report');
    // The same study, fewer epochs: refused, as it was begun with forty.
    const other = await pyconvunet([...args, '--epochs', '2']);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('holds a study with other settings: epochs was 40 and is now 2.');
  });

  it('takes folds, a test part, groups and a loss', async () => {
    const { code, stdout, stderr } = await pyconvunet([
      ...['experiment', '--data', data, '--group-by', '^(p\\d+)_', '--folds', '2', '--test', '0.25'],
      ...['--models', 'unet', '--widths', '4,8', '--epochs', '1', '--batch', '2', '--seeds', '3', '--split-seed', '5'],
      ...['--loss', 'bce-dice', '--learning-rate', '0.01', '--augment', 'none', '--window', '128,256'],
      ...['--micro-batch', '1'],
      ...['--out', join(folder, 'options'), '--json'],
    ]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /lungs: 8 images of 4 groups: \d for training, \d for validation, 2 for the test in each of 2 folds\./,
    );
    const { config, runs, datasets } = reportSchema.parse(JSON.parse(stdout));
    expect(config).toMatchObject({
      ...{ folds: 2, test: 0.25, seeds: [3], splitSeed: 5, loss: 'bce-dice', learningRate: 0.01, augment: 'none' },
      ...{ batch: 2, microBatch: 1, size: null },
    });
    expect(config.data[0]).toMatchObject({ groupBy: '^(p\\d+)_', window: [128, 256], source: 'lungs' });
    expect(datasets[0]).toMatchObject({ split: 'groups', folds: 2, window: [128, 256] });
    expect(runs.map(({ fold }) => fold)).toEqual([1, 2]);
  });
});

describe('bad usage ends with code 2 and a sentence', () => {
  it.each([
    [['--data', 'phantom:lung'], "required option '--out <dir>' not specified"],
    [['--models', 'unet,vnet', '--out', 'x'], 'It must be one of pyconvunet, unet, '],
    [['--protocol', 'fast', '--out', 'x'], 'It must be one of custom, quick, paper.'],
    [['--seeds', '1,b', '--out', 'x'], 'It must be a whole number.'],
    [['--size', '12x', '--out', 'x'], 'It must be N or HEIGHTxWIDTH, such as 128 or 96x128.'],
    [['--augment', 'flip', '--out', 'x'], 'It must be one of none, random, expand.'],
    [['--validation', '1', '--out', 'x'], 'It must lie between 0 and 1.'],
    [['--test', '1', '--out', 'x'], 'It must be at least 0 and below 1.'],
    [
      ['--protocol', 'quick', '--images', '3', '--out', 'x'],
      '--group-by, --blocks, --window and --images speak of --data. Give it, or write them into the configuration.',
    ],
  ])('%j', async (args, sentence) => {
    const { code, stdout, stderr } = await pyconvunet(['experiment', ...args]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(sentence);
  });
});

describe('what cannot be done ends with code 1, what is not legal with code 2, and a sentence', () => {
  const ended = async (expected: number, args: readonly string[]) => {
    const { code, stdout, stderr } = await pyconvunet(['experiment', ...args]);
    expect(code).toBe(expected);
    expect(stdout).not.toContain('epoch');
    expect(stderr).toMatch(expected === 2 ? /^error: / : /^pyconvunet: /m);
    expect(stderr).not.toContain('    at ');
    return stderr;
  };
  const refused = (...args: string[]) => ended(1, args);
  const misused = (...args: string[]) => ended(2, args);
  const fresh = () => ['--out', join(folder, 'fresh')];

  it('a study without data', async () => {
    expect(await misused(...fresh())).toContain('it names no data. Give --data DIR or --data phantom:NAME');
  });

  it('data sets, networks or seeds that stand twice', async () => {
    expect(await misused(...phantoms, ...phantoms, ...fresh())).toContain("'phantom-lung' stands twice.");
    expect(await misused(...phantoms, '--models', 'unet,unet', ...fresh())).toContain(
      "'unet' stands twice among the models or seeds.",
    );
    expect(await misused(...phantoms, '--seeds', '1,1', ...fresh())).toContain(
      "'1' stands twice among the models or seeds.",
    );
  });

  it('blocks and groups at once, pieces larger than the batch, one fold, no part for training', async () => {
    expect(await misused('--data', data, '--blocks', '--group-by', 'volume', ...fresh())).toContain(
      'data set lungs has blocks and groupBy. Blocks are of one specimen alone.',
    );
    expect(await misused(...phantoms, '--batch', '2', '--micro-batch', '3', ...fresh())).toContain(
      'microBatch 3 is more than batch 2, of which it is a piece.',
    );
    expect(await misused(...phantoms, '--folds', '1', ...fresh())).toContain(
      'It must be a whole number of at least 2.',
    );
    expect(await misused(...phantoms, '--validation', '0.6', '--test', '0.4', ...fresh())).toContain(
      'validation 0.6 and test 0.4 leave no part for training.',
    );
  });

  it('a configuration that is damaged or not there', async () => {
    const path = join(folder, 'damaged.json');
    await writeFile(path, '{"epochs": ');
    expect(await refused('--config', path, ...fresh())).toContain(`The study's configuration ${path} cannot be used: `);
    expect(await refused('--config', join(folder, 'none.json'), ...fresh())).toContain(
      'none.json cannot be used: ENOENT',
    );
  });

  it('a backend that there is not', async () => {
    expect(await misused(...phantoms, '--backend', 'abacus', ...fresh())).toContain(
      'It must be one of wasm, cpu, tensorflow, webgpu, auto.',
    );
  });

  it('a folder of anything else', async () => {
    const foreign = join(folder, 'foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'notes.txt'), 'mine');
    expect(await refused(...phantoms, '--out', foreign)).toContain('holds something that is no study (notes.txt).');
  });

  it('what does not fit, before the first step', async () => {
    const stderr = await refused(
      ...['--data', 'phantom:lung', '--models', 'unet,pyconvunet', '--widths', '64,128,256,512', '--size', '256'],
      ...['--batch', '40', ...fresh()],
    );
    // On a slow machine a line of progress comes before.
    expect(stderr).toMatch(/^pyconvunet: unet on phantom-lung: A training step of \d+ images of 256x256 needs about /m);
    expect(stderr).toMatch(
      /^pyconvunet on phantom-lung: .+ A batch of \d+ fits \(\d\.\d\d GiB\), and so do micro-batches of \d+, /m,
    );
    expect(await readdir(folder)).not.toContain('fresh');
  });
});
