/** `pyconvunet complexity`: parameters and operations of the networks. */
import { Command } from 'commander';
import { grouped } from '../complexity/compare.js';
import { complexity, formatComparison } from '../complexity/index.js';
import { create, names as modelNames, type NetworkName } from '../models/index.js';
import { widthOptions } from '../models/widths.js';
import { columns } from './columns.js';
import { startCpu } from './cpu.js';
import { printJson } from './output.js';
import * as parse from './parsers.js';
import { badUsage } from './usage.js';

interface ComplexityFlags {
  readonly model: NetworkName;
  readonly all: boolean;
  readonly input: [number, number, number];
  readonly convention: 'macs' | 'paper';
  readonly classes: number;
  readonly widths?: number[];
  readonly json: boolean;
}

const billions = (value: number): string => (value / 1e9).toFixed(2);

async function run(flags: ComplexityFlags, command: Command): Promise<void> {
  if (flags.all && flags.widths !== undefined)
    badUsage('--all counts the seven networks with their defaults. Leave --widths out, or name one --model.');
  if (flags.all && command.getOptionValueSource('model') === 'cli')
    badUsage(`--all counts all seven networks. Leave --model ${flags.model} out, or --all.`);
  await startCpu();
  const { input, convention, classes } = flags;
  const count = (name: NetworkName) => {
    const model = create(name, {
      inputShape: [null, null, input[2]],
      numClasses: classes,
      seed: 0,
      ...widthOptions(name, flags.widths),
    });
    const result = { ...complexity(model, { inputShape: input, convention }), model: name, classes };
    model.dispose();
    return result;
  };
  if (flags.all) {
    const models = modelNames.map(count);
    if (flags.json) return printJson({ models });
    process.stdout.write(`${formatComparison(models)}\n`);
    return;
  }
  const result = count(flags.model);
  if (flags.json) return printJson(result);
  const rows = result.layers.map(({ name, params, macs }) => [name, grouped(params), grouped(macs)]);
  const { trainable, nonTrainable } = result.params;
  const lines = [
    ...columns([['layer', 'parameters', 'MAC'], ...rows]),
    `${result.model}: ${grouped(trainable)} trainable and ${grouped(nonTrainable)} other parameters, ${billions(result.macs)} GMac (${convention}) at ${input.join('x')}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

export function complexityCommand(): Command {
  return new Command('complexity')
    .description('Count parameters and operations of a network, or of all seven.')
    .option('--model <name>', `network: ${modelNames.join(', ')}`, parse.oneOf(modelNames), 'pyconvunet')
    .option('--all', 'all networks with their defaults', false)
    .option('--input <HxWxC>', 'size of the image', parse.inputShape, [512, 512, 3])
    .option('--convention <name>', 'macs or paper', parse.oneOf(['macs', 'paper'] as const), 'macs')
    .option('--classes <n>', '1: foreground against background', parse.count, 1)
    .option('--widths <a,b,...>', 'channels of each stage', parse.widths)
    .option('--json', 'print one JSON document', false)
    .action(run);
}
