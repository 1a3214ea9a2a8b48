/** `pyconvunet draw`: a network, or its pyramidal convolution, as an SVG figure. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { networkFigure, pyConvFigure, pyConvSpecOf } from '../figures/index.js';
import { create, names as modelNames, type NetworkName } from '../models/index.js';
import { widthOptions } from '../models/widths.js';
import { DataError } from '../runtime/errors.js';
import { writeAtomically } from '../training/files/index.js';
import { startCpu } from './cpu.js';
import { createOutput, printJson } from './output.js';
import * as parse from './parsers.js';
import { badUsage } from './usage.js';

interface DrawFlags {
  readonly model: NetworkName;
  readonly figure: 'network' | 'pyconv';
  readonly input: [number, number, number];
  readonly classes: number;
  readonly widths?: number[];
  readonly layer?: string;
  readonly out?: string;
  readonly json: boolean;
}

function svgOf({ model: name, figure, input, classes, widths, layer }: DrawFlags): string {
  const model = create(name, {
    inputShape: [null, null, input[2]],
    numClasses: classes,
    seed: 0,
    ...widthOptions(name, widths),
  });
  try {
    if (figure === 'network') return networkFigure(model, { inputShape: input });
    const spec = pyConvSpecOf(model, { inputShape: input, ...(layer === undefined ? {} : { layer }) });
    return pyConvFigure(spec, layer === undefined ? {} : { title: `Pyramidal convolution ${layer} of ${name}` });
  } finally {
    model.dispose();
  }
}

/** A folder in the file's place would be refused by the system in words that name a temporary file. */
async function checkTarget(path: string): Promise<void> {
  const target = await stat(path).catch(() => undefined);
  if (target?.isDirectory()) {
    throw new DataError(`--out is a folder (${path}). Give the path of a file, such as ${path}/network.svg.`);
  }
}

async function run(flags: DrawFlags): Promise<void> {
  const { model, figure, input, layer, out, json } = flags;
  if (figure === 'network' && layer !== undefined) {
    badUsage('--layer chooses a pyramidal convolution: it needs --figure pyconv.');
  }
  if (out !== undefined) await checkTarget(out);
  await startCpu();
  const svg = svgOf(flags);
  if (out === undefined) {
    if (json) printJson({ model, figure, inputShape: input, svg });
    else process.stdout.write(svg);
    return;
  }
  await mkdir(dirname(out), { recursive: true });
  await writeAtomically(out, svg);
  if (json) printJson({ model, figure, inputShape: input, file: out });
  else createOutput({ json }).log(out);
}

export function drawCommand(): Command {
  return new Command('draw')
    .description('Draw a network, or its pyramidal convolution, as SVG.')
    .option('--model <name>', `network: ${modelNames.join(', ')}`, parse.oneOf(modelNames), 'pyconvunet')
    .option('--figure <name>', 'network or pyconv', parse.oneOf(['network', 'pyconv'] as const), 'network')
    .option('--input <HxWxC>', 'size of the image', parse.inputShape, [512, 512, 3])
    .option('--classes <n>', '1: foreground against background', parse.count, 1)
    .option('--widths <a,b,...>', 'channels of each stage', parse.widths)
    .option('--layer <name>', 'of --figure pyconv: the layer, such as encoder2/pyconv (default: the first)')
    .option('--out <file>', 'where to write the figure (default: standard output)')
    .option('--json', 'print one JSON document', false)
    .action(run);
}
