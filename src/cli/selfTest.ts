/** The engine's test of itself, as commands say it. */
import type { DoctorReport } from '../runtime/doctor.js';
import { isPassed, type SelfTest } from '../runtime/engineReport.js';
import { CommandFailure } from './failure.js';

/** One test with its error. */
export const testText = ({ algorithm, of, error, bound }: SelfTest): string =>
  `${algorithm}, ${of}: ${error === null ? 'not finite' : error.toExponential(1)} of at most ${bound}`;

/** Ends the command where a kernel computes wrong results. */
export function requireSelfTest({ backends }: DoctorReport): void {
  const failed = backends.flatMap(({ engine }) => engine?.selfTest ?? []).find((test) => !isPassed(test));
  if (failed !== undefined) throw new CommandFailure(`The self-test failed: ${testText(failed)}.`);
}
