/** `pyconvunet doctor`: what this machine can run, and whether it computes rightly. */
import { Command } from 'commander';
import { type BackendReport, doctor } from '../runtime/doctor.js';
import { type EngineReport, isPassed, type SelfTest } from '../runtime/engineReport.js';
import { gibibytes } from '../training/index.js';
import { printJson } from './output.js';
import './backend.js';
import { requireSelfTest, testText } from './selfTest.js';

/** The test that is nearest to its bound, or beyond it. */
const worstOf = (tests: readonly SelfTest[]): SelfTest | undefined => {
  const share = ({ error, bound }: SelfTest) => (error === null ? Number.POSITIVE_INFINITY : error / bound);
  return tests.reduce<SelfTest | undefined>(
    (worst, test) => (worst === undefined || share(test) > share(worst) ? test : worst),
    undefined,
  );
};

function engineLines({ kernels, simd, threads, memory, selfTest }: EngineReport): string[] {
  const worst = worstOf(selfTest);
  const heap = memory.heap === null ? 'not started' : gibibytes(memory.heap);
  const passed = selfTest.filter(isPassed).length;
  return [
    `kernels: ${kernels.ours.length} of this package, ${kernels.tfjs} of TensorFlow.js; networks are planned`,
    `instructions: ${simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD128'}`,
    `threads: up to ${threads.possible}. ${threads.reason}`,
    `memory: up to ${gibibytes(memory.limit)} for a plan, and for TensorFlow.js (${heap})`,
    `self-test against float64: ${passed} of ${selfTest.length} passed${worst === undefined ? '' : `; worst relative error: ${testText(worst)}`}`,
  ];
}

function backendLines({ name, available, reason, engine }: BackendReport): string[] {
  const line = `${available ? 'yes' : 'no '}  ${name}${reason === '' ? '' : `  ${reason}`}`;
  return [line, ...(engine === null ? [] : engineLines(engine).map((each) => `     ${each}`))];
}

async function run({ json }: { readonly json: boolean }): Promise<void> {
  const report = await doctor();
  if (json) printJson(report);
  else {
    const lines = [
      ...report.backends.flatMap(backendLines),
      ...report.problems.map((problem) => `problem: ${problem}`),
    ];
    for (const line of lines) process.stdout.write(`${line}\n`);
  }
  requireSelfTest(report);
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('List the backends and what each can do here, and test the kernels of this package.')
    .option('--json', 'print one JSON document', false)
    .action(run);
}
