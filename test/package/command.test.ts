/** The command of the installed package, start to end; what it prints and leaves behind fits the schemas that ship with it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { decode } from 'fast-png';
import { expect, inject, test } from 'vitest';

const project = inject('project');
const schemas = join(project, 'node_modules/pyconvunet/schemas');

/** Fails with ajv's reasons where a document does not fit a schema of the installed package. */
function expectValid(document: unknown, name: string): void {
  const schema: object = JSON.parse(readFileSync(join(schemas, `${name}.schema.json`), 'utf8'));
  const validate = new Ajv().compile(schema);
  const isValid = validate(document);
  expect({ name, isValid, errors: validate.errors }).toEqual({ name, isValid: true, errors: null });
}

/** Runs `npx pyconvunet ... --json` in the consumer's project; its one document. */
function pyconvunet(...args: readonly string[]): unknown {
  const line = ['--no-install', 'pyconvunet', ...args, '--json'];
  const { status, stdout, stderr } = spawnSync('npx', line, { cwd: project, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

const read = (...path: string[]): unknown => JSON.parse(readFileSync(join(project, ...path), 'utf8'));

test('complexity and doctor', () => {
  const report = pyconvunet('complexity', '--model', 'pyconvunet', '--input', '64x64x3');
  expectValid(report, 'complexity');
  expect(report).toMatchObject({ model: 'pyconvunet', inputShape: [64, 64, 3] });
  expectValid(pyconvunet('complexity', '--all', '--input', '64x64x3'), 'complexity-all');
  expectValid(pyconvunet('doctor'), 'doctor');
});

test('benchmark', () => {
  const small = ['--widths', '8,16', '--size', '32', '--rounds', '1', '--profile', '--threads', '1,2'];
  for (const work of ['inference', 'training']) {
    expectValid(pyconvunet('benchmark', ...small, '--work', work), 'benchmark');
  }
});

test('train, evaluate, predict', () => {
  const data = ['--data', 'phantom:lung'];
  const network = ['--model', 'pyconvunet', '--widths', '8,16', '--size', '32', '--seed', '1'];
  expectValid(pyconvunet('train', ...data, ...network, '--epochs', '1', '--out', 'run'), 'train');
  expectValid(read('run', 'config.json'), 'config');
  expectValid(read('run', 'history.json'), 'history');
  expectValid(read('run', 'checkpoint.json'), 'checkpoint');
  expect(existsSync(join(project, 'run/model.json'))).toBe(true);
  expectValid(pyconvunet('evaluate', '--run', 'run', ...data), 'evaluate');
  const program = `import { writeFileSync } from 'node:fs';
    import { encodePng, phantom } from 'pyconvunet/training';
    writeFileSync('scan.png', encodePng(phantom('lung', { count: 1, size: 40 })[0].image));`;
  expect(spawnSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: project }).status).toBe(0);
  expectValid(pyconvunet('predict', '--run', 'run', '--input', 'scan.png', '--out', 'masks'), 'predict');
  expect(readdirSync(join(project, 'masks')).sort()).toEqual(['scan.mask.png', 'scan.overlay.png']);
});

test('the small model that is in the package segments its example', () => {
  const model = join(project, 'node_modules/pyconvunet/examples/model');
  expectValid(pyconvunet('predict', '--run', model, '--input', join(model, 'cell.png'), '--out', 'cells'), 'predict');
  const pixels = (path: string) => decode(readFileSync(path)).data;
  const found = pixels(join(project, 'cells/cell.mask.png'));
  const truth = pixels(join(model, 'cell_mask.png'));
  const both = found.filter((value, i) => value > 0 && (truth[i] ?? 0) > 0).length;
  const each = [found, truth].map((mask) => mask.filter((value) => value > 0).length);
  expect((2 * both) / ((each[0] ?? 0) + (each[1] ?? 0))).toBeGreaterThan(0.95);
});

test('the small model takes at most 300 kB', () => {
  const model = join(project, 'node_modules/pyconvunet/examples/model');
  const bytes = ['model.json', 'weights.bin'].map((name) => statSync(join(model, name)).size);
  expect((bytes[0] ?? 0) + (bytes[1] ?? 0)).toBeLessThan(300e3);
});
