/** The command: its subcommands, exit codes and messages. */
import { Command, CommanderError } from 'commander';
import { DataError, InvalidArgumentError, OutOfMemoryError, UnsupportedBackendError } from '../runtime/errors.js';
import { version } from '../runtime/version.js';
import { benchmarkCommand } from './benchmark.js';
import { complexityCommand } from './complexity.js';
import { demoCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { drawCommand } from './draw.js';
import { evaluateCommand } from './evaluate.js';
import { experimentCommand } from './experiment.js';
import { CommandFailure } from './failure.js';
import { predictCommand } from './predict.js';
import { trainCommand } from './train.js';

const FAILED = 1;
const BAD_USAGE = 2;
/** As shells count a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Errors whose message is for the user; any other one is a mistake of this package and keeps its stack. */
const isForUser = (error: unknown): error is Error =>
  [CommandFailure, DataError, InvalidArgumentError, OutOfMemoryError, UnsupportedBackendError].some(
    (kind) => error instanceof kind,
  );

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** Builds the command; `signal` is aborted by Ctrl-C. */
export function buildProgram(signal: AbortSignal): Command {
  const program = new Command('pyconvunet')
    .description('Train, evaluate and run segmentation networks: PyConvU-Net and its baselines.')
    .version(version)
    .exitOverride()
    .configureHelp({ sortSubcommands: false });
  for (const command of [
    demoCommand,
    trainCommand,
    evaluateCommand,
    predictCommand,
    experimentCommand,
    benchmarkCommand,
    complexityCommand,
    drawCommand,
    doctorCommand,
  ]) {
    program.addCommand(command(signal).exitOverride().copyInheritedSettings(program));
  }
  return program;
}

/** What the file system refuses is the user's to mend, too. */
function fileSystemProblem(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error)) return undefined;
  return `A file could not be read or written: ${error.message}. Check the path, its permissions and the free space.`;
}

function textFor(error: unknown): string {
  if (isForUser(error)) return error.message;
  return fileSystemProblem(error) ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
}

/**
 * Runs the command.
 *
 * @param args Without the runtime and the script.
 * @returns The exit code: 0, 1 (failed), 2 (bad usage), 130 (interrupted).
 */
export async function runCommand(args: readonly string[], signal: AbortSignal): Promise<number> {
  try {
    await buildProgram(signal).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_USAGE;
    if (isAbort(error)) return INTERRUPTED;
    process.stderr.write(`pyconvunet: ${textFor(error)}\n`);
    return FAILED;
  }
}
