/** The report's page: every part there, its numbers those of the document, names escaped, the best marked only where it holds. */
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { definitionsOf } from '../../../src/study/report/definitions.js';
import { renderReport } from '../../../src/study/report/html/index.js';
import type { StudyReport } from '../../../src/study/schemas.js';
import { makeFigures, makeReport } from './fixture.js';
import { type Cells, Page, render } from './page.js';

/** The numbers of a cell: `[0.1, −0.2]` is two. */
const numbersIn = (cell = ''): number[] =>
  [...cell.replaceAll('−', '-').matchAll(/-?\d+(?:\.\d+)?/g)].map(([text]) => Number(text));

/** Holds cells to numbers, as far as their four digits go. */
function expectNumbers(cells: Cells, expected: readonly (number | null)[]): void {
  const shown = cells.flatMap(numbersIn);
  expect(shown).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs((shown[i] ?? Number.NaN) - (value ?? Number.NaN))).toBeLessThanOrEqual(0.50001e-4);
  });
}

const ends = (interval: readonly [number, number] | null): number[] => (interval === null ? [] : [...interval]);

describe('the page', () => {
  const report = makeReport();

  it('has every part in the order of the paper, each linked from the contents', async () => {
    const page = await render(report);
    expect(page.texts('h2')).toEqual([
      'Deviations from the paper’s protocol',
      'Table 1. Data sets',
      'Fig. 2. Training losses',
      'Fig. 3. MIoU and Dice per epoch',
      'Fig. 4. Predictions',
      'Table 2. MIoU and Dice',
      'Paired comparisons',
      'A dot per case',
      'Worst cases',
      'Missed and spurious objects',
      'Table 3. Parameters, multiply-accumulates, time and memory',
      'How it was counted',
      'How to run it again',
    ]);
    const targets = Array.from(page.document.querySelectorAll('nav a'), (link) => link.getAttribute('href') ?? '');
    expect(targets).toEqual(Array.from(page.document.querySelectorAll('section'), ({ id }) => `#${id}`));
  });

  it('asks for nothing from anywhere', async () => {
    const { source, document } = await render(report);
    const urls = [...source.matchAll(/https?:[^"'\s)<]+/g)].map(([url]) => url);
    expect([...new Set(urls)]).toEqual(['http://www.w3.org/2000/svg']);
    expect(source).not.toMatch(/@import|url\(|<link rel="(?!icon)|<iframe/);
    for (const image of document.querySelectorAll('img'))
      expect(image.getAttribute('src')).toMatch(/^data:image\/png;base64,/);
    expect(document.querySelector('meta[http-equiv]')?.getAttribute('content')).toContain("default-src 'none'");
  });

  it('gives no id twice, every table a caption and scopes, every picture a name', async () => {
    const { document } = await render(report);
    const ids = Array.from(document.querySelectorAll('[id]'), ({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const table of document.querySelectorAll('table')) {
      expect(table.querySelector('caption')?.textContent).toMatch(/\S/);
      for (const head of table.querySelectorAll('th'))
        expect(head.getAttribute('scope')).toMatch(/^(col|row)(group)?$/);
      const region = table.parentElement;
      expect(region?.getAttribute('tabindex')).toBe('0');
      const name = document.getElementById(region?.getAttribute('aria-labelledby') ?? '');
      expect(name?.tagName).toBe('CAPTION');
      expect(document.querySelector(`button[data-copy="${table.id}"]`)).not.toBeNull();
    }
    for (const image of document.querySelectorAll('img')) expect(image.getAttribute('alt')).toMatch(/\S/);
    for (const svg of document.querySelectorAll('svg')) {
      if (svg.getAttribute('aria-hidden') !== 'true') {
        expect(svg.getAttribute('role')).toBe('img');
        expect(svg.getAttribute('aria-label')).toMatch(/\S/);
      }
    }
  });

  it('says before the numbers what limits them, whatever the study was', async () => {
    const cases: [Parameters<typeof makeReport>[0], RegExp[]][] = [
      [{}, [/^The best epoch is chosen .* optimistic/, /^Two seeds .* engineering check/, /^Phantoms/]],
      [{ seeds: [1], test: true }, [/^One seed/, /^Phantoms/]],
    ];
    for (const [options, expected] of cases) {
      const shown = (await render(makeReport(options))).texts('.caveats p');
      expect(shown).toHaveLength(expected.length);
      expected.forEach((pattern, i) => {
        expect(shown[i]).toMatch(pattern);
      });
    }
    // Real data, three seeds, a test part: nothing to warn of.
    const { config } = makeReport({ seeds: [1, 2, 3], test: true });
    const real = { ...config, data: config.data.map((each) => ({ ...each, source: 'folder' })) };
    const page = await render({ ...makeReport({ seeds: [1, 2, 3], test: true }), definitions: definitionsOf(real) });
    expect(page.texts('.caveats')).toEqual([]);
  });

  it('says how all was counted and how to run it again', async () => {
    const page = await render(report);
    expect(page.texts('#definitions li')).toEqual([...report.definitions]);
    const [command, config = ''] = Array.from(
      page.document.querySelectorAll('#again code'),
      (each) => each.textContent ?? '',
    ).filter((text) => text !== 'study.json');
    expect(command).toBe(report.command);
    expect(JSON.parse(config)).toEqual(report.config);
    expect(page.texts('#again dd')).toEqual(expect.arrayContaining(['1.2.3', 'v20']));
    expect(page.texts('#again li')).toEqual(['backend wasm, one thread, a processor, a system']);
  });
});

describe('numbers', () => {
  const report = makeReport({ models: { unet: 40, 'unet++': 25, pyconvunet: 12 } });

  it('Table 1', async () => {
    const page = await render(report);
    const [first] = page.rows('datasets');
    expect(first).toEqual([
      'phantom-lung',
      '60',
      '16 × 16 × 1',
      '48',
      '12',
      'image',
      '40, 400',
      '50.0 %',
      'drawn by the test',
    ]);
  });

  it('Table 2: best and last epoch apart, seeds and intervals', async () => {
    const page = await render(report);
    for (const { name } of report.datasets) {
      const rows = report.rows.filter(({ dataset }) => dataset === name);
      const cells = page.rows('scores', name);
      rows.forEach(({ best, last }, i) => {
        const numbers = [best, last].flatMap(({ meanIoU, dice, seedSd, confidence }) => [
          ...[meanIoU, seedSd.meanIoU, dice, seedSd.dice],
          ...ends(confidence.dice),
        ]);
        expectNumbers(cells[i]?.slice(1, -1) ?? [], numbers);
        expect(cells[i]?.at(-1)).toBe('3, 3');
      });
      // Beneath: trivial predictors, whose scores belong to no epoch.
      const trivial = cells.slice(rows.length);
      expect(trivial.map(([head]) => head)).toEqual([
        'All foreground',
        'Otsu’s threshold, dark',
        'Best threshold, bright',
      ]);
      expect(trivial.map((row) => row.slice(1).flatMap(numbersIn))).toEqual(
        [
          [0.3334, 0.6667],
          [0.3561, 0.7123],
          [0.3661, 0.7321],
        ].map(([meanIoU, dice]) => [expect.closeTo(meanIoU ?? 0, 3), dice]),
      );
    }
  });

  it('Table 2 per image', async () => {
    const page = await render(report);
    for (const part of ['best', 'last'] as const) {
      const cells = page.rows(`scores-per-image-${part}`, 'phantom-cell');
      report.rows
        .filter(({ dataset }) => dataset === 'phantom-cell')
        .forEach((row, i) => {
          const { perImage, confidence } = row[part];
          const { dice, iou, surfaceDice, hausdorff95 } = perImage;
          expectNumbers(cells[i]?.slice(1, 6) ?? [], [dice.mean, dice.median, dice.sd, iou.mean, surfaceDice.mean]);
          expect(cells[i]?.slice(6)).toEqual([
            hausdorff95.mean?.toFixed(2),
            hausdorff95.median?.toFixed(2),
            '1',
            '12',
            `${confidence.n} images`,
          ]);
        });
    }
  });

  it('the paired comparisons', async () => {
    const page = await render(report);
    report.comparisons.forEach(({ pairs }, i) => {
      const cells = page.rows(`comparison-${i}`);
      expect(cells[0]?.[0]).toBe('U-Net − UNet++');
      pairs.forEach(({ difference, interval, p, holmP, method, n }, k) => {
        expectNumbers(cells[k]?.slice(1, 5) ?? [], [difference, ...ends(interval), p, holmP]);
        expect(cells[k]?.slice(5)).toEqual([method === 'exact' ? 'exact' : 'normal approximation', `${n} images`]);
      });
    });
    expect(page.texts('#comparison-0 caption')[0]).toMatch(
      /Holm over the 3 pairs\. Intervals are rough: 12 images, fewer than 50\.$/,
    );
  });

  it('the worst cases and missed objects', async () => {
    const page = await render(report);
    const worst = page.rows('worst', 'phantom-lung');
    expect(worst).toHaveLength(5);
    // Images whose number leaves 4 when divided by 5 miss most, then those that leave 3.
    expect(worst.map(([name]) => name)).toEqual(['image_4', 'image_9', 'image_3', 'image_8', 'image_2']);
    const dice = [40, 25, 12].map((wrong) => {
      const ofSeed = [1, 2].map((seed) => caseDice(wrong + seed + 4));
      return ((ofSeed[0] ?? 0) + (ofSeed[1] ?? 0)) / 2;
    });
    expectNumbers(worst[0]?.slice(1) ?? [], [dice.reduce((sum, value) => sum + value, 0) / 3, ...dice]);
    // 12 images of 3 objects, 6 of which miss one; both seeds.
    expect(page.rows('objects', 'phantom-lung')[0]).toEqual(['U-Net', '72', '12', '16.7 %', '2', '0']);
  });

  it('Table 3', async () => {
    const page = await render(report);
    const [row] = report.rows;
    expect(page.rows('cost')[0]).toEqual([
      'U-Net',
      '1.235',
      '9.877',
      '10.00',
      row?.secondsPerImage.toPrecision(3),
      row?.secondsPerEpoch?.toPrecision(3),
      '1.50',
      '40.0',
    ]);
    expect(page.rows('cost-others', 'phantom-cell')[2]?.[0]).toBe('PyConvU-Net');
    expect(page.texts('#cost caption')[0]).toMatch(
      /16 × 16 × 1 .* batch 5 .*backend wasm, one thread, a processor, a system/,
    );
  });
});

describe('how the steps were taken', () => {
  it('in pieces of a batch, where a batch is not taken at once', async () => {
    const report = makeReport();
    const texts = async (microBatch: number | null) => {
      const page = await render({ ...report, config: { ...report.config, microBatch } });
      return [...page.texts('dl.facts dd'), ...page.texts('#cost caption')].join();
    };
    for (const whole of [null, 5]) expect(await texts(whole)).not.toContain('micro-batches');
    expect((await texts(2)).match(/batch 5 in micro-batches of 2/g)).toHaveLength(2);
  });

  const planned = { planned: true, reason: null, threads: 2, threadProblem: null };
  const shown = async (report: StudyReport) => (await render(report)).texts('#table-3 p');

  it('is not mentioned where all were planned on all threads, or where results do not say', async () => {
    const report = makeReport();
    expect(await shown(report)).toEqual([]);
    expect(await shown({ ...report, runs: report.runs.map((run) => ({ ...run, execution: planned })) })).toEqual([]);
    expect(await shown({ ...report, runs: report.runs.map((run) => ({ ...run, execution: null })) })).toEqual([]);
  });

  it('is said once for all networks that were taken layer by layer, and for those that lacked threads', async () => {
    const report = makeReport({ models: { unet: 40, pyconvunet: 12, fcn8s: 30, multiresunet: 20 } });
    const byLayer = { planned: false, reason: 'layer <x> has no rule.', threads: 1, threadProblem: null };
    const lacking = { ...planned, threads: null, threadProblem: 'no more workers' };
    const runs = report.runs.map((run) => ({
      ...run,
      execution: { unet: byLayer, fcn8s: byLayer, multiresunet: lacking }[String(run.model)] ?? planned,
    }));
    expect(await shown({ ...report, runs })).toEqual([
      'U-Net, FCN8s: training steps were not planned, but taken layer by layer (layer <x> has no rule).',
      'MultiResUNet: fewer threads took the training steps than were asked for (no more workers).',
    ]);
  });
});

/** Dice of an image of the fixture in which so many of 128 foreground pixels are missed. */
const caseDice = (missed: number): number => (2 * (128 - missed)) / (2 * (128 - missed) + missed);

describe('the best', () => {
  const marked = (page: Page) => page.texts('tr.strong');

  it('is marked where it is separated from every other network, on real images with three seeds', async () => {
    const report = makeReport({ source: 'lungs', seeds: [1, 2, 3] });
    expect(report.comparisons[0]?.best.name).toBe('pyconvunet');
    const page = await render(report);
    expect(marked(page).map((text) => text.split(' ')[0])).toEqual(['PyConvU-Net', 'PyConvU-Net']);
    expect(page.texts('#table-2 li')[0]).toBe(
      'phantom-lung: PyConvU-Net is marked ★: it is separated from every other network.',
    );
  });

  it.each([
    [{ source: 'lungs', seeds: [1] }, 'on these cases, but one seed a network make no claim (it takes 3)'],
    [{ source: 'lungs', seeds: [1, 2] }, 'on these cases, but 2 seeds a network make no claim (it takes 3)'],
    [{ seeds: [1, 2, 3] }, 'but generated images never show which network is better'],
  ])('is not marked on %o', async (options, reason) => {
    const report = makeReport(options);
    expect(report.comparisons[0]?.best).toEqual({
      name: null,
      reason: `pyconvunet is separated from every other network${reason.startsWith('on') ? ' ' : ', '}${reason}`,
    });
    expect(marked(await render(report))).toEqual([]);
  });

  it('is marked nowhere else, with the reason', async () => {
    const report = makeReport({ models: { unet: 40, pyconvunet: 40 } });
    const page = await render(report);
    expect(marked(page)).toEqual([]);
    expect(page.source).not.toContain('★');
    const [{ best }] = report.comparisons as [StudyReport['comparisons'][number]];
    expect(best.name).toBeNull();
    expect(page.texts('#table-2 li')[0]).toMatch(/^phantom-lung: no network is marked\. Reason: .*(PyConvU-Net|U-Net)/);
    expect(page.texts('#table-2 li')[0]).not.toContain('pyconvunet');
  });

  it('is what the document says, not the largest number', async () => {
    const report = makeReport();
    const turned = { ...report, comparisons: report.comparisons.map((each) => ({ ...each, best: { name: 'unet' } })) };
    expect(marked(await render(turned)).map((text) => text.split(' ')[0])).toEqual(['U-Net', 'U-Net']);
  });
});

describe('names', () => {
  const evil = `<b onclick="x">&"'</b>`;

  it('are escaped wherever they stand', async () => {
    const made = makeReport({ origin: `<script>alert(1)</script>${evil}`, command: evil });
    const rename = <T extends { dataset: string }>(each: T): T => ({
      ...each,
      dataset: each.dataset === 'phantom-lung' ? evil : each.dataset,
    });
    const report: StudyReport = {
      ...made,
      datasets: made.datasets.map((each, i) => (i === 0 ? { ...each, name: evil } : each)),
      runs: made.runs.map(rename),
      rows: made.rows.map(rename),
      comparisons: made.comparisons.map(rename),
      deviations: [evil],
      definitions: [evil],
      versions: { [evil]: evil },
      machines: made.machines.map((machine) => ({ ...machine, processor: evil })),
    };
    const figures = makeFigures(report).map((each) => ({
      ...each,
      reason: evil,
      sample: { ...each.sample, name: evil },
    }));
    const page = new Page(await renderReport(report, figures));
    expect(page.document.querySelectorAll('script')).toHaveLength(1);
    expect(page.document.querySelectorAll('[onclick]')).toHaveLength(0);
    expect(page.rows('datasets')[0]?.[0]).toBe(evil);
    expect(page.texts('#definitions li')).toEqual([evil]);
    expect(page.document.querySelector('#fig-4 img')?.getAttribute('alt')).toBe(`Image ${evil} of ${evil}`);
    expect(page.document.querySelector('#fig-2 svg[role]')?.getAttribute('aria-label')).toContain(evil);
    // Everything of the first data set was found by its name.
    expect(page.rows('scores', evil)).toHaveLength(5);
  });
});

describe('other studies', () => {
  it('a test part stands first, the part of the choice apart and unmarked', async () => {
    const report = makeReport({ test: true, source: 'lungs', seeds: [1, 2, 3] });
    const page = await render(report);
    const [row] = report.rows;
    const { meanIoU, dice, seedSd, confidence } = row?.test ?? (row as never);
    expectNumbers(page.rows('scores', 'phantom-lung')[0]?.slice(1, -1) ?? [], [
      ...[meanIoU, seedSd.meanIoU, dice, seedSd.dice],
      ...ends(confidence.dice),
    ]);
    expect(page.rows('scores-validation', 'phantom-lung')).toHaveLength(2);
    expect(page.document.querySelectorAll('#scores-validation .best')).toHaveLength(0);
    expect(page.document.querySelectorAll('#scores .best')).toHaveLength(2);
    expect(page.rows('datasets')[0]?.slice(3, 6)).toEqual(['36', '12', '12']);
    expect(page.rows('worst', 'phantom-lung')[0]?.[0]).toBe('held_4');
    expect(page.texts('#comparison-0 caption')[0]).toContain('of the test part');
    expect(page.texts('#objects caption')[0]).toContain('(test part)');
    expect(page.content).not.toContain('undefined');
  });

  it('folds: every image once, the test part as the mean over the networks of all folds', async () => {
    const page = await render(makeReport({ folds: 3, images: 4 }));
    expect(page.texts('#cases svg[role]').length).toBe(2);
    expect(page.document.querySelector('#cases svg[role]')?.getAttribute('aria-label')).toContain('U-Net: 12 cases');
    expect(page.texts('#fig-2 figcaption')[0]).toContain('mean over seeds and folds');
    expect(page.rows('datasets')[0]).toContain('3');
    const withTest = await render(makeReport({ folds: 3, images: 4, test: true }));
    expect(withTest.document.querySelector('#cases svg[role]')?.getAttribute('aria-label')).toContain('U-Net: 4 cases');
    // What each fold's network of each seed did: 1 more pixel for the part, as many as its number for the fold.
    const dice = [1, 2].flatMap((seed) => [1, 2, 3].map((fold) => caseDice(40 + seed + 1 + fold + 3)));
    expectNumbers(withTest.rows('worst', 'phantom-lung')[0]?.slice(2, 3) ?? [], [
      dice.reduce((sum, each) => sum + each, 0) / dice.length,
    ]);
  });

  it('one seed has no spread, one data set no second table of costs, one network nothing to compare', async () => {
    const page = await render(makeReport({ seeds: [1], datasets: ['only'], models: { unet: 9 } }));
    expect(page.texts('#scores thead th')).not.toContain('SD');
    expect(page.document.querySelector('#cost-others')).toBeNull();
    expect(page.texts('#comparisons p')).toEqual(['One network: there is nothing to compare.']);
    expect(page.texts('h1')).toEqual(['U-Net on 1 data set: a segmentation study']);
    expect(page.texts('#fig-2 figcaption')[0]).not.toContain('thin');
    expect(page.content).not.toContain('undefined');
  });

  it('no epoch and no figure leave no hole', async () => {
    const report = makeReport({ epochs: 0, datasets: ['only'] });
    const page = new Page(await renderReport(report, []));
    expect(page.document.querySelector('#fig-4')).toBeNull();
    expect(page.document.querySelector('#fig-2 svg[role]')?.getAttribute('aria-label')).toBe(
      'Training loss on only. No epoch has ended.',
    );
    expect(page.content).not.toMatch(/NaN|undefined|Infinity/);
  });
});
