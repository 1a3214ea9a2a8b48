// The results of bench/ as tables in Markdown, for README.md.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const NETWORKS = { pyconvunet: 'PyConvU-Net', unet: 'U-Net' };
const OURS = 'pyconvunet';

const milliseconds = (ms) => (ms < 100 ? ms.toFixed(1) : ms.toFixed(0));
const times = (ratio) => `${ratio.toFixed(2)}x`;

const of = (results, network, id) => results.networks[network]?.timed.find((entry) => entry.id === id);

/** Time of a contender, and how many times ours it is. */
function cell(results, network, id) {
  const entry = of(results, network, id);
  if (entry === undefined) return '-';
  const ms = `${milliseconds(entry.ms)} ms`;
  return id === OURS ? `**${ms}**` : `${ms} (${times(entry.ratioToOurs)})`;
}

/** A row a contender, in the order in which they were named; columns of each network in each result. */
function contenders(columns) {
  const ids = [
    ...new Set(columns.flatMap(({ results, network }) => results.networks[network]?.timed.map(({ id }) => id) ?? [])),
  ];
  const nameOf = (id) => {
    const { name, version } = columns
      .map(({ results, network }) => of(results, network, id))
      .find((entry) => entry !== undefined);
    return id === OURS ? `**${name}**` : `${name} ${version}`;
  };
  return [
    `| | ${columns.map(({ title }) => title).join(' | ')} |`,
    `|---|${columns.map(() => '--:').join('|')}|`,
    ...ids.map(
      (id) => `| ${[nameOf(id), ...columns.map(({ results, network }) => cell(results, network, id))].join(' | ')} |`,
    ),
  ];
}

const threadsOf = ({ threads }) => (threads === 1 ? '1 thread' : `${threads} threads`);

/** The five other networks beside the fastest of the web's runtimes. */
function others(results) {
  const rows = Object.entries(results.networks).flatMap(([network, { timed }]) => {
    const ours = timed.find(({ id }) => id === OURS);
    const [best] = timed.filter(({ id }) => id !== OURS).sort((a, b) => a.ms - b.ms);
    if (ours === undefined || best === undefined) return [];
    return [
      `| \`${network}\` | ${milliseconds(ours.ms)} ms | ${milliseconds(best.ms)} ms, ${best.name} | ${times(best.ratioToOurs)} |`,
    ];
  });
  return ['| network | pyconvunet | fastest of LiteRT.js and onnxruntime-web | |', '|---|--:|--:|--:|', ...rows];
}

function load(root, name) {
  const file = join(root, 'bench/results', `${name}.json`);
  if (!existsSync(file)) throw new Error(`bench/results/${name}.json is missing: see bench/README.md.`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The share of U-Net's time that PyConvU-Net takes here and elsewhere. */
function lightness(results) {
  const share = (id) => of(results, 'pyconvunet', id).ms / of(results, 'unet', id).ms;
  const peers = results.networks.pyconvunet.timed
    .map(({ id }) => id)
    .filter((id) => id !== OURS && of(results, 'unet', id) !== undefined);
  const all = peers.map(share);
  return { ours: share(OURS), least: Math.min(...all), most: Math.max(...all) };
}

/** How much longer than its fastest turn each contender's slowest one took, in order. */
const spreads = (all) =>
  all
    .flatMap((results) => Object.values(results.networks).flatMap(({ timed }) => timed.map(({ spread }) => spread)))
    .sort((a, b) => a - b);

/** The whole section. */
export function performance(root) {
  const [inference, inference2, training, training2, base, networks] = [
    'inference-1',
    'inference-2',
    'training-1',
    'training-2',
    'inference-1-simd128',
    'networks-1',
  ].map((name) => load(root, name));
  const { machine, date } = inference;
  const columns = (list) =>
    list.flatMap((results) =>
      Object.entries(NETWORKS).map(([network, title]) => ({
        results,
        network,
        title: `${title}, ${threadsOf(results)}`,
      })),
    );
  const { ours, least, most } = lightness(inference);
  const simd128 = of(base, 'pyconvunet', OURS);
  const native = of(base, 'pyconvunet', 'onnxruntime');
  const all = spreads([inference, inference2, training, training2, base, networks]);
  const usual = all[Math.floor(all.length / 2)] ?? 0;
  return [
    `One image of 256 x 256 x 3, float32, ${machine.processor}, ${machine.cores} cores, Node ${machine.node.replace(/^v/, '')}, ${date}. The least of the turns' medians; in brackets, how many times ours. Every contender's output was checked first, and all took turns; the machine is shared: half of the contenders kept within ${(100 * usual).toFixed(0)} % of their fastest turn, and one took up to ${times(1 + (all.at(-1) ?? 0))} as long.`,
    '',
    ...contenders(columns([inference, inference2])),
    '',
    `Without relaxed SIMD (Node ${base.machine.node.replace(/^v/, '')}) PyConvU-Net takes ${milliseconds(simd128.ms)} ms, where onnxruntime takes ${milliseconds(native.ms)} ms (${times(native.ratioToOurs)}) in the same pass.`,
    '',
    'A training step (forward, backward, Adam) on the same image:',
    '',
    ...contenders(columns([training, training2])),
    '',
    'The other networks, one thread:',
    '',
    ...others(networks),
    '',
    `PyConvU-Net has 0.455 of U-Net's multiplications. It takes ${ours.toFixed(2)} of U-Net's time here, ${least.toFixed(2)} to ${most.toFixed(2)} of it elsewhere. The bound is not 0.455: what is left to multiply after Winograd's and Strassen's algorithms is 0.83 of U-Net's, as the first saves most in dense 3x3 convolutions and less in small groups and 1x1 ([decisions](docs/decisions.md#what-bounds-pyconvu-net-against-u-net)).`,
    '',
    'Measured by [bench/](bench/README.md), which has one command for each contender; `npx pyconvunet benchmark` times your machine and your network.',
  ].join('\n');
}
