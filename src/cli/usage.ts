/** Bad usage that only the whole set of options shows. */
import { CommanderError } from 'commander';

/** Ends the command with exit code 2 and one sentence. */
export function badUsage(sentence: string): never {
  process.stderr.write(`error: ${sentence}\n`);
  throw new CommanderError(1, 'pyconvunet.usage', sentence);
}
