// The command line of bench/run.mjs.
import { parseArgs } from 'node:util';
import { CONTENDERS } from './contenders.mjs';

export const NETWORKS = {
  pyconvunet: 'PyConvU-Net',
  unet: 'U-Net',
  'unet++': 'UNet++',
  'attention-unet': 'Attention U-Net',
  'resnet34-unet': 'ResNet34_UNet',
  multiresunet: 'MultiResUNet',
  fcn8s: 'FCN8s',
};
/** What is timed where no networks are named. */
const USUAL = ['pyconvunet', 'unet'];
const WORKS = ['inference', 'training'];

export const USAGE = `node bench/run.mjs [options]
  --work inference|training   what is timed (inference): one image, or one training step on one image
  --networks NAMES            of ${Object.keys(NETWORKS).join(', ')} (${USUAL})
  --threads N                 threads of every contender (1)
  --rounds N                  turns of each contender (9)
  --samples N                 runs in a turn (3)
  --only NAMES                of ${Object.keys(CONTENDERS).join(', ')}; all but the last
  --node PATH                 the Node that runs this package and tfjs-wasm (this one)
  --python PATH               the Python of the others (PYTHON, or python3)
  --data DIR                  weights, inputs, models and the browser (bench/.work)
  --json FILE                 results (bench/results/<work>-<threads>.json, where all contenders ran on the usual networks)
`;

/** A mistake in the command line: one sentence for the reader. */
export class UsageError extends Error {}

const DEFAULTS = { work: 'inference', threads: '1', rounds: '9', samples: '3' };
const NAMES = [...Object.keys(DEFAULTS), 'networks', 'only', 'node', 'python', 'data', 'json'];

function parse(args) {
  const text = Object.fromEntries(NAMES.map((name) => [name, { type: 'string', default: DEFAULTS[name] }]));
  try {
    return parseArgs({ args, options: { ...text, help: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** A whole number above 0. */
export function count(option, text) {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`--${option} must be a whole number above 0. Received: ${text}.`);
}

/** Refuses what is none of the legal values; `what`: who takes them. */
export function requireAmong(what, values, legal) {
  const unknown = values.filter((value) => !legal.includes(value));
  if (unknown.length > 0) throw new UsageError(`${what} takes ${legal.join(', ')}. Received: ${unknown.join(', ')}.`);
}

function among(option, text, legal) {
  const names = text.split(',').map((name) => name.trim());
  requireAmong(`--${option}`, names, legal);
  return names;
}

/** @param {string[]} args What follows the script. */
export function readOptions(args) {
  const given = parse(args);
  const usual = Object.keys(CONTENDERS).filter((id) => CONTENDERS[id].onlyWhenNamed !== true);
  const [work] = among('work', given.work, WORKS);
  const networks = given.networks === undefined ? USUAL : among('networks', given.networks, Object.keys(NETWORKS));
  const contenders = given.only === undefined ? usual : among('only', given.only, Object.keys(CONTENDERS));
  return {
    help: given.help === true,
    work,
    networks,
    contenders,
    /** Every contender takes part, on the usual networks. */
    complete: given.networks === undefined && usual.every((id) => contenders.includes(id)),
    threads: count('threads', given.threads),
    rounds: count('rounds', given.rounds),
    samples: count('samples', given.samples),
    node: given.node ?? process.execPath,
    python: given.python ?? process.env.PYTHON ?? 'python3',
    data: given.data,
    json: given.json,
  };
}
