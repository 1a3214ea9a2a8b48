/** `pyconvunet draw`: what it prints, writes and refuses; and the figures of the documentation. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { drawDocument } from '../../src/cli/schemas.js';
import { pyconvunet } from '../cli/harness.js';
import { having, parseXml } from './xml.js';

const folder = mkdtempSync(join(tmpdir(), 'pyconvunet-draw-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small = ['draw', '--widths', '8,16', '--input', '32x32x3'];

test('prints the figure, or writes it and says where', async () => {
  const printed = await pyconvunet(small);
  expect(printed).toMatchObject({ code: 0, stderr: '' });
  expect(having(parseXml(printed.stdout), 'data-stage')).toHaveLength(5);
  const file = join(folder, 'new/network.svg');
  expect(await pyconvunet([...small, '--out', file])).toEqual({ code: 0, stdout: `${file}\n`, stderr: '' });
  expect(readFileSync(file, 'utf8')).toBe(printed.stdout);
  expect(readdirSync(join(folder, 'new'))).toEqual(['network.svg']);
});

test('draws the pyramidal convolution, the first or a named one', async () => {
  const first = await pyconvunet([...small, '--figure', 'pyconv']);
  expect(first.stdout).toContain('>Pyramidal convolution<');
  expect(having(parseXml(first.stdout), 'data-level')).toHaveLength(4);
  const named = await pyconvunet([...small, '--figure', 'pyconv', '--layer', 'encoder2/pyconv']);
  expect(named.stdout).toContain('>Pyramidal convolution encoder2/pyconv of pyconvunet<');
});

test('--json is one document', async () => {
  const inline = drawDocument.parse(JSON.parse((await pyconvunet([...small, '--json'])).stdout));
  expect(inline).toMatchObject({ model: 'pyconvunet', figure: 'network', inputShape: [32, 32, 3] });
  expect(parseXml(inline.svg ?? '').name).toBe('svg');
  const file = join(folder, 'json.svg');
  const written = drawDocument.parse(JSON.parse((await pyconvunet([...small, '--json', '--out', file])).stdout));
  expect(written).toEqual({ model: 'pyconvunet', figure: 'network', inputShape: [32, 32, 3], file });
});

test('refuses with one sentence', async () => {
  const plain = await pyconvunet(['draw', '--model', 'unet', '--widths', '8,16', '--figure', 'pyconv']);
  expect(plain).toMatchObject({ code: 1, stdout: '' });
  expect(plain.stderr).toBe(
    "pyconvunet: The model 'unet' has no pyramidal convolution of several levels to draw. Draw its network, or choose pyconvunet.\n",
  );
  const layer = await pyconvunet([...small, '--layer', 'encoder1/pyconv']);
  expect(layer).toMatchObject({ code: 2, stdout: '' });
  expect(layer.stderr).toBe('error: --layer chooses a pyramidal convolution: it needs --figure pyconv.\n');
  const place = await pyconvunet([...small, '--out', folder]);
  expect(place.stderr).toBe(
    `pyconvunet: --out is a folder (${folder}). Give the path of a file, such as ${folder}/network.svg.\n`,
  );
  const size = await pyconvunet(['draw', '--widths', '8,16', '--input', '33x32x3']);
  expect(size.code).toBe(1);
  expect(size.stderr).toContain('PyConvU-Net needs height and width that are multiples of 2. Received: 33x32.');
});

/** Trainable weights and moving statistics, from the published code. */
test.each([
  ['pyconvunet', 4_096_801 + 11_776],
  ['unet', 7_765_985 + 5_888],
  ['unet++', 9_163_329 + 7_296],
  ['attention-unet', 34_878_573 + 15_624],
  ['resnet34-unet', 21_656_897 + 19_008],
  ['multiresunet', 7_238_228 + 24_522],
  ['fcn8s', 18_643_713 + 1_984],
])('the documentation shows %s with all its parameters', (name, total) => {
  const file = resolve(import.meta.dirname, '../../docs/figures', `${name.replaceAll('+', 'plus')}.svg`);
  const stages = having(parseXml(readFileSync(file, 'utf8')), 'data-stage');
  expect(stages.reduce((sum, { attributes }) => sum + Number(attributes.get('data-params')), 0)).toBe(total);
});
