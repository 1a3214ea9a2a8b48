// `npm run readme`: writes the parts of README.md and docs/commands.md that the built command itself prints: the table of
// networks and the help texts; the tables of docs/studies from the reports there; and the times from bench/results. With --check it writes nothing and fails where they differ.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from './lib/performanceTable.mjs';
import { root } from './lib/steps.mjs';
import { costTable, origin, scoresTable, studyPage, verdict } from './lib/studyTables.mjs';

const command = (...args) =>
  execFileSync(process.execPath, [join(root, 'dist/cli.js'), ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, COLUMNS: '100', NO_COLOR: '1' },
  }).trim();

const count = (convention) =>
  JSON.parse(command('complexity', '--all', '--input', '512x512x3', '--convention', convention, '--json')).models;

/** The seven networks: parameters, multiply-accumulates, and FLOPs as the paper counted them. */
function networks() {
  const macs = count('macs');
  const paper = count('paper');
  const unet = macs.findIndex(({ model }) => model === 'unet');
  const percent = (value, whole) => `${((100 * value) / whole).toFixed(1)} %`;
  const rows = macs.map(({ model, params, macs: operations }, i) => {
    const trainable = params.trainable.toLocaleString('en-US');
    const share = percent(params.trainable, macs[unet].params.trainable);
    const flops = `${(paper[i].flops / 1e9).toFixed(2)} | ${percent(paper[i].flops, paper[unet].flops)}`;
    return `| \`${model}\` | ${trainable} | ${share} | ${(operations / 1e9).toFixed(2)} | ${flops} |`;
  });
  return [
    '| network | trainable parameters | of U-Net | GMAC | GFLOP, as the paper counts | of U-Net |',
    '|---|--:|--:|--:|--:|--:|',
    ...rows,
    '',
    'One image of 512 x 512 x 3, one class, by `npx pyconvunet complexity --all --input 512x512x3 [--convention paper]`.',
  ].join('\n');
}

const help = (...args) =>
  `\`\`\`text\n$ pyconvunet ${[...args, '--help'].join(' ')}\n${command(...args, '--help')}\n\`\`\``;

/** A page's text with the part between two markers replaced. */
function fill(text, name, content) {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md has no ${begin} ... ${end}.`);
  return `${text.slice(0, from)}${begin}\n${content}\n${text.slice(to)}`;
}

const commands = ['demo', 'train', 'evaluate', 'predict', 'experiment', 'benchmark', 'complexity', 'draw', 'doctor'];
const studies = join(root, 'docs/studies');
const reports = Object.fromEntries(
  readdirSync(studies)
    .filter((file) => file.endsWith('.json'))
    .map((file) => [file.slice(0, -'.json'.length), JSON.parse(readFileSync(join(studies, file), 'utf8'))]),
);

/** The quick study's tables. */
function quickStudy() {
  const { quick } = reports;
  const parts = quick.datasets.flatMap((set) => [
    `**${set.name}**`,
    '',
    ...scoresTable(quick, set),
    '',
    verdict(quick, set.name),
    '',
  ]);
  const [first] = quick.datasets;
  return [...parts, '**Cost**', '', ...costTable(quick, first.name), '', origin(quick)].join('\n');
}

const read = (page) => (existsSync(join(root, page)) ? readFileSync(join(root, page), 'utf8') : '');
const pages = {
  'README.md': Object.entries({
    complexity: networks(),
    performance: performance(root),
    help: help(),
    study: quickStudy(),
  }).reduce((text, [name, content]) => fill(text, name, content), read('README.md')),
  'docs/commands.md': `# The command\n\nWritten by \`npm run readme\` from what the command prints.\n\n${commands
    .map((name) => `## ${name}\n\n${help(name)}`)
    .join('\n\n')}\n`,
  ...Object.fromEntries(
    Object.entries(reports).map(([name, report]) => [`docs/studies/${name}.md`, studyPage(name, report)]),
  ),
};

const isCheck = process.argv.includes('--check');
for (const [page, text] of Object.entries(pages)) {
  if (read(page) === text) continue;
  if (isCheck) {
    console.error(`${page} does not show what the command prints now. Run npm run readme.`);
    process.exitCode = 1;
  } else {
    writeFileSync(join(root, page), text);
  }
}
