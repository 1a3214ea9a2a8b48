/** The numbers of docs/paper.md are what its commands print, and no other stands there. Needs dist/. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

interface Report {
  readonly model: string;
  readonly params: { readonly trainable: number; readonly nonTrainable: number };
  readonly macs: number;
  readonly pyramidalConvolutions?: Readonly<Record<'real' | 'closedForm', { readonly params: number }>>;
}

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/paper.md'), 'utf8');

/** The cells of the tables that begin with a row of these heads, without the marks of code. */
function rowsOf(...heads: string[]): string[][] {
  const lines = page.split('\n');
  const start = lines.indexOf(`| ${heads.join(' | ')} |`);
  if (start < 0) throw new Error(`No table of docs/paper.md has the heads ${heads.join(', ')}.`);
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines.slice(start + 2, start + length).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  );
}

const node = (...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const commands = new Map(
  [...page.matchAll(/^\| ([A-F]) \| `(.*?)` \|/gm)].map(([, letter = '', text = '']) => [letter, text]),
);

/** Runs a command of the page with the command line that was built here. */
function runCommand(letter: string): string {
  const [npx, name, ...args] = (commands.get(letter) ?? '').split(' ');
  expect([npx, name]).toEqual(['npx', 'pyconvunet']);
  return node('dist/cli.js', ...args);
}

/** Counts PyConvU-Net with options as the page writes them, under both conventions, as its code block does. */
function countReadings(options: readonly string[]): { readonly macs: Report; readonly paper: Report }[] {
  const script = `
    import '@tensorflow/tfjs-backend-cpu';
    import { complexity, models } from 'pyconvunet';
    const count = (options) => {
      const model = models.pyConvUNet(options);
      const at = (convention) => complexity.complexity(model, { inputShape: [512, 512, 3], convention });
      const counts = { macs: at('macs'), paper: at('paper') };
      model.dispose();
      return counts;
    };
    console.log(JSON.stringify([${options.join(', ')}].map(count)));`;
  return JSON.parse(node('--input-type=module', '--eval', script));
}

const whole = (count: number): string => count.toLocaleString('en-US');
const giga = (macs: number): string => (macs / 1e9).toFixed(2);
const percent = (share: number, digits = 1): string => (100 * share).toFixed(digits);
const real = ({ params }: Report): number => params.trainable;
/** The parameters if each pyramidal convolution had those of eq. 7. */
const byEquation7 = ({ params, pyramidalConvolutions: pyramids }: Report): number =>
  params.trainable - (pyramids?.real.params ?? Number.NaN) + (pyramids?.closedForm.params ?? Number.NaN);

const READINGS = rowsOf(
  ...['reading', 'options', 'trainable (D)', 'of U-Net, %', 'fewest of the seven', 'GMac, convolutions only'],
  ...['GMac, convention paper', 'lowest of the seven'],
);
const ONLY_KERNELS = '{ kernelSizes: [3] }';

let paper: readonly Report[] = [];
let convolutions: readonly Report[] = [];
let wideUNet = Number.NaN;
const readings = new Map<string, { readonly macs: Report; readonly paper: Report }>();

function named(reports: readonly Report[], name: string): Report {
  const found = reports.find(({ model }) => model === name);
  if (found === undefined) throw new Error(`complexity --all does not print ${name}.`);
  return found;
}

function reading(options: string): { readonly macs: Report; readonly paper: Report } {
  const found = readings.get(options);
  if (found === undefined) throw new Error(`docs/paper.md has no reading ${options}.`);
  return found;
}

beforeAll(() => {
  paper = JSON.parse(runCommand('A')).models;
  convolutions = JSON.parse(runCommand('B')).models;
  wideUNet = JSON.parse(runCommand('C')).params.trainable;
  const options = [...READINGS.map(([, option = '']) => option), ONLY_KERNELS];
  for (const [index, counts] of countReadings(options).entries()) readings.set(options[index] ?? '', counts);
});

test('the counts of the seven networks are what commands A and B print', () => {
  const heads = ['trainable (A)', 'moving statistics (A)', 'GMac (A)', 'GMac, convolutions only (B)'];
  const expected = paper.map(({ model, params, macs }) => [
    model,
    whole(params.trainable),
    whole(params.nonTrainable),
    giga(macs),
    giga(named(convolutions, model).macs),
  ]);
  expect(expected).toHaveLength(7);
  expect(rowsOf('network', ...heads)).toEqual(expected);
});

describe('the readings', () => {
  const yes = (is: boolean) => (is ? 'yes' : 'no');

  test.each(READINGS)('%s', (name, options = '', ...cells) => {
    const { macs, paper: counted } = reading(options);
    const others = paper.filter(({ model }) => model !== 'pyconvunet');
    expect(others).toHaveLength(6);
    expect(cells, name).toEqual([
      whole(real(counted)),
      percent(real(counted) / real(named(paper, 'unet'))),
      yes(others.every((other) => real(counted) < real(other))),
      giga(macs.macs),
      giga(counted.macs),
      yes(others.every((other) => counted.macs < other.macs)),
    ]);
  });

  test('are five, the first as the command counts it', () => {
    expect(READINGS).toHaveLength(5);
    expect(real(reading('{}').paper)).toBe(real(named(paper, 'pyconvunet')));
  });
});

test('the parameters by eq. 7 and as they are', () => {
  const rows = rowsOf(
    'parameters (D)',
    ...['two pyramidal convolutions a stage, as U-Net has 3x3', 'of U-Net, %', 'one bottleneck a stage', 'of U-Net, %'],
  );
  const cells = (count: (report: Report) => number) =>
    ["{ block: 'direct' }", '{}'].flatMap((options) => {
      const params = count(reading(options).paper);
      return [whole(params), percent(params / real(named(paper, 'unet')), 2)];
    });
  expect(rows.map((row) => row.slice(1))).toEqual([cells(byEquation7), cells(real)]);
});

test('U-Net without its biases before a normalisation is the direct replacement by eq. 7', () => {
  // Two convolutions a stage, each with a bias per channel.
  const biases = 2 * [32, 64, 128, 256, 512, 256, 128, 64, 32].reduce((sum, width) => sum + width, 0);
  expect(page).toContain(`its ${whole(biases)} biases before a normalisation`);
  expect(byEquation7(reading("{ block: 'direct' }").paper)).toBe(real(named(paper, 'unet')) - biases);
});

/** What may stand on the page: what the commands print, and shares of it. */
function reproduced(): Set<string> {
  const uNet = named(paper, 'unet');
  const pyConvUNet = named(paper, 'pyconvunet');
  const counts = [...readings.values()];
  const reports = [...paper, ...convolutions, ...counts.flatMap((count) => [count.macs, count.paper])];
  const shares = [
    real(pyConvUNet) / real(uNet),
    pyConvUNet.macs / uNet.macs,
    named(convolutions, 'pyconvunet').macs / named(convolutions, 'unet').macs,
  ];
  return new Set([
    ...reports.flatMap(({ params, macs }) => [whole(params.trainable), whole(params.nonTrainable), giga(macs)]),
    ...reports.flatMap((report) => [percent(real(report) / real(uNet)), percent(real(report) / real(uNet), 2)]),
    ...reports.flatMap(({ pyramidalConvolutions: pyramids }) =>
      pyramids === undefined ? [] : [whole(pyramids.real.params), whole(pyramids.closedForm.params)],
    ),
    ...counts.map((count) => whole(byEquation7(count.paper))),
    ...counts.map((count) => percent(byEquation7(count.paper) / real(uNet), 2)),
    ...shares.map((share) => share.toFixed(3)),
    whole(wideUNet),
    percent(real(pyConvUNet) / wideUNet),
    // Command E: test/complexity/closedForms.test.ts holds these two.
    ...['0.6632', '0.7344'],
    // The paper's own count, its threshold, and the biases that the test above counts.
    ...['7.77', '0.5', '2,944'],
  ]);
}

/** Numbers with a comma or decimals, without code, the targets of links and the marks where results of studies go. */
const numbersOf = (text: string): string[] =>
  text
    .replace(/```[\s\S]*?```|`[^`]*`/g, '')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/<!--.*?-->/g, '')
    .match(/\d{1,3}(?:,\d{3})+|\d+\.\d+/g) ?? [];

test('every number is one that the commands print, or stands in a study', () => {
  const folder = join(root, 'docs/studies');
  const studies = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.md')) : [];
  const found = new Set(studies.flatMap((file) => numbersOf(readFileSync(join(folder, file), 'utf8'))));
  const known = reproduced();
  const trained = rowsOf('claim', 'measured by', 'result', 'verdict').filter(([, by]) => by?.startsWith('F'));
  expect(trained.length).toBeGreaterThan(3);
  const results = trained.flatMap(([, , result = '']) => numbersOf(result));
  expect(results.filter((number) => !known.has(number) && !found.has(number))).toEqual([]);
  const others = page.split('\n').filter((line) => !/^\|[^|]*\| F\b/.test(line));
  const numbers = numbersOf(others.join('\n'));
  expect(numbers.length).toBeGreaterThan(80);
  expect(numbers.filter((number) => !known.has(number))).toEqual([]);
});

test('the claim on kernels names the counts of its network', () => {
  const { paper: counted } = reading(ONLY_KERNELS);
  expect(page).toContain(`\`${ONLY_KERNELS}\`: ${whole(real(counted))} parameters, ${giga(counted.macs)} GMac (D)`);
  expect(real(counted)).toBe(byEquation7(reading('{}').paper));
});

test('the numbers of command E are held by the test that it runs', () => {
  const files = (commands.get('E') ?? '').split(' ').slice(3);
  expect(files).toHaveLength(2);
  const text = files.map((file) => readFileSync(join(root, file), 'utf8')).join('');
  for (const number of ['0.6632', '0.7344']) expect(text).toContain(`toBe('${number}')`);
});

test('the options of the commands exist', () => {
  const help = node('dist/cli.js', 'experiment', '--help');
  const used = [...(commands.get('F') ?? '').matchAll(/--[\w-]+/g)].map(([option]) => option);
  const named = ['--augment', '--test', '--protocol', '--seeds'];
  expect(used.length).toBeGreaterThan(5);
  for (const option of [...used, ...named]) {
    expect(page).toContain(option);
    expect(help).toContain(`${option} `);
  }
});

test('the files that the page names exist', () => {
  const files = [...page.matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map(([, file = '']) => file);
  // A study may be missing while the place of its result is still marked.
  const isPending = page.includes('<!-- result -->');
  const links = [...page.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(([, file = '']) => file);
  const wanted = [
    ...files,
    ...links.filter((link) => !isPending || !link.startsWith('studies/')).map((f) => `docs/${f}`),
  ];
  expect(files.length).toBeGreaterThan(3);
  expect(wanted.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
