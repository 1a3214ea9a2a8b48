/** Studies on disk, from the configuration to the report: what is written, kept, gone on with and refused. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeImage, encodePng } from '../../../src/data/index.js';
import { TrainingPlan, UnplannableError } from '../../../src/plan/index.js';
import { DataError, InvalidArgumentError, OutOfMemoryError } from '../../../src/runtime/errors.js';
import {
  estimateStudy,
  performStudy,
  prepareStudy,
  type RunStudyOptions,
  readResult,
  runStudy,
  type StudyInput,
  type WrittenReport,
} from '../../../src/study/files/index.js';
import { type RunResult, runTitle } from '../../../src/study/index.js';
import { reportSchema, runResultSchema, studyConfigSchema } from '../../../src/study/schemas.js';
import { readRunConfig } from '../../../src/training/files/index.js';
import { startBackend } from '../../backends.js';
import { writeDataset } from '../../cli/dataset.js';

/** Memory of the machine in bytes, where a test makes it small. */
const machine = vi.hoisted((): { bytes: number | undefined } => ({ bytes: undefined }));
vi.mock('node:os', async (original) => {
  const os = await original<typeof import('node:os')>();
  return { ...os, totalmem: () => machine.bytes ?? os.totalmem() };
});

/** Why a test aborts. */
const enough = new Error('enough');

let folder = '';
/** A data set of eight images, slices of four patients. */
let patients = '';

beforeAll(async () => {
  await startBackend('wasm');
  folder = await mkdtemp(join(tmpdir(), 'study-'));
  patients = await writeDataset(join(folder, 'patients'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const small = {
  data: [{ source: 'phantom:lung', images: 8 }],
  models: ['unet', 'pyconvunet'],
  widths: [8, 16],
  size: [32, 32],
  epochs: 2,
  batch: 3,
  learningRate: 3e-3,
  seeds: [1, 2],
} as const satisfies StudyInput;

const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

/** Every file under a folder, as paths relative to it. */
async function filesUnder(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .flatMap((each) => (each.isFile() ? [join(each.parentPath, each.name).slice(root.length + 1)] : []))
    .sort();
}

const isOfRun = (path: string): boolean => path.startsWith('runs');

/** Bytes and times of what finished runs left. */
async function snapshot(root: string): Promise<Map<string, { bytes: string; time: number }>> {
  const found = new Map<string, { bytes: string; time: number }>();
  for (const path of (await filesUnder(root)).filter(isOfRun)) {
    const file = join(root, path);
    found.set(path, { bytes: (await readFile(file)).toString('base64'), time: (await stat(file)).mtimeMs });
  }
  return found;
}

/** What a run is made of but the seconds it took. */
const numbers = ({ secondsPerEpoch: _, secondsPerImage: __, ...rest }: RunResult) => rest;

/** Runs a study and says which runs were trained, epoch by epoch, and which were kept. */
async function study(input: StudyInput, options: RunStudyOptions) {
  const trained: string[] = [];
  const kept: string[] = [];
  const written = await runStudy(input, {
    ...options,
    onRun: (key, position) => {
      if (position.kept) kept.push(runTitle(key));
      options.onRun?.(key, position);
    },
    onEpoch: (epoch) => {
      trained.push(`${runTitle(epoch.key)}: ${epoch.epoch}/${epoch.epochs}`);
      options.onEpoch?.(epoch);
    },
  });
  return { ...written, trained, kept };
}

describe('a study of two networks with two seeds', () => {
  let out = '';
  let alone: WrittenReport & { trained: string[]; kept: string[] };

  beforeAll(async () => {
    out = join(folder, 'alone');
    alone = await study(small, { out });
  });

  it('trains each run in turn', () => {
    const runs = ['unet, 1', 'pyconvunet, 1', 'unet, 2', 'pyconvunet, 2'].map((each) =>
      each.replace(', ', ' on phantom-lung, seed '),
    );
    expect(alone.trained).toEqual(runs.flatMap((title) => [`${title}: 1/2`, `${title}: 2/2`]));
    expect(alone.kept).toEqual([]);
  });

  it('leaves its configuration, the report, and of each run the network, its history, result and masks', async () => {
    const validation = alone.report.runs[0]?.best.cases.map(({ name }) => name) ?? [];
    expect(validation).toHaveLength(2);
    const ofRun = ['config.json', 'history.json', ...validation.map((name) => `masks/${name}.png`), 'model.json'];
    const runs = ['pyconvunet/seed1', 'pyconvunet/seed2', 'unet/seed1', 'unet/seed2'];
    expect(await filesUnder(out)).toEqual(
      [
        ...runs.flatMap((run) =>
          [...ofRun, 'result.json', 'weights.bin'].map((file) => `runs/phantom-lung/${run}/${file}`),
        ),
        ...['report.html', 'report.json', 'study.json'],
      ].sort(),
    );
    expect(studyConfigSchema.parse(await json(join(out, 'study.json')))).toMatchObject({ epochs: 2, backend: 'wasm' });
  });

  it('ends with a report that fits its schema and is what was returned', async () => {
    expect(alone.json).toBe(join(out, 'report.json'));
    expect(alone.html).toBe(join(out, 'report.html'));
    expect(await readFile(alone.html, 'utf8')).toMatch(/^<!doctype html>/i);
    const report = reportSchema.parse(await json(alone.json));
    expect(report).toEqual(JSON.parse(JSON.stringify(alone.report)));
    expect(report.runs).toHaveLength(4);
    expect(report.rows.map(({ model }) => model)).toEqual(['unet', 'pyconvunet']);
    expect(report.datasets[0]).toMatchObject({ images: 8, train: 6, validation: 2, test: 0, split: 'images' });
    expect(report.machines).toMatchObject([{ backend: 'wasm', threads: 1 }]);
    expect(Object.keys(report.versions).sort()).toEqual(['node', 'pyconvunet', 'tfjs-core', 'tfjs-layers']);
  });

  it('has results whose scores are those of the history', async () => {
    for (const run of alone.report.runs) {
      const { valDice, valMeanIoU } = run.history;
      expect(valDice).toHaveLength(2);
      expect(run.last.epoch).toBe(2);
      expect(run.best.epoch).toBe(1 + valDice.indexOf(Math.max(...valDice.map(Number))));
      for (const part of [run.best, run.last]) {
        expect(part.dice).toBeCloseTo(valDice[part.epoch - 1] ?? Number.NaN, 6);
        expect(part.meanIoU).toBeCloseTo(valMeanIoU[part.epoch - 1] ?? Number.NaN, 6);
      }
      expect(run.secondsPerEpoch).toBeGreaterThan(0);
      expect(run.peakBytes.training).toBeGreaterThan(run.peakBytes.inference);
      const path = join(out, 'runs', 'phantom-lung', run.model, `seed${run.seed}`);
      expect(runResultSchema.parse(await json(join(path, 'result.json')))).toEqual(run);
      for (const each of run.best.cases) {
        const mask = join(path, 'masks', `${each.name}.png`);
        const [raster] = decodeImage(await readFile(mask), mask);
        const predicted = [...(raster?.data ?? [])].filter((value) => value === 255).length;
        expect(predicted).toBe(each.tp + each.fp);
      }
    }
  });

  it('is kept byte for byte by a second call, which trains nothing', async () => {
    const before = await snapshot(out);
    const again = await study(small, { out, onEstimate: () => expect.unreachable('Nothing is left to estimate.') });
    expect(again.trained).toEqual([]);
    expect(again.kept).toHaveLength(4);
    expect(await snapshot(out)).toEqual(before);
    expect(again.report).toEqual(alone.report);
  });

  it('goes on where it was stopped, and ends with the same numbers and weights', async () => {
    const stopped = join(folder, 'stopped');
    const controller = new AbortController();
    const first = study(small, {
      out: stopped,
      signal: controller.signal,
      onEpoch: ({ key, epoch }) => {
        if (key.model === 'pyconvunet' && epoch === 1) controller.abort(enough);
      },
    });
    await expect(first).rejects.toBe(enough);
    expect(await filesUnder(stopped)).not.toContain('report.json');
    const runs = join(stopped, 'runs', 'phantom-lung');
    expect(await readdir(join(runs, 'pyconvunet', 'seed1'))).toContain('checkpoint.json');
    expect(await readResult(join(runs, 'pyconvunet', 'seed1'))).toBeUndefined();
    const finished = await readFile(join(runs, 'unet', 'seed1', 'result.json'));

    const second = await study(small, { out: stopped });
    expect(second.kept).toEqual(['unet on phantom-lung, seed 1']);
    expect(second.trained[0]).toBe('pyconvunet on phantom-lung, seed 1: 2/2');
    expect(await readFile(join(runs, 'unet', 'seed1', 'result.json'))).toEqual(finished);
    expect(second.report.runs.map(numbers)).toEqual(alone.report.runs.map(numbers));
    const strip = (rows: WrittenReport['report']['rows']) => rows.map(({ best, last }) => ({ best, last }));
    expect(strip(second.report.rows)).toEqual(strip(alone.report.rows));
    expect(await filesUnder(stopped)).toEqual(await filesUnder(out));
    for (const file of (await filesUnder(out)).filter((path) => isOfRun(path) && !path.endsWith('result.json'))) {
      expect((await readFile(join(stopped, file))).equals(await readFile(join(out, file))), file).toBe(true);
    }
  });

  it('computes on more threads, also where it goes on with them, and comes to the same weights and scores', async () => {
    const input = { ...small, models: ['pyconvunet'], seeds: [1] } as const;
    const begun = join(folder, 'begun-on-one-thread');
    const controller = new AbortController();
    const onEpoch = () => controller.abort(enough);
    await expect(study(input, { out: begun, signal: controller.signal, onEpoch })).rejects.toBe(enough);
    const run = join('runs', 'phantom-lung', 'pyconvunet', 'seed1');
    const expected = alone.report.runs.find(({ model, seed }) => model === 'pyconvunet' && seed === 1);
    for (const place of [begun, join(folder, 'on-two-threads')]) {
      const { report } = await study({ ...input, threads: 2 }, { out: place });
      expect(report.config.threads).toBe(2);
      expect(report.runs[0]?.machine.threads).toBe(2);
      const execution = { planned: true, reason: null, threads: 2, threadProblem: null };
      expect(report.runs[0]?.execution).toEqual(execution);
      expect(report.runs[0]?.best).toEqual(expected?.best);
      expect(report.runs[0]?.history).toEqual(expected?.history);
      expect(
        (await readFile(join(place, run, 'weights.bin'))).equals(await readFile(join(out, run, 'weights.bin'))),
      ).toBe(true);
    }
    expect(await json(join(begun, run, 'config.json'))).toMatchObject({ threads: 1 });
    expect(await json(join(folder, 'on-two-threads', run, 'config.json'))).toMatchObject({ threads: 2 });
  });

  it('takes batches in pieces, which its estimate, its configuration and its memory tell', async () => {
    const input = { ...small, models: ['unet'], seeds: [1], epochs: 1, microBatch: 1 } as const;
    const out = join(folder, 'pieces');
    const prepared = await prepareStudy(input, out);
    const [pieces] = await estimateStudy(prepared);
    const [whole] = await estimateStudy(await prepareStudy({ ...input, microBatch: 3 }, join(folder, 'whole')));
    expect(pieces?.bytes).toBeLessThan(whole?.bytes ?? 0);
    const [result] = await performStudy(prepared);
    const [expected] = alone.report.runs;
    expect(result?.peakBytes.training).toBeLessThan(0.8 * (expected?.peakBytes.training ?? 0));
    expect(await readRunConfig(join(out, 'runs', 'phantom-lung', 'unet', 'seed1'))).toMatchObject({
      ...{ batch: 3, microBatch: 1 },
    });
    // Written before there were micro-batches, study.json is that of whole batches.
    const { microBatch: _, ...earlier } = studyConfigSchema.parse(await json(join(out, 'study.json')));
    expect(studyConfigSchema.parse(earlier)).toEqual({ ...earlier, microBatch: null });
  });

  it('says of a run whose steps were not planned that no more than one thread computed', async () => {
    const prepare = vi.spyOn(TrainingPlan.prototype, 'prepare').mockImplementation(() => {
      throw new UnplannableError('layer x has no rule');
    });
    const input = { ...small, models: ['unet'], seeds: [1], epochs: 1, threads: 2 } as const;
    const { report, html, json: path } = await study(input, { out: join(folder, 'not-planned') });
    prepare.mockRestore();
    const written = reportSchema.parse(await json(path));
    expect(written.runs[0]?.execution).toEqual({
      ...{ planned: false, reason: 'layer x has no rule', threads: 1, threadProblem: null },
    });
    expect(written.machines).toMatchObject([{ backend: 'wasm', threads: 1 }]);
    expect(report.config.threads).toBe(2);
    expect(await readFile(html, 'utf8')).toContain(
      'U-Net: training steps were not planned, but taken layer by layer (layer x has no rule).',
    );
  });

  it('takes the result of an earlier version, which does not say how its steps were taken', async () => {
    const earlier = join(folder, 'earlier');
    const input = { ...small, models: ['unet'], seeds: [1], epochs: 1 } as const;
    await study(input, { out: earlier });
    const path = join(earlier, 'runs', 'phantom-lung', 'unet', 'seed1', 'result.json');
    const { execution: _, ...before } = runResultSchema.parse(await json(path));
    await writeFile(path, JSON.stringify(before));
    const { report, kept } = await study(input, { out: earlier });
    expect(kept).toHaveLength(1);
    expect(report.runs).toEqual([before]);
  });

  it.each([
    ['its last step and its last validation', 'step'],
    ['its last epoch and its result', 'epoch'],
  ])('takes a run up again that was stopped between %s', async (_title, moment) => {
    const scored = join(folder, `stopped-after-${moment}`);
    const input = { ...small, models: ['unet'], seeds: [1] } as const;
    const controller = new AbortController();
    const first = study(input, {
      out: scored,
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        if (moment === 'step' && done === total) controller.abort(enough);
      },
      onEpoch: ({ epoch, epochs }) => {
        if (moment === 'epoch' && epoch === epochs) controller.abort(enough);
      },
    });
    await expect(first).rejects.toBe(enough);
    const { report, trained } = await study(input, { out: scored });
    expect(trained).toEqual(moment === 'step' ? ['unet on phantom-lung, seed 1: 2/2'] : []);
    // No step was left of which the last call could say how it was taken.
    const expected = alone.report.runs.slice(0, 1).map((run) => ({ ...numbers(run), execution: null }));
    expect(report.runs.map(numbers)).toEqual(expected);
  });

  it('begins a run anew that ended before its first state', async () => {
    const begun = join(folder, 'begun');
    const input = { ...small, models: ['unet'], seeds: [1] } as const;
    const prepared = await prepareStudy(input, begun);
    const [run] = prepared.runs;
    if (run === undefined) throw new Error('There is a run.');
    await mkdir(run.folder, { recursive: true });
    await writeFile(join(run.folder, 'config.json'), JSON.stringify(run.config));
    await writeFile(join(run.folder, 'history.json.1.tmp'), 'half');
    await writeFile(join(begun, 'study.json'), JSON.stringify(prepared.config));
    const { report } = await study(input, { out: begun });
    expect(report.runs.map(numbers)).toEqual(alone.report.runs.slice(0, 1).map(numbers));
    expect(await readdir(run.folder)).not.toContain('history.json.1.tmp');
  });

  it.each([
    [{ epochs: 3 }, 'epochs was 2 and is now 3'],
    [{ batch: 2 }, 'batch was 3 and is now 2'],
    [{ learningRate: 1e-3 }, 'learningRate was 0.003 and is now 0.001'],
    [{ widths: [8, 24] }, 'widths was [8,16] and is now [8,24]'],
    [{ loss: 'dice' }, 'loss was "bce" and is now "dice"'],
    [{ augment: 'expand' }, 'augment was "random" and is now "expand"'],
    [{ size: [32, 64] }, 'size was '],
    [{ splitSeed: 5 }, 'splitSeed was 0 and is now 5'],
    [{ seeds: [2] }, 'seeds was [1,2] and is now [2]'],
    [{ models: ['unet'] }, 'models was ["unet","pyconvunet"] and is now ["unet"]'],
    [{ test: 0.2 }, 'test was 0 and is now 0.2'],
    [{ validation: 0.5 }, 'validation was 0.2 and is now 0.5'],
    [{ data: [{ source: 'phantom:cell', images: 8, name: 'phantom-lung' }] }, 'parts was {"train":["lung_000",'],
    [{ data: [{ source: 'phantom:lung', images: 9 }] }, 'parts was '],
  ] satisfies [StudyInput, string][])('refuses other settings in its folder: %j', async (change, sentence) => {
    const before = await snapshot(out);
    const refused = runStudy({ ...small, ...change }, { out });
    await expect(refused).rejects.toThrow(DataError);
    await expect(refused).rejects.toThrow(/ holds a (run|study) with other settings: /);
    await expect(refused).rejects.toThrow(sentence);
    await expect(refused).rejects.toThrow('Give another --out');
    expect(await snapshot(out)).toEqual(before);
  });

  it('takes another seed and another network, and keeps the runs that there are', async () => {
    const before = await snapshot(out);
    const more = await study({ ...small, epochs: 2, models: [...small.models, 'fcn8s'], seeds: [1, 2, 3] }, { out });
    expect(more.kept).toHaveLength(4);
    expect(new Set(more.trained.map((each) => each.split(':')[0]))).toEqual(
      new Set([
        ...['fcn8s on phantom-lung, seed 1', 'fcn8s on phantom-lung, seed 2'],
        ...['unet', 'pyconvunet', 'fcn8s'].map((model) => `${model} on phantom-lung, seed 3`),
      ]),
    );
    const after = await snapshot(out);
    for (const [path, file] of before) expect(after.get(path), path).toEqual(file);
    expect(more.report.runs).toHaveLength(9);
    expect(reportSchema.parse(await json(more.json)).rows).toHaveLength(3);
  });
});

describe('runs are runs', () => {
  it('reports progress over all steps, which never falls', async () => {
    const done: number[] = [];
    const totals = new Set<number>();
    const runs: number[] = [];
    const estimates: number[] = [];
    await runStudy(
      { ...small, epochs: 1, seeds: [1] },
      {
        out: join(folder, 'progress'),
        onEstimate: (all) => estimates.push(...all.map(({ steps }) => steps)),
        onProgress: (progress) => {
          done.push(progress.done);
          totals.add(progress.total);
          runs.push(progress.run);
        },
      },
    );
    expect([...totals]).toEqual([4]);
    expect(estimates).toEqual([2, 2]);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(4);
    expect(new Set(runs)).toEqual(new Set([1, 2]));
  });

  it('leaves no tensor behind, even where it is aborted', async () => {
    const input = { ...small, models: ['pyconvunet'], seeds: [0] } as const;
    const before = tf.memory().numTensors;
    await runStudy(input, { out: join(folder, 'leaks') });
    expect(tf.memory().numTensors).toBe(before);
    const controller = new AbortController();
    const aborted = runStudy(input, {
      out: join(folder, 'leaks-aborted'),
      signal: controller.signal,
      onEpoch: () => controller.abort(enough),
    });
    await expect(aborted).rejects.toBe(enough);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('of UNet++ with deep supervision, its best epoch loaded and scored', async () => {
    const { report } = await runStudy(
      { ...small, models: ['unet++'], deepSupervision: true, widths: [4, 8, 12], seeds: [1] },
      { out: join(folder, 'supervised') },
    );
    const [run] = report.runs;
    expect(run?.best.dice).toBeCloseTo(run?.history.valDice[(run?.best.epoch ?? 0) - 1] ?? Number.NaN, 6);
    const config = await readRunConfig(join(folder, 'supervised', 'runs', 'phantom-lung', 'unet++', 'seed1'));
    expect(config.deepSupervision).toBe(true);
  });

  it('with folds score every image once, and with a test part that no fold sees', async () => {
    const out = join(folder, 'folds');
    const { report } = await runStudy(
      {
        ...small,
        data: [{ source: patients, name: 'patients', groupBy: '^(p\\d+)_' }],
        ...{ models: ['unet'], seeds: [1], epochs: 1, folds: 3, test: 0.25 },
      },
      { out },
    );
    expect(report.runs.map(({ fold }) => fold)).toEqual([1, 2, 3]);
    const validated = report.runs.flatMap(({ best }) => best.cases.map(({ name }) => name));
    const tested = report.runs[0]?.test?.cases.map(({ name }) => name) ?? [];
    expect([validated.length, tested.length]).toEqual([6, 2]);
    expect(new Set([...validated, ...tested]).size).toBe(8);
    expect(report.datasets[0]).toMatchObject({ folds: 3, split: 'groups', groups: 4, test: 2, origin: null });
    const [row] = report.rows;
    expect(row?.best.confidence).toMatchObject({ unit: 'group', n: 3 });
    expect(row?.test?.perImage.dice).toMatchObject({ n: 2 });
    expect(await readdir(join(out, 'runs', 'patients', 'unet'))).toEqual(['seed1-fold1', 'seed1-fold2', 'seed1-fold3']);
    expect(report.definitions.join(' ')).toContain('in 3 folds');
    // The same again is kept: settings of a folder's data survive their way through JSON.
    const again = await study(
      {
        ...small,
        data: [{ source: patients, name: 'patients', groupBy: '^(p\\d+)_' }],
        ...{ models: ['unet'], seeds: [1], epochs: 1, folds: 3, test: 0.25 },
      },
      { out },
    );
    expect(again.kept).toHaveLength(3);
  });

  it('of one specimen have blocks for parts, one unit, and no interval', async () => {
    const { report } = await runStudy(
      {
        ...small,
        data: [{ source: patients, blocks: true, images: 7, window: [128, 256] }],
        ...{ models: ['unet'], seeds: [1], epochs: 1, validation: 0.3 },
      },
      { out: join(folder, 'blocks') },
    );
    expect(report.datasets[0]).toMatchObject({
      split: 'blocks',
      groups: 1,
      images: 7,
      window: [128, 256],
      validation: 2,
    });
    const { confidence } = report.rows[0]?.best ?? {};
    expect(confidence).toMatchObject({ dice: null, unit: 'group', n: 1 });
    expect(confidence?.reason).toBeTruthy();
    const places = report.runs[0]?.best.cases.map(({ name }) => Number(name.split('_s')[1])) ?? [];
    expect(places).toHaveLength(2);
    expect(report.runs[0]?.best.cases.map(({ group }) => group)).toEqual(['specimen', 'specimen']);
  });
});

describe('an estimate', () => {
  it('comes without a step, for every run, and says which have finished', async () => {
    const out = join(folder, 'estimate');
    const input = { ...small, epochs: 1, seeds: [1], augment: 'expand' } as const;
    await performStudy(await prepareStudy({ ...input, models: ['unet'] }, out));
    const before = await filesUnder(out);
    const estimates = await estimateStudy(await prepareStudy({ ...input, epochs: 1 }, out));
    expect(estimates.map(({ model, steps, finished }) => ({ model, steps, finished }))).toEqual([
      // Six images, five times, in batches of three.
      { model: 'unet', steps: 10, finished: true },
      { model: 'pyconvunet', steps: 10, finished: false },
    ]);
    for (const { seconds, bytes } of estimates) {
      expect(seconds).toBeGreaterThan(0);
      expect(bytes).toBeGreaterThan(2 ** 25);
    }
    expect(await filesUnder(out)).toEqual(before);
  });
});

describe('refused before the first step', () => {
  const fresh = () => join(folder, 'refused');
  const refusedWith = async (input: StudyInput, kind: new (message: string) => Error, sentence: string | RegExp) => {
    const refused = runStudy(input, { out: fresh(), onEpoch: () => expect.unreachable('Nothing is trained.') });
    await expect(refused).rejects.toThrow(kind);
    await expect(refused).rejects.toThrow(sentence);
    await expect(stat(fresh())).rejects.toThrow('ENOENT');
  };

  it('what does not fit into memory, every network of it', async () => {
    machine.bytes = 40e6;
    try {
      await refusedWith(
        { ...small, data: [{ source: 'phantom:cell', images: 8 }], models: ['unet', 'pyconvunet'], widths: [48, 96] },
        OutOfMemoryError,
        /^unet on phantom-cell: A training step of 3 images of 32x32 needs about 0\.\d\d GiB, and backend wasm can hold 0\.04 GiB here\. .+\npyconvunet on phantom-cell: A training step of 3 images of 32x32/,
      );
    } finally {
      machine.bytes = undefined;
    }
  });

  it('a size that a network cannot take', () =>
    refusedWith(
      { ...small, models: ['unet', 'fcn8s'], widths: [4, 8, 16], size: [36, 30] },
      InvalidArgumentError,
      'unet on phantom-lung, seed 1: the network takes heights and widths that are multiples of 4. Received: images of 36x30. Give another --size.',
    ));

  it('a data set without foreground', async () => {
    const empty = join(folder, 'empty');
    for (const part of ['image', 'mask']) {
      await mkdir(join(empty, part), { recursive: true });
      for (const name of ['a', 'b', 'c']) {
        const data = new Uint8Array(32 * 32).map((_, i) => (part === 'mask' ? 0 : i % 200));
        await writeFile(join(empty, part, `${name}.png`), encodePng({ width: 32, height: 32, channels: 1, data }));
      }
    }
    await refusedWith(
      { ...small, data: [{ source: empty }] },
      DataError,
      'Data set empty: no mask holds any foreground, so that there is nothing to learn.',
    );
  });

  it('fewer images than a group has', () =>
    refusedWith(
      { ...small, data: [{ source: patients, groupBy: 'volume', images: 1 }] },
      DataError,
      'Data set patients: images 1 is fewer than any group (patient or volume) has. Give more images.',
    ));

  it('a phantom or folder that is not there', async () => {
    await refusedWith({ ...small, data: [{ source: 'phantom:brain' }] }, DataError, /brain/);
    await refusedWith({ ...small, data: [{ source: join(folder, 'nowhere') }] }, DataError, /nowhere/);
  });

  it('more folds than there are images', () =>
    refusedWith({ ...small, folds: 9 }, InvalidArgumentError, '9 folds need at least 9 groups'));

  it('a backend that is not the active one', () =>
    refusedWith(
      { ...small, backend: 'cpu' },
      InvalidArgumentError,
      "The study is to run on backend cpu, but wasm is active. Call useBackend('cpu') first, or leave backend out.",
    ));

  it('a folder that holds anything else', async () => {
    const out = join(folder, 'foreign');
    await mkdir(out);
    await writeFile(join(out, 'thesis.tex'), 'years of work');
    const refused = runStudy(small, { out });
    await expect(refused).rejects.toThrow(DataError);
    await expect(refused).rejects.toThrow(
      `${out} holds something that is no study (thesis.tex). Give a new folder as --out.`,
    );
    expect(await readdir(out)).toEqual(['thesis.tex']);
    const file = join(out, 'thesis.tex');
    await expect(runStudy(small, { out: file })).rejects.toThrow(`${file} cannot be the folder of a study: `);
  });

  it('a result that is damaged, which is never overwritten', async () => {
    const out = join(folder, 'damaged');
    const prepared = await prepareStudy(small, out);
    const [run] = prepared.runs;
    if (run === undefined) throw new Error('There is a run.');
    await mkdir(run.folder, { recursive: true });
    await writeFile(join(run.folder, 'config.json'), JSON.stringify(run.config));
    await writeFile(join(run.folder, 'result.json'), '{"formatVersion": 1}');
    await writeFile(join(out, 'study.json'), JSON.stringify(prepared.config));
    const refused = runStudy(small, { out });
    await expect(refused).rejects.toThrow(DataError);
    await expect(refused).rejects.toThrow(`${join(run.folder, 'result.json')} is damaged: `);
    await expect(refused).rejects.toThrow('Remove the folder, so that the run is made again.');
  });

  it('a signal that was aborted before', async () => {
    const signal = AbortSignal.abort(new Error('not today'));
    await expect(runStudy(small, { out: fresh(), signal })).rejects.toThrow('not today');
    await expect(stat(fresh())).rejects.toThrow('ENOENT');
  });
});
