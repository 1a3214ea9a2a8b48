/** train, evaluate, predict, complexity and doctor: their documents, files and messages. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  comparisonDocument,
  complexityDocument,
  doctorDocument,
  evaluateDocument,
  predictDocument,
  trainDocument,
} from '../../src/cli/schemas.js';
import { MovableProgram } from '../../src/engine/movable.js';
import { ThreadPool } from '../../src/engine/threads/threadPool.js';
import { checkpointSchema, historySchema, runConfigSchema } from '../../src/training/files/schemas.js';
import { temporaryFolder, writeDataset } from './dataset.js';
import { pyconvunet } from './harness.js';

let folder = '';
let data = '';
let run = '';

const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));
const trainArgs = (out: string, ...more: string[]) => [
  ...[
    'train',
    '--data',
    data,
    '--model',
    'unet',
    '--widths',
    '4,8',
    '--backend',
    'wasm',
    '--epochs',
    '2',
    '--batch',
    '3',
  ],
  ...['--seed', '1', '--out', out],
  ...more,
];

beforeAll(async () => {
  folder = await temporaryFolder();
  data = await writeDataset(join(folder, 'data'));
  run = join(folder, 'run');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('pyconvunet train', () => {
  it('writes a run folder and prints one document', async () => {
    const { code, stdout, stderr } = await pyconvunet(trainArgs(run, '--json'));
    expect(stderr).toContain('8 images: 6 for training, 2 for validation, 0 for the test.');
    expect(stderr).toMatch(
      /Estimated memory 0\.\d\d GiB of \d+\.\d\d GiB; estimated time .+ for 4 steps \(from forward passes of one image\)\./,
    );
    expect(stderr).toMatch(/epoch 2\/2 {2}loss \d\.\d{4} {2}val loss \d\.\d{4} {2}Dice \d\.\d{4} {2}MIoU \d\.\d{4}/);
    expect(code).toBe(0);
    const document = trainDocument.parse(JSON.parse(stdout));
    expect(document.history.loss).toHaveLength(2);
    expect((await readdir(run)).sort()).toEqual([
      'checkpoint-2-0.bin',
      'checkpoint.json',
      'config.json',
      'history.json',
      'model.json',
      'weights.bin',
    ]);
    expect(historySchema.parse(await json(join(run, 'history.json')))).toEqual(document.history);
    const config = runConfigSchema.parse(await json(join(run, 'config.json')));
    expect([...config.parts.train, ...config.parts.validation].sort()).toHaveLength(8);
    expect(config.command).toContain('--widths 4,8');
    expect(config.microBatch).toBe(3);
    expect(config.command).not.toContain('--micro-batch');
    expect(checkpointSchema.parse(await json(join(run, 'checkpoint.json'))).best).toEqual(document.best);
  });

  it('never overwrites a run', async () => {
    const { code, stderr } = await pyconvunet(trainArgs(run));
    expect(code).toBe(1);
    expect(stderr).toContain(`${run} already holds a run. Go on with it by --resume ${run}, or give another --out.`);
  });

  it('keeps groups in one part', async () => {
    const out = join(folder, 'grouped');
    await pyconvunet(
      trainArgs(out, '--group-by', '^(p\\d+)_', '--epochs', '1', '--test', '0.25', '--validation', '0.25'),
    );
    const { parts } = runConfigSchema.parse(await json(join(out, 'config.json')));
    const groups = Object.values(parts).map((names) => new Set(names.map((name) => name.split('_')[0])));
    expect(groups.flatMap((set) => [...set]).sort()).toEqual(['p0', 'p1', 'p2', 'p3']);
    expect(parts.test.length).toBeGreaterThan(0);
  });

  it('stops on a signal, says how to go on, and ends with the weights of a run left alone', async () => {
    const out = join(folder, 'interrupted');
    const controller = new AbortController();
    const timer = setInterval(async () => {
      const history = await json(join(out, 'history.json')).catch(() => ({ loss: [] }));
      if (historySchema.safeParse(history).data?.loss.length === 1) controller.abort();
    }, 5);
    const stopped = await pyconvunet(trainArgs(out, '--epochs', '40', '--micro-batch', '2'), controller.signal);
    clearInterval(timer);
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toContain(`Stopped; the run is saved. Go on with: pyconvunet train --resume ${out}`);
    const resumed = await pyconvunet(['train', '--resume', out]);
    expect(resumed.stderr).toBe('');
    expect(resumed.code).toBe(0);
    const alone = join(folder, 'alone');
    await pyconvunet(trainArgs(alone, '--epochs', '40', '--micro-batch', '2'));
    const { microBatch, command } = runConfigSchema.parse(await json(join(out, 'config.json')));
    expect(microBatch).toBe(2);
    expect(command).toContain('--batch 3 --micro-batch 2 --learning-rate');
    for (const file of ['weights.bin', 'history.json', 'checkpoint-40-0.bin']) {
      expect(Buffer.compare(await readFile(join(out, file)), await readFile(join(alone, file)))).toBe(0);
    }
  });

  it('refuses what the backend cannot hold, and says what fits', async () => {
    const { code, stderr } = await pyconvunet([
      ...['train', '--data', 'phantom:lung', '--model', 'unet', '--widths', '64,128,256,512'],
      ...['--size', '256', '--batch', '40', '--out', join(folder, 'large')],
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /A training step of \d+ images of 256x256 needs about \d+\.\d\d GiB, and backend wasm can hold 4\.00 GiB here\. A batch of (\d+) fits \(\d\.\d\d GiB\), and so do micro-batches of \1, which keep the batch of \d+ \(microBatch, or --micro-batch\)\./,
    );
    expect(stderr).not.toContain('    at ');
  });
});

describe('pyconvunet evaluate', () => {
  it('scores the validation part of the own data by default', async () => {
    const { code, stdout } = await pyconvunet(['evaluate', '--run', run, '--data', data, '--json']);
    expect(code).toBe(0);
    const document = evaluateDocument.parse(JSON.parse(stdout));
    const { best } = checkpointSchema.parse(await json(join(run, 'checkpoint.json')));
    expect(document).toMatchObject({ images: 2, split: 'validation', threshold: 0.5, aggregation: 'dataset' });
    // The kept weights are those of the best epoch.
    expect(document.dice).toBeCloseTo(best?.dice ?? -1, 6);
    expect(document.meanIoU).toBeCloseTo(best?.meanIoU ?? -1, 6);
  });

  it('scores all of other data, and a part of the own', async () => {
    const other = await writeDataset(join(folder, 'other'), 3, 7);
    const all = evaluateDocument.parse(
      JSON.parse((await pyconvunet(['evaluate', '--run', run, '--data', other, '--json'])).stdout),
    );
    expect(all).toMatchObject({ images: 3, split: 'all' });
    const train = await pyconvunet([
      'evaluate',
      '--run',
      run,
      '--data',
      data,
      '--split',
      'train',
      '--threshold',
      '0.3',
      '--json',
    ]);
    expect(evaluateDocument.parse(JSON.parse(train.stdout))).toMatchObject({
      images: 6,
      split: 'train',
      threshold: 0.3,
    });
    const wrong = await pyconvunet(['evaluate', '--run', run, '--data', other, '--split', 'test']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain(
      `--split test is a part of the run's own data. Received: --data ${other}, which is other data: image 'p0_s0' or its mask has changed.`,
    );
  });

  it('computes on more threads, to the same scores', async () => {
    const start = vi.spyOn(ThreadPool, 'start');
    const score = async (...args: string[]) =>
      (await pyconvunet(['evaluate', '--run', run, '--data', data, '--json', ...args])).stdout;
    const one = await score();
    expect(start).not.toHaveBeenCalled();
    expect(await score('--threads', '2')).toBe(one);
    expect(start.mock.calls.map(([{ threads }]) => threads)).toEqual([2]);
    start.mockRestore();
  });

  it('prints lines for people', async () => {
    const { stdout } = await pyconvunet(['evaluate', '--run', run, '--data', data]);
    expect(stdout).toMatch(/2 images \(validation\) {2}Dice \d\.\d{4} \(95 % interval/);
    expect(stdout).toMatch(/all foreground {2}Dice \d\.\d{4} {2}MIoU \d\.\d{4}/);
  });
});

describe('pyconvunet predict', () => {
  it('writes a mask and an overlay of each image, with the true contour in red', async () => {
    const out = join(folder, 'predictions');
    const { code, stdout } = await pyconvunet([
      ...[
        'predict',
        '--run',
        run,
        '--input',
        join(data, 'image'),
        '--truth',
        join(data, 'mask'),
        '--out',
        out,
        '--json',
      ],
    ]);
    expect(code).toBe(0);
    const { images } = predictDocument.parse(JSON.parse(stdout));
    expect(images).toHaveLength(8);
    const mask = decode(await readFile(images[0]?.mask ?? ''));
    expect([mask.width, mask.height, mask.channels]).toEqual([32, 32, 1]);
    expect([...new Set(mask.data)].every((value) => value === 0 || value === 255)).toBe(true);
    const overlay = decode(await readFile(images[0]?.overlay ?? ''));
    expect(overlay.channels).toBe(3);
    const red = Array.from({ length: 1024 }, (_, i) => overlay.data.slice(i * 3, i * 3 + 3).join()).filter(
      (rgb) => rgb === '230,0,0',
    );
    expect(red.length).toBeGreaterThan(20);
  });

  it('computes on more threads, to the same masks', async () => {
    const start = vi.spyOn(ThreadPool, 'start');
    const image = join(data, 'image', 'p0_s0.png');
    const masks = [];
    for (const threads of ['1', '2']) {
      const out = join(folder, `on-${threads}-threads`);
      await pyconvunet(['predict', '--run', run, '--input', image, '--out', out, '--threads', threads]);
      masks.push(await readFile(join(out, 'p0_s0.mask.png')));
    }
    expect(masks[1]).toEqual(masks[0]);
    expect(start.mock.calls.map(([{ threads }]) => threads)).toEqual([2]);
    start.mockRestore();
  });

  it('takes one file, and says which is unreadable', async () => {
    const out = join(folder, 'one');
    await pyconvunet(['predict', '--run', run, '--input', join(data, 'image', 'p0_s0.png'), '--out', out]);
    expect((await readdir(out)).sort()).toEqual(['p0_s0.mask.png', 'p0_s0.overlay.png']);
    const broken = join(folder, 'broken.png');
    await writeFile(broken, 'no picture');
    const { code, stderr } = await pyconvunet(['predict', '--run', run, '--input', broken, '--out', out]);
    expect(code).toBe(1);
    expect(stderr).toContain(broken);
    expect(stderr).not.toContain('    at ');
  });
});

describe('pyconvunet complexity', () => {
  it('gives the counts of one network and of all', async () => {
    const one = await pyconvunet(['complexity', '--model', 'pyconvunet', '--input', '512x512x3', '--json']);
    expect(complexityDocument.parse(JSON.parse(one.stdout))).toMatchObject({
      model: 'pyconvunet',
      inputShape: [512, 512, 3],
      classes: 1,
      params: { trainable: 4096801, nonTrainable: 11776, total: 4108577 },
      convention: 'macs',
    });
    const narrow = await pyconvunet(['complexity', '--all', '--input', '64x64x3', '--convention', 'paper', '--json']);
    expect(comparisonDocument.parse(JSON.parse(narrow.stdout)).models.map(({ model }) => model)).toHaveLength(7);
  });
});

describe('pyconvunet doctor', () => {
  it('lists the backends', async () => {
    const { code, stdout } = await pyconvunet(['doctor', '--json']);
    expect(code).toBe(0);
    const { backends } = doctorDocument.parse(JSON.parse(stdout));
    expect(backends.find(({ name }) => name === 'wasm')).toMatchObject({
      available: true,
      forward: true,
      training: true,
    });
    const { stdout: lines } = await pyconvunet(['doctor']);
    expect(lines).toMatch(/^yes {2}wasm {2}WebAssembly SIMD on /m);
    expect(lines).toMatch(/^ {5}kernels: \d+ of this package, \d+ of TensorFlow\.js; networks are planned$/m);
    expect(lines).toMatch(/^ {5}instructions: (SIMD128|relaxed SIMD)$/m);
    expect(lines).toMatch(/^ {5}threads: up to \d+\. .+\.$/m);
    expect(lines).toMatch(
      /^ {5}memory: up to 4\.00 GiB for a plan, and for TensorFlow\.js \((not started|\d\.\d\d GiB)\)$/m,
    );
    expect(lines).toMatch(
      /^ {5}self-test against float64: 18 of 18 passed; worst relative error: .+: \d\.\de-\d of at most 0\.0+1$/m,
    );
    expect(lines).not.toContain('problem: ');
  });

  it('ends with 1 where a kernel computes wrong results', async () => {
    vi.spyOn(MovableProgram.prototype, 'run').mockImplementation(() => {});
    const plain = await pyconvunet(['doctor']);
    const { code, stdout, stderr } = await pyconvunet(['doctor', '--json']);
    vi.restoreAllMocks();
    expect(plain.code).toBe(1);
    expect(plain.stdout).toContain('     self-test against float64: 0 of 18 passed; worst relative error: ');
    expect(plain.stdout).toMatch(
      /^problem: The planned engine computes wrong results here: 1x1, output, is off by 1\.0e\+0/m,
    );
    expect(code).toBe(1);
    expect(doctorDocument.parse(JSON.parse(stdout)).problems).toHaveLength(18);
    expect(stderr).toBe('pyconvunet: The self-test failed: Winograd F(4x4, 3x3), output: 1.0e+0 of at most 0.00001.\n');
  });
});

describe('bad usage and bad data', () => {
  const usage: [string, string[], string][] = [
    [
      'an unknown network',
      ['train', '--data', 'x', '--out', 'y', '--model', 'vnet'],
      'It must be one of pyconvunet, unet, unet++',
    ],
    [
      'a bad number',
      ['train', '--data', 'x', '--out', 'y', '--epochs', '0'],
      'It must be a whole number of at least 1.',
    ],
    [
      'pieces larger than the batch',
      ['train', '--data', 'x', '--out', 'y', '--batch', '2', '--micro-batch', '3'],
      '--micro-batch must be at most --batch. Received: 3 and 2.',
    ],
    [
      'bad widths',
      ['train', '--data', 'x', '--out', 'y', '--widths', '8'],
      'It must hold at least two numbers, such as 16,32,64.',
    ],
    [
      'a bad window',
      ['train', '--data', 'x', '--out', 'y', '--window', '40'],
      'It must be CENTRE,WIDTH with a width above 0',
    ],
    [
      'an unknown backend',
      ['train', '--data', 'x', '--out', 'y', '--backend', 'cuda'],
      'Allowed choices are wasm, cpu',
    ],
    ['threads', ['train', '--data', 'x', '--out', 'y', '--threads', '200'], 'It must be at most 64.'],
    [
      'threads of a prediction',
      ['predict', '--run', 'x', '--input', 'y', '--out', 'z', '--threads', '0'],
      'It must be',
    ],
    ['a rate of nothing', ['train', '--data', 'x', '--out', 'y', '--learning-rate', '0'], 'It must be above 0.'],
    ['one class', ['train', '--data', 'x', '--out', 'y', '--classes', '1'], 'It must be a whole number of at least 2.'],
    ['no validation', ['train', '--data', 'x', '--out', 'y', '--validation', '0'], 'It must lie between 0 and 1.'],
    ['a broken pattern', ['train', '--data', 'x', '--out', 'y', '--group-by', '['], 'groupBy'],
    [
      'nothing left to train on',
      ['train', '--data', 'x', '--out', 'y', '--validation', '0.6', '--test', '0.5'],
      '--validation and --test must leave a part for training. Received: 0.6 and 0.5.',
    ],
    [
      'settings beside --resume',
      ['train', '--resume', 'x', '--epochs', '3', '--seed', '2'],
      'Received: --epochs, --seed.',
    ],
    [
      '--all with --widths',
      ['complexity', '--all', '--widths', '8,16'],
      '--all counts the seven networks with their defaults.',
    ],
    [
      '--all with --model',
      ['complexity', '--all', '--model', 'unet'],
      '--all counts all seven networks. Leave --model unet out, or --all.',
    ],
    ['no data', ['train', '--out', 'y'], 'train needs --data and --out, or --resume RUN to go on with a run.'],
    ['an unknown option', ['doctor', '--runn', 'x'], "unknown option '--runn'"],
    ['an unknown command', ['segment'], "unknown command 'segment'"],
    ['a missing option', ['evaluate', '--run', 'x'], "required option '--data <dir>' not specified"],
  ];
  it.each(usage)('exits with 2 for %s', async (_, args, message) => {
    const { code, stderr, stdout } = await pyconvunet(args);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  const failures: [string, string[], string][] = [
    ['a folder that is no run', ['evaluate', '--run', 'nowhere', '--data', 'x'], 'nowhere is no run folder'],
    [
      'widths that eighths do not divide',
      ['complexity', '--model', 'pyconvunet', '--widths', '8,12'],
      'widths of pyconvunet must be multiples of 8',
    ],
    [
      'a file as the run folder',
      ['train', '--data', 'phantom:lung', '--out', 'package.json'],
      'package.json cannot be the folder of a run',
    ],
    ['a folder that holds something', ['train', '--data', 'phantom:lung', '--out', 'src'], 'src is not empty'],
    ['a folder that is not there', ['train', '--data', 'nowhere', '--out', 'y'], 'nowhere'],
    ['an unknown phantom', ['train', '--data', 'phantom:heart', '--out', 'y'], "There is no phantom 'heart'."],
    ['a checkpoint that is not there', ['train', '--resume', 'nowhere'], 'nowhere is no run folder'],
  ];
  it.each(failures)('exits with 1 for %s, without a stack', async (_, args, message) => {
    const { code, stderr } = await pyconvunet(args);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
    expect(code).toBe(1);
  });

  it('prints help and version with 0', async () => {
    expect(await pyconvunet(['--version'])).toMatchObject({ code: 0 });
    expect((await pyconvunet(['train', '--help'])).stdout).toContain('--group-by <regex>');
  });
});
