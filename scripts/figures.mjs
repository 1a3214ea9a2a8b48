// `npm run figures`: writes docs/figures/ as the built command draws them: the seven networks and a pyramidal convolution.
// With --check it writes nothing and fails where they differ.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/steps.mjs';

const folder = join(root, 'docs/figures');
const draw = (...args) =>
  execFileSync(process.execPath, [join(root, 'dist/cli.js'), 'draw', '--input', '512x512x3', ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });

const networks = ['pyconvunet', 'unet', 'unet++', 'attention-unet', 'resnet34-unet', 'multiresunet', 'fcn8s'];
const figures = {
  // A plus sign in a link would have to be escaped.
  ...Object.fromEntries(networks.map((name) => [`${name.replaceAll('+', 'plus')}.svg`, () => draw('--model', name)])),
  'pyconv.svg': () => draw('--figure', 'pyconv', '--layer', 'encoder2/pyconv'),
};

const isCheck = process.argv.includes('--check');
const complain = (sentence) => {
  console.error(`${sentence} Run npm run figures.`);
  process.exitCode = 1;
};
mkdirSync(folder, { recursive: true });
for (const [file, make] of Object.entries(figures)) {
  const path = join(folder, file);
  const svg = make();
  if (existsSync(path) && readFileSync(path, 'utf8') === svg) continue;
  if (isCheck) complain(`docs/figures/${file} is not what the command draws now.`);
  else writeFileSync(path, svg);
}
for (const file of readdirSync(folder)) {
  if (!Object.hasOwn(figures, file)) complain(`docs/figures/${file} is made by nothing here: remove it.`);
}
