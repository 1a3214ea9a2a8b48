/** `pyconvunet benchmark`: how fast networks are on this machine, on each backend that it has. */
import { Command } from 'commander';
import {
  type BenchmarkProgress,
  benchmark,
  type NetworkResult,
  type Place,
  type Subject,
  type Work,
} from '../benchmark/index.js';
import { create, names as modelNames, type NetworkName } from '../models/index.js';
import { widthOptions } from '../models/widths.js';
import { doctor } from '../runtime/doctor.js';
import { UnsupportedBackendError } from '../runtime/errors.js';
import { withoutPeriod } from '../runtime/sentences.js';
import { startBackend } from './backend.js';
import { printBenchmark } from './benchmarkTable.js';
import { CommandFailure } from './failure.js';
import { describeMachine } from './machine.js';
import { createOutput, printJson } from './output.js';
import * as parse from './parsers.js';
import { loadRunModel } from './runModel.js';
import type { BenchmarkDocument } from './schemas.js';
import { requireSelfTest } from './selfTest.js';
import { badUsage } from './usage.js';

interface BenchmarkFlags {
  readonly run?: string;
  readonly model?: NetworkName[];
  readonly work: Work;
  readonly size?: [number, number];
  readonly widths?: number[];
  readonly batch?: number;
  readonly threads: number[];
  readonly rounds: number;
  readonly profile: boolean;
  readonly json: boolean;
}

const WORKS = ['inference', 'training'] as const;
const USUAL_MODELS: NetworkName[] = ['pyconvunet', 'unet'];

/** Backends that take part where they start. cpu does not: it computes for minutes what the others do in seconds. */
const BACKENDS = ['wasm', 'webgpu', 'tensorflow'];

/** Starts every backend that is there. */
async function findPlaces(): Promise<{ places: Place[]; skipped: BenchmarkDocument['skipped'] }> {
  const places: Place[] = [];
  const skipped: BenchmarkDocument['skipped'] = [];
  for (const backend of BACKENDS) {
    try {
      const { name, threads } = await startBackend(backend, () => {});
      places.push({ name, threads });
    } catch (error) {
      if (!(error instanceof UnsupportedBackendError)) throw error;
      skipped.push({ backend, reason: error.message });
    }
  }
  return { places, skipped };
}

function subjectsOf({ run, model, widths }: BenchmarkFlags): Subject[] {
  if (run !== undefined) return [{ name: run, build: () => loadRunModel(run) }];
  return (model ?? USUAL_MODELS).map((name) => {
    const options = widthOptions(name, widths);
    return { name, build: async () => create(name, { inputShape: [null, null, 1], seed: 0, ...options }) };
  });
}

function checkFlags({ run, model, widths, work, batch }: BenchmarkFlags): void {
  if (run !== undefined && (model !== undefined || widths !== undefined)) {
    badUsage('--run brings its network. Leave --model and --widths out, or leave --run out.');
  }
  if (work === 'inference' && batch !== undefined) {
    badUsage('--batch is of a training step; a prediction is of one image. Leave it out, or give --work training.');
  }
}

/** Ends with what must not be overlooked: a contender that is wrong or failed, or a network that nobody computed. */
function refuseFailures({ name, timed, notTimed }: NetworkResult): void {
  const [skipped] = notTimed;
  const bad = notTimed.find(({ status }) => status !== 'skipped');
  if (bad !== undefined) {
    const { backend, way, reason, status } = bad;
    throw new CommandFailure(
      `${backend} ${way} ${status === 'wrong' ? 'is wrong' : 'failed'} on ${name}, and was not timed: ${withoutPeriod(reason)}.`,
    );
  }
  if (timed.length === 0 && skipped !== undefined) {
    throw new CommandFailure(`Nothing computes ${name} here: ${withoutPeriod(skipped.reason)}.`);
  }
}

const progressText = ({ network, contender }: BenchmarkProgress): string => `${network}, ${contender}`;

async function run(flags: BenchmarkFlags, signal: AbortSignal): Promise<void> {
  checkFlags(flags);
  const output = createOutput(flags);
  const { work, size, threads, rounds, batch: batchSize = 1, profile: isProfiled } = flags;
  const subjects = subjectsOf(flags);
  // Before the benchmark makes the load itself.
  const machine = describeMachine();
  const { places, skipped } = await findPlaces();
  // Kernels of this package also run layer by layer, so that contenders may share a mistake: it is looked for first.
  requireSelfTest(await doctor());
  const settings = { work, batchSize, threads, rounds, isProfiled, ...(size === undefined ? {} : { size }) };
  const networks = await output.withProgress<BenchmarkProgress, NetworkResult[]>(progressText, (onProgress) =>
    benchmark(subjects, { ...settings, backends: places }, { signal, onProgress, log: (line) => output.log(line) }),
  );
  const document: BenchmarkDocument = { work, batch: batchSize, rounds, machine, skipped, networks };
  if (flags.json) printJson(document);
  printBenchmark(document, output);
  for (const network of networks) refuseFailures(network);
}

export function benchmarkCommand(signal: AbortSignal): Command {
  return new Command('benchmark')
    .description('Measure how fast networks are on this machine, on every backend that it has.')
    .option('--run <run>', "your own network: the folder that 'train' wrote")
    .option(
      '--model <a,b,...>',
      `networks with random weights: ${modelNames.join(', ')}; default ${USUAL_MODELS.join(',')}`,
      parse.someOf(modelNames),
    )
    .option('--work <kind>', 'inference of one image, or a training step', parse.oneOf(WORKS), 'inference')
    .option(
      '--size <n>',
      'N or HEIGHTxWIDTH pixels; default the one that the run was trained with by --size, else 256',
      parse.size,
    )
    .option('--widths <a,b,...>', 'channels of each stage', parse.widths)
    .option('--batch <n>', 'images in a training step; default 1', parse.count)
    .option('--threads <a,b,...>', 'threads of the planned engine, each measured', parse.severalThreads, [1])
    .option('--rounds <n>', 'turns of each contender; more where the spread is large', parse.count, 5)
    .option('--profile', 'also show where the time of the planned network goes', false)
    .option('--json', 'print one JSON document', false)
    .action((flags: BenchmarkFlags) => run(flags, signal));
}
