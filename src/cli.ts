#!/usr/bin/env node
/** The command `pyconvunet`. */
import { runCommand } from './cli/program.js';

const controller = new AbortController();
process.on('SIGINT', () => {
  // A second Ctrl-C does not wait for the step to end.
  if (controller.signal.aborted) process.exit(130);
  controller.abort();
});

// A reader that goes away (`pyconvunet ... | head`) takes no more lines, but the work, a training say, goes on to its end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

void runCommand(process.argv.slice(2), controller.signal).then((code) => {
  process.exitCode = code;
});
