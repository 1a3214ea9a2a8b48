// A study's report.json as tables in Markdown, for README.md and docs/studies.

const score = (value) => (value === null ? 'none' : value.toFixed(4));
const interval = ({ dice, reason }) => (dice === null ? `none: ${reason}` : `${score(dice[0])} to ${score(dice[1])}`);
const seconds = (value) => (value === null ? 'none' : value >= 10 ? value.toFixed(0) : value.toPrecision(2));
const spread = (value) => (value === null ? '' : ` ± ${value.toFixed(4)}`);
const table = (head, align, rows) => [
  `| ${head.join(' | ')} |`,
  `|${align.map((side) => (side === 'r' ? '--:' : '---')).join('|')}|`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
];

/** The rows of one data set. */
const rowsOf = ({ rows }, name) => rows.filter(({ dataset }) => dataset === name);

/** Table 1. */
export function datasetsTable({ datasets }) {
  const split = ({ split, groups }) =>
    ({ images: 'by image', groups: `by group (${groups})`, blocks: 'blocks of one specimen' })[split];
  return table(
    ['data', 'images', 'size', 'training', 'validation', 'test', 'parts', 'foreground'],
    ['l', 'r', 'r', 'r', 'r', 'r', 'l', 'r'],
    datasets.map((set) => [
      set.name,
      set.images,
      `${set.size.join(' x ')} x ${set.channels}`,
      set.train,
      set.validation,
      set.test,
      split(set),
      `${(100 * set.foreground).toFixed(1)} %`,
    ]),
  );
}

/** Table 2, best and last epoch apart, the trivial predictors beneath. */
export function scoresTable(report, { name, trivial }) {
  const isTested = report.rows.some(({ test }) => test !== null);
  const lastEpoch = isTested ? 'validation, last epoch' : 'last epoch';
  const networks = rowsOf(report, name).map(({ model, best: validated, test, last }) => {
    const best = test ?? validated;
    return [
      `\`${model}\``,
      `${score(best.dice)}${spread(best.seedSd.dice)}`,
      interval(best.confidence),
      `${score(best.meanIoU)}${spread(best.seedSd.meanIoU)}`,
      best.perImage.hausdorff95.median === null ? 'none' : best.perImage.hausdorff95.median.toFixed(1),
      score(last.dice),
      score(last.meanIoU),
    ];
  });
  const { polarity, threshold } = trivial.bestThreshold;
  const predictors = [
    ['all foreground', trivial.allForeground],
    [`Otsu (${trivial.otsu.polarity})`, trivial.otsu],
    [`best threshold (${polarity}, ${threshold.toFixed(3)})`, trivial.bestThreshold],
  ].map(([title, { dice, meanIoU }]) => [title, score(dice), '', score(meanIoU), '', '', '']);
  return table(
    [
      '',
      `Dice, ${isTested ? 'test part, best epoch' : 'best epoch'}`,
      '95 % interval',
      'MIoU',
      'median HD95 (pixels)',
      `Dice, ${lastEpoch}`,
      `MIoU, ${lastEpoch}`,
    ],
    ['l', 'r', 'l', 'r', 'r', 'r', 'r'],
    [...networks, ...predictors],
  );
}

/** What is separated from what, in a sentence. */
export function verdict({ comparisons }, name) {
  const { best, part } = comparisons.find(({ dataset }) => dataset === name);
  if (best.name !== null) return `Separated from every other network on the ${part} part: \`${best.name}\`.`;
  return `No network is marked best: ${best.reason}.`;
}

/** Table 3 with what was measured. */
export function costTable(report, name) {
  return table(
    ['network', 'parameters', 'GMac', 's per image', 's per epoch', 'peak of tensors in training (MB)'],
    ['l', 'r', 'r', 'r', 'r', 'r'],
    rowsOf(report, name).map(({ model, secondsPerImage, secondsPerEpoch, peakBytes }) => {
      const { params, macs } = report.complexity.find((each) => each.model === model);
      return [
        `\`${model}\``,
        params.toLocaleString('en-US'),
        (macs / 1e9).toFixed(3),
        seconds(secondsPerImage),
        seconds(secondsPerEpoch),
        (peakBytes.training / 1e6).toFixed(0),
      ];
    }),
  );
}

/** Where and with what it ran. */
const machineText = ({ backend, threads, processor }) =>
  [
    `backend ${backend}`,
    ...(threads === null ? [] : [threads === 1 ? 'one thread' : `${threads} threads`]),
    processor,
  ].join(', ');

export function origin({ machines, versions, config }) {
  const { epochs, batch, augment, loss, learningRate, seeds, widths } = config;
  const with_ = [
    `${epochs} epochs`,
    `batch ${batch}`,
    `augmentation '${augment}'`,
    `loss ${loss}`,
    `Adam ${learningRate}`,
    `seeds ${seeds.join(', ')}`,
    `widths ${widths === null ? "the networks' own" : widths.join(', ')}`,
  ].join(', ');
  return `${with_}. Measured on ${machines.map(machineText).join('; ')}; pyconvunet ${versions.pyconvunet}, Node ${versions.node}.`;
}

/** A whole page of docs/studies. */
export function studyPage(name, report) {
  const parts = report.datasets.map((set) =>
    [
      `## ${set.name}`,
      ...(set.origin === null ? [] : ['', `${set.origin}.`]),
      '',
      ...scoresTable(report, set),
      '',
      verdict(report, set.name),
      '',
      ...costTable(report, set.name),
    ].join('\n'),
  );
  return [
    `# Study ${name}`,
    '',
    `Written by \`npm run readme\` from [${name}.json](${name}.json), the report.json of \`${report.command}\`; its configuration is in that file.`,
    '',
    origin(report),
    '',
    ...datasetsTable(report),
    '',
    ...parts.flatMap((part) => [part, '']),
    '## How it was counted',
    '',
    ...report.definitions.map((sentence) => `- ${sentence}`),
    ...(report.deviations.length === 0
      ? []
      : ['', '## What differs from the paper', '', ...report.deviations.map((each) => `- ${each}`)]),
    '',
  ].join('\n');
}
