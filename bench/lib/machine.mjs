// What the times were measured on.
import { execFileSync } from 'node:child_process';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';

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
    /** Processes that already wanted a core, mean of the minute before: near 0, or the times are not to be trusted. */
    loadBefore: Number(loadavg()[0].toFixed(1)),
  };
}

/** One line. */
export function machineText({ processor, cores, memoryGiB, system, node, python, loadBefore }) {
  const versions = `Node ${node.replace(/^v/, '')}, Python ${python}`;
  return `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}; ${versions}; load before ${loadBefore}`;
}
