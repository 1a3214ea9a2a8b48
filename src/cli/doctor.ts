/** `pyconvunet doctor`: what this machine can run. */
import { Command } from 'commander';
import { doctor } from '../runtime/doctor.js';
import { printJson } from './output.js';
import './backend.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('List the backends and what each can do here.')
    .option('--json', 'print one JSON document', false)
    .action(async ({ json }: { json: boolean }) => {
      const report = await doctor();
      if (json) return printJson(report);
      for (const { name, available, reason } of report.backends) {
        process.stdout.write(`${available ? 'yes' : 'no '}  ${name}${reason ? `  ${reason}` : ''}\n`);
      }
      return undefined;
    });
}
