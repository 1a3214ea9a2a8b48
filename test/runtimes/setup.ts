/** The package installed as a user of every entry has it: with the optional peer of entry `webgpu`. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import setupPackage from '../package/setup.js';
import type { Training } from './compare.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** What the training of smoke.js gives on tfjs's backend cpu, in plain loops, in this Node. */
    reference: Training;
  }
}

export default function setup(context: TestProject): () => void {
  const teardown = setupPackage(context);
  const { project } = context.getProvidedContext();
  const peer = '@tensorflow/tfjs-backend-webgpu@4.22.0';
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', peer], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  copyFileSync(join(import.meta.dirname, 'smoke.js'), join(project, 'smoke.js'));
  writeFileSync(
    join(project, 'reference.js'),
    "import '@tensorflow/tfjs-backend-cpu';\nimport { train } from './smoke.js';\nconsole.log(JSON.stringify(await train('cpu')));\n",
  );
  const printed = execFileSync(process.execPath, ['reference.js'], { cwd: project, encoding: 'utf8' });
  context.provide('reference', JSON.parse(printed.trim().split('\n').at(-1) ?? '') as Training);
  return teardown;
}
