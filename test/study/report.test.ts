/** The report's numbers against hand-made ones and against the metrics, and the cases of Fig. 4 on masks drawn by hand. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { phantom, prepareSamples, type Sample, split } from '../../src/data/index.js';
import { ConfusionMatrix } from '../../src/metrics/index.js';
import type { NetworkName } from '../../src/models/index.js';
import { Random } from '../../src/runtime/random.js';
import { resolveStudy, type StudyInput } from '../../src/study/files/index.js';
import { type CaseResult, listRuns, type RunKey, type RunResult, type StudyConfig } from '../../src/study/index.js';
import { partsOfStudy } from '../../src/study/parts.js';
import { assembleReport, type ReportData } from '../../src/study/report/assemble.js';
import { definitionsOf } from '../../src/study/report/definitions.js';
import { chooseCases, disagreement, inFigureOrder, markedArea } from '../../src/study/report/figure4.js';
import { byImage, comparedCases, summarizePart } from '../../src/study/report/partSummary.js';
import { comparisonsOf, rowsOf } from '../../src/study/report/rows.js';
import { reportSchema } from '../../src/study/schemas.js';

beforeAll(() => tf.setBackend('cpu'));

interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

/** A case with these counts; its boundaries and objects are made up. */
function caseOf(name: string, counts: Counts, more: Partial<CaseResult> = {}): CaseResult {
  const { tp, fp, fn } = counts;
  const empty = tp + fp + fn === 0;
  return {
    ...{ name, group: null, ...counts },
    dice: empty ? 1 : (2 * tp) / (2 * tp + fp + fn),
    iou: empty ? 1 : tp / (tp + fp + fn),
    ...{ surfaceDice: 0.5, hausdorff95: 3, objects: 2, missed: 1, spurious: 0 },
    ...more,
  };
}

describe('a part', () => {
  const seeds = [
    {
      seed: 1,
      cases: [
        caseOf('a', { tp: 6, fp: 2, fn: 0, tn: 8 }),
        caseOf('b', { tp: 0, fp: 0, fn: 0, tn: 16 }, { hausdorff95: null, objects: 0, missed: 0, spurious: 0 }),
      ],
    },
    {
      seed: 7,
      // In another order: images are told apart by their names.
      cases: [
        caseOf('b', { tp: 0, fp: 2, fn: 0, tn: 14 }, { hausdorff95: null, objects: 0, missed: 0, spurious: 2 }),
        caseOf('a', { tp: 3, fp: 0, fn: 3, tn: 10 }, { hausdorff95: 5 }),
      ],
    },
  ];

  it('is summarised as by hand', () => {
    const part = summarizePart(seeds);
    // Seed 1: tp 6, fp 2, fn 0, tn 24. Seed 7: tp 3, fp 2, fn 3, tn 24.
    const [one, seven] = [
      { dice: 12 / 14, meanIoU: (6 / 8 + 24 / 26) / 2 },
      { dice: 6 / 11, meanIoU: (3 / 8 + 24 / 29) / 2 },
    ];
    expect(part.bySeed).toEqual([
      { seed: 1, ...one },
      { seed: 7, ...seven },
    ]);
    expect(part.dice).toBeCloseTo((one.dice + seven.dice) / 2, 14);
    expect(part.meanIoU).toBeCloseTo((one.meanIoU + seven.meanIoU) / 2, 14);
    // The sample's standard deviation of two numbers.
    expect(part.seedSd.dice).toBeCloseTo(Math.abs(one.dice - seven.dice) / Math.SQRT2, 14);
    expect(part.seedSd.meanIoU).toBeCloseTo(Math.abs(one.meanIoU - seven.meanIoU) / Math.SQRT2, 14);
    // Each image the mean over seeds: a (12/14, 6/9), b (1, 0).
    const [a, b] = [(12 / 14 + 6 / 9) / 2, 0.5];
    expect(part.perImage.dice).toMatchObject({ n: 2, undefined: 0, min: b, max: a });
    expect(part.perImage.dice.mean).toBeCloseTo((a + b) / 2, 14);
    expect(part.perImage.iou.mean).toBeCloseTo(((6 / 8 + 3 / 6) / 2 + 0.5) / 2, 14);
    expect(part.perImage.hausdorff95).toMatchObject({ n: 1, undefined: 1, mean: 4 });
    expect(part).toMatchObject({ objects: 4, missed: 2, spurious: 2, emptyCases: 1 });
    expect(part.confidence).toMatchObject({ unit: 'image', n: 2, level: 0.95 });
  });

  it('has no spread with one seed', () => {
    expect(summarizePart(seeds.slice(0, 1)).seedSd).toEqual({ dice: null, meanIoU: null });
  });

  it('draws patients where the images have them', () => {
    const cases = ['a', 'b', 'c'].map((name, i) =>
      caseOf(name, { tp: 5 + i, fp: 1, fn: 2, tn: 8 }, { group: i < 2 ? 'p1' : 'p2' }),
    );
    expect(summarizePart([{ seed: 0, cases }]).confidence).toMatchObject({ unit: 'group', n: 2 });
  });

  it('refuses seeds that scored other images', () => {
    const other = { seed: 9, cases: [caseOf('c', { tp: 1, fp: 0, fn: 0, tn: 15 })] };
    expect(() => byImage([...seeds, other])).toThrow('Seed 9 did not score a.');
  });

  it('is compared case by case with the counts of every seed', () => {
    const compared = comparedCases(seeds);
    expect(compared.map(({ name, counts }) => [name, counts.map(({ tp, fp, fn }) => [tp, fp, fn])])).toEqual([
      [
        'a',
        [
          [6, 2, 0],
          [3, 0, 3],
        ],
      ],
      [
        'b',
        [
          [0, 0, 0],
          [0, 2, 0],
        ],
      ],
    ]);
    expect(compared.every((each) => !('group' in each))).toBe(true);
  });

  it('equals what ConfusionMatrix makes of the pixels of all images', async () => {
    const random = new Random(4);
    const matrix = new ConfusionMatrix({ numClasses: 2, threshold: 0.5, emptyPolicy: 'one' });
    const cases: CaseResult[] = [];
    for (let i = 0; i < 6; i++) {
      const yTrue = Uint8Array.from({ length: 40 }, () => (random.integer(10) < i ? 1 : 0));
      const yPred = Float32Array.from({ length: 40 }, (_, j) =>
        (yTrue[j] === 1) === random.integer(4) > 0 ? 0.9 : 0.1,
      );
      await matrix.update(yTrue, yPred);
      const count = (truth: number, isForeground: boolean) =>
        yTrue.filter((label, j) => label === truth && (yPred[j] ?? 0) >= 0.5 === isForeground).length;
      const counts = { tp: count(1, true), fp: count(0, true), fn: count(1, false), tn: count(0, false) };
      cases.push(caseOf(`${i}`, counts));
    }
    const part = summarizePart([{ seed: 0, cases }]);
    expect(part.dice).toBeCloseTo(matrix.result({ classes: 'foreground' }).dice ?? Number.NaN, 12);
    expect(part.meanIoU).toBeCloseTo(matrix.result({ classes: 'all' }).meanIoU ?? Number.NaN, 12);
  });
});

/** A study of phantoms without running it. */
const studyOf = (input: StudyInput = {}): StudyConfig =>
  resolveStudy({
    data: [{ source: 'phantom:lung', images: 10 }],
    ...{ models: ['unet', 'pyconvunet'], widths: [8, 16], size: [32, 32], epochs: 2, seeds: [1, 2] },
    ...input,
  });

const { samples } = prepareSamples(phantom('lung', { count: 10, size: 32 }));

function dataOf(config: StudyConfig): ReportData[] {
  return config.data.map((dataset) => ({
    dataset,
    samples,
    blocks: dataset.blocks,
    splits: partsOfStudy(samples, config, dataset.blocks),
  }));
}

/** Dice of a part of ten thousand pixels whose foreground is half: an exact number of pixels is right. */
const quality: Readonly<Record<string, number>> = { unet: 40, pyconvunet: 44, fcn8s: 30 };

/** What a run would have written: every image scored by the network's quality, the seed and the part. */
function resultOf(
  key: RunKey,
  { validation, test }: { validation: readonly Sample[]; test: readonly Sample[] },
): RunResult {
  const score = (part: readonly Sample[], offset: number) => {
    const cases = part.map(({ name }, i) => {
      const tp = (quality[key.model] ?? 20) + key.seed + offset + (i % 3);
      return caseOf(name, { tp, fp: 50 - tp, fn: 60 - tp, tn: 1000 });
    });
    // What the run itself computed is not read again.
    return { dice: 0.5, meanIoU: 0.5, cases };
  };
  return {
    ...{ formatVersion: 1, ...key },
    history: { loss: [0.7, 0.5], valLoss: [0.6, 0.4], valMeanIoU: [0.5, 0.6], valDice: [0.5, 0.6] },
    best: { epoch: 1, ...score(validation, 2) },
    last: { epoch: 2, ...score(validation, 0) },
    test: test.length === 0 ? null : score(test, -5),
    secondsPerEpoch: key.seed,
    secondsPerImage: 0.1 * key.seed,
    peakBytes: { training: 1000 * key.seed, inference: 100 * key.seed },
    machine: { backend: 'wasm', threads: 1, processor: 'a processor', system: 'a system' },
  };
}

const resultsOf = (config: StudyConfig): RunResult[] =>
  listRuns(config).map((key) => {
    const parts = partsOfStudy(samples, config, false)[(key.fold ?? 1) - 1];
    if (parts === undefined) throw new Error('Every fold has its parts.');
    return resultOf(key, parts);
  });

describe('rows', () => {
  it('hold the medians and maxima of the runs, best and last epoch apart', () => {
    const config = studyOf({ seeds: [1, 2, 4] });
    const rows = rowsOf(config, resultsOf(config));
    expect(rows.map(({ model, dataset }) => `${model} on ${dataset}`)).toEqual([
      'unet on phantom-lung',
      'pyconvunet on phantom-lung',
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({ secondsPerEpoch: 2, secondsPerImage: 0.2, test: null });
      expect(row.peakBytes).toEqual({ training: 4000, inference: 400 });
      expect(row.best.dice).toBeGreaterThan(row.last.dice);
      expect(row.best.bySeed.map(({ seed }) => seed)).toEqual([1, 2, 4]);
    }
    // Two images: 43 and 44 of U-Net with seed 1 at its best epoch, 41 and 42 at its last.
    expect(rows[0]?.best.bySeed[0]?.dice).toBeCloseTo((2 * 87) / (2 * 110), 12);
    expect(rows[0]?.last.bySeed[0]?.dice).toBeCloseTo((2 * 83) / (2 * 110), 12);
  });

  it('add up the counts of all folds, and take the test part from one', () => {
    const config = studyOf({ folds: 4, test: 0.2, seeds: [1] });
    const results = resultsOf(config);
    const [row] = rowsOf(config, results);
    const own = results.filter(({ model }) => model === 'unet');
    expect(own).toHaveLength(4);
    const cases = own.flatMap(({ best }) => best.cases);
    expect(cases).toHaveLength(8);
    const tp = cases.reduce((sum, each) => sum + each.tp, 0);
    expect(row?.best.dice).toBeCloseTo((2 * tp) / (8 * 110), 12);
    expect(row?.best.perImage.dice.n).toBe(8);
    // U-Net with seed 1 on two images: 36 and 37 of the foreground are found.
    expect(row?.test?.perImage.dice.n).toBe(2);
    expect(row?.test?.dice).toBeCloseTo((2 * 73) / (2 * 110), 12);
  });

  it('have no seconds of an epoch where every run was interrupted', () => {
    const config = studyOf();
    const results = resultsOf(config).map((run) => ({ ...run, secondsPerEpoch: null }));
    expect(rowsOf(config, results)[0]?.secondsPerEpoch).toBeNull();
    const [first, ...rest] = results;
    if (first === undefined) throw new Error('There are runs.');
    expect(rowsOf(config, [{ ...first, secondsPerEpoch: 9 }, ...rest])[0]?.secondsPerEpoch).toBe(9);
  });
});

describe('comparisons', () => {
  it('are made on the validation part where there is no test part', () => {
    const config = studyOf({ models: ['unet', 'pyconvunet', 'fcn8s'] });
    const [comparison] = comparisonsOf(config, resultsOf(config));
    expect(comparison).toMatchObject({ dataset: 'phantom-lung', part: 'validation' });
    expect(comparison?.pairs.map(({ a, b }) => `${a}-${b}`)).toEqual([
      'unet-pyconvunet',
      'unet-fcn8s',
      'pyconvunet-fcn8s',
    ]);
    // Four more of the pixels of each image, at the best epoch: 2 * 4 / 110.
    expect(comparison?.pairs[0]?.difference).toBeCloseTo(-8 / 110, 12);
    expect(comparison?.pairs[0]?.n).toBe(2);
    // Two images separate nothing.
    expect(comparison?.best.name).toBeNull();
    expect(comparison?.best.reason).toMatch(/^pyconvunet is not separated from unet/);
  });

  it('are made on the test part where there is one, each image once', () => {
    const config = studyOf({ test: 0.3, folds: 2 });
    const [comparison] = comparisonsOf(config, resultsOf(config));
    expect(comparison?.part).toBe('test');
    expect(comparison?.pairs[0]?.n).toBe(3);
  });

  it('of one network are none', () => {
    const config = studyOf({ models: ['unet'] });
    expect(comparisonsOf(config, resultsOf(config))).toEqual([
      {
        ...{ dataset: 'phantom-lung', part: 'validation', pairs: [] },
        best: { name: null, reason: 'unet has no other model beside it' },
      },
    ]);
  });
});

/** A mask from rows of text: # is foreground. */
const drawn = (...rows: string[]): Uint8Array => Uint8Array.from(rows.join(''), (mark) => (mark === '#' ? 1 : 0));

function drawnSample(name: string, ...rows: string[]): Sample {
  const [first = ''] = rows;
  const [width, height] = [first.length, rows.length];
  return { name, width, height, channels: 1, image: new Float32Array(width * height), mask: drawn(...rows) };
}

describe('disagreement', () => {
  it('is p (1 - p) of the share of networks', () => {
    const masks = [drawn('##..'), drawn('#.#.'), drawn('#...'), drawn('##..')];
    expect([...disagreement(masks)]).toEqual([0, 0.25, 0.1875, 0]);
    expect([...disagreement([])]).toEqual([]);
  });
});

describe('the marked area', () => {
  const truth = drawnSample(
    'truth',
    ...['........', '.##.....', '.##.....', '........', '........', '.....##.', '.....##.', '........'],
  );

  it('is the square of a quarter of the side where the networks disagree most', () => {
    const both = truth.mask;
    const one = drawn(
      ...['........', '.##.....', '.##.....', '........', '........', '........', '......#.', '........'],
    );
    expect(markedArea(truth, [both, one])).toEqual({ x: 5, y: 5, width: 2, height: 2 });
    expect(markedArea(truth, [one, both])).toEqual({ x: 5, y: 5, width: 2, height: 2 });
  });

  it('is where they are wrong where they agree, and nothing where all are right', () => {
    const wrong = drawn(
      ...['........', '........', '........', '........', '........', '.....##.', '.....##.', '........'],
    );
    expect(markedArea(truth, [wrong, wrong])).toEqual({ x: 1, y: 1, width: 2, height: 2 });
    expect(markedArea(truth, [wrong])).toEqual({ x: 1, y: 1, width: 2, height: 2 });
    expect(markedArea(truth, [truth.mask, truth.mask])).toBeNull();
  });

  it('lies within an image that is not square, at its last corner too', () => {
    const wide = drawnSample('wide', ...['............', '............', '............', '...........#']);
    expect(markedArea(wide, [wide.mask, new Uint8Array(48)])).toEqual({ x: 11, y: 3, width: 1, height: 1 });
    const tall = drawnSample('tall', ...['#.', '..', '..', '..', '..']);
    expect(markedArea(tall, [new Uint8Array(10)])).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });

  it('is not one of rounding where nothing differs', () => {
    // Three of seven networks everywhere: the sums of a square differ from each other by rounding alone.
    const flat = drawnSample('flat', ...Array.from({ length: 8 }, () => '########'));
    const masks = Array.from({ length: 7 }, (_, i) => (i < 3 ? flat.mask : new Uint8Array(64)));
    expect(markedArea(flat, masks)).toEqual({ x: 0, y: 0, width: 2, height: 2 });
  });
});

describe('the cases of Fig. 4', () => {
  const scored = (name: string, unet: string, pyconvunet: string, dice: readonly [number | null, number | null]) => ({
    sample: drawnSample(name, '##..'),
    predictions: [
      { model: 'unet' as NetworkName, mask: drawn(unet), dice: dice[0] },
      { model: 'pyconvunet' as NetworkName, mask: drawn(pyconvunet), dice: dice[1] },
    ],
  });
  const good = scored('good', '##..', '##..', [1, 1]);
  const fair = scored('fair', '#...', '##..', [0.67, 1]);
  const split_ = scored('split', '##..', '..##', [1, 0]);
  const bad = scored('bad', '..##', '..##', [0, 0]);
  const poor = scored('poor', '.##.', '.##.', [0.5, 0.5]);

  it('are that of the largest disagreement, that of the lowest Dice, and the median of the rest', () => {
    const chosen = chooseCases('lung', [good, fair, split_, bad, poor]);
    expect(chosen.map(({ reason, sample: { name }, dataset }) => [reason, name, dataset])).toEqual([
      ['largest disagreement', 'split', 'lung'],
      ['lowest Dice', 'bad', 'lung'],
      ['median Dice', 'fair', 'lung'],
    ]);
    expect(chosen[0]?.marked).toEqual({ x: 0, y: 0, width: 1, height: 1 });
    expect(chosen[0]?.predictions).toBe(split_.predictions);
  });

  it('never show a case twice', () => {
    const worst = scored('worst', '##..', '..##', [0, 0]);
    expect(chooseCases('lung', [good, worst]).map(({ sample: { name } }) => name)).toEqual(['worst', 'good']);
    expect(chooseCases('lung', [worst]).map(({ reason }) => reason)).toEqual(['largest disagreement']);
    expect(chooseCases('lung', [])).toEqual([]);
  });

  it('show the networks in the paper’s order', () => {
    expect(inFigureOrder(['pyconvunet', 'fcn8s', 'unet', 'unet++'])).toEqual(['unet', 'unet++', 'fcn8s', 'pyconvunet']);
    expect(inFigureOrder(resolveStudy({ protocol: 'quick' }).models)).toHaveLength(7);
  });
});

describe('the definitions', () => {
  const text = (input: StudyInput) => definitionsOf(studyOf(input)).join('\n');

  it('say how few seeds there were', () => {
    expect(text({ seeds: [3] })).toContain('One seed a network: an engineering check, no claim about networks.');
    expect(text({ seeds: [3, 4] })).toContain('Two seeds a network: an engineering check');
    expect(text({ seeds: [3, 4, 5] })).not.toContain('engineering check');
  });

  it('say that phantoms are generated', () => {
    expect(text({})).toContain('Phantoms are generated images: they show that training works');
    expect(text({ data: [{ source: 'folder' }] })).not.toContain('Phantoms');
    expect(text({ data: [{ source: 'folder' }, { source: 'phantom:cell' }] })).toContain('Phantoms');
  });

  it('say on what the best epoch was chosen, and where the parts come from', () => {
    expect(text({ test: 0.2 })).toContain('the test part was not seen before');
    expect(text({ test: 0.2 })).not.toContain('optimistic');
    expect(text({})).toContain('such numbers are optimistic');
    expect(text({ splitSeed: 9 })).toContain('The parts come from split seed 9 and are the same');
    expect(text({ splitSeed: 9, folds: 4 })).toContain('split seed 9 in 4 folds and are the same');
  });
});

describe('assembleReport', () => {
  const origin = {
    versions: { pyconvunet: '0.0.0' },
    machine: { backend: 'cpu', threads: 1, processor: 'a processor', system: 'a system' },
    command: 'pyconvunet experiment --config study.json --out FOLDER',
  };
  const assemble = (config: StudyConfig) => assembleReport(config, dataOf(config), resultsOf(config), origin);

  it('makes a document of the schema', () => {
    const config = studyOf({
      data: [{ source: '/home/someone/secret/lung_ct', groupBy: null }, { source: 'phantom:lung' }],
    });
    const before = tf.memory().numTensors;
    const report = assemble(config);
    expect(tf.memory().numTensors).toBe(before);
    expect(reportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(JSON.parse(JSON.stringify(report)));
    expect(report.rows).toHaveLength(4);
    expect(report.comparisons).toHaveLength(2);
    expect(report.runs).toHaveLength(8);
    expect(report.deviations).toContain('epochs: 2 (the paper: 50)');
    // Nothing of the machine's folders: whoever repeats the study has the data elsewhere.
    expect(JSON.stringify(report)).not.toMatch(/someone|secret/);
    expect(report.config.data.map(({ source, name }) => [source, name])).toEqual([
      ['lung_ct', 'lung_ct'],
      ['phantom:lung', 'phantom-lung'],
    ]);
  });

  it('counts parameters and multiplications at the size of the study', () => {
    const { complexity } = assemble(studyOf());
    expect(complexity.map(({ model, inputShape }) => [model, inputShape])).toEqual([
      ['unet', [32, 32, 1]],
      ['pyconvunet', [32, 32, 1]],
    ]);
    for (const { params, macs } of complexity) {
      expect(params).toBeGreaterThan(1000);
      expect(macs).toBeGreaterThan(params);
    }
    const supervised = assemble(studyOf({ models: ['unet++'], deepSupervision: true, widths: [8, 16, 24] }));
    const plain = assemble(studyOf({ models: ['unet++'], widths: [8, 16, 24] }));
    expect(supervised.complexity[0]?.params).toBeGreaterThan(plain.complexity[0]?.params ?? 0);
  });

  it('describes the data sets', () => {
    const [described] = assemble(studyOf({ test: 0.2 })).datasets;
    const ones = samples.reduce((sum, { mask }) => sum + mask.filter((label) => label === 1).length, 0);
    expect(described).toMatchObject({
      ...{ name: 'phantom-lung', images: 10, size: [32, 32], channels: 1, train: 6, validation: 2, test: 2 },
      ...{ folds: null, split: 'images', groups: null, window: null, origin: 'generated by this package, seed 0' },
    });
    expect(described?.foreground).toBeCloseTo(ones / (10 * 32 * 32), 12);
  });

  it('scores the trivial predictors on the part that is reported, by what the training part says', () => {
    const allForeground = (part: readonly Sample[]) => {
      const pixels = part.length * 32 * 32;
      const ones = part.reduce((sum, { mask }) => sum + mask.filter((label) => label === 1).length, 0);
      return { dice: (2 * ones) / (ones + pixels), meanIoU: ones / pixels / 2 };
    };
    const single = studyOf({ test: 0.2 });
    const parts = split(samples, { seed: 0, validation: 0.2, test: 0.2 });
    const onTest = assemble(single).datasets[0]?.trivial;
    expect(onTest?.allForeground.dice).toBeCloseTo(allForeground(parts.test).dice, 12);
    expect(onTest?.allForeground.meanIoU).toBeCloseTo(allForeground(parts.test).meanIoU, 12);
    // With folds: the mean over the validation parts.
    const folded = studyOf({ folds: 5 });
    const trivial = assemble(folded).datasets[0]?.trivial;
    const scores = partsOfStudy(samples, folded, false).map(({ validation }) => allForeground(validation).dice);
    expect(trivial?.allForeground.dice).toBeCloseTo(scores.reduce((sum, value) => sum + value, 0) / 5, 12);
    // One threshold for all images beats calling everything foreground.
    expect(trivial?.bestThreshold.dice ?? 0).toBeGreaterThan(trivial?.allForeground.dice ?? 1);
    expect(['bright', 'dark']).toContain(trivial?.otsu.polarity);
  });
});
