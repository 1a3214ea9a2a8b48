// What the times were measured on.
import { execFileSync } from 'node:child_process';
import { arch, cpus, platform, release, totalmem } from 'node:os';

/**
 * @param {{node: string}} options
 * @param {Record<string, string | null>} versions Of Python and its packages.
 */
export function describeMachine({ node }, versions) {
  const [{ model }, ...others] = cpus();
  return {
    processor: model.trim(),
    cores: 1 + others.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
    python: versions.python,
  };
}

/** One line. */
export function machineText({ processor, cores, memoryGiB, system, node, python }) {
  return `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}; Node ${node.replace(/^v/, '')}, Python ${python}`;
}
