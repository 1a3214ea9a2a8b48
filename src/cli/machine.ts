/** The machine that a benchmark ran on. */
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import { detectEnvironment } from '../runtime/environment.js';
import { gibibytes } from '../training/index.js';

/** What must be known of a machine to read its times. */
export function describeMachine() {
  const { runtime, relaxedSimd, cores } = detectEnvironment();
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
    runtime,
    simd: relaxedSimd ? ('relaxed' as const) : ('simd128' as const),
    // Processes that already wanted a core, mean of the minute before: near 0, or the times are not to be trusted.
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

/** One line. */
export function machineLine(machine: ReturnType<typeof describeMachine>): string {
  const { processor, cores, memoryBytes, system, runtime, simd, loadBefore } = machine;
  const instructions = simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD128';
  return `${processor}, ${cores ?? '?'} cores, ${gibibytes(memoryBytes)}, ${system}; ${runtime.name} ${runtime.version}, wasm with ${instructions}; load before: ${loadBefore}`;
}
