/** A report of the backends, of what each can do here, and of what is wrong with the installation. */
import * as tf from '@tensorflow/tfjs-core';
import { type Capabilities, capabilitiesOf } from './capabilities.js';
import { type EngineReport, isPassed } from './engineReport.js';
import { detectEnvironment, type Environment } from './environment.js';
import { findProvider, KNOWN_BACKENDS, type Probe, registeredBackends, type StartOptions } from './providers.js';
import { messageOf, withoutPeriod } from './sentences.js';
import { findTfjsCopies, type TfjsCopies } from './tfjsCopies.js';

/** One backend in the report. */
export interface BackendReport extends Capabilities {
  readonly name: string;
  /** It was imported and can start here. */
  readonly available: boolean;
  /** What was found, or what is missing and what to do. */
  readonly reason: string;
  /** tfjs's current backend is this one. */
  readonly current: boolean;
  /** The graphics adapter, or null. */
  readonly adapter: string | null;
  /** The adapter computes on the CPU. */
  readonly software: boolean;
  /** The kernels that this package brings for it, tested; null for other backends and where they do not run. */
  readonly engine: EngineReport | null;
}

/** What {@link doctor} found. */
export interface DoctorReport extends Environment {
  readonly backends: readonly BackendReport[];
  readonly tfjs: TfjsCopies;
  /** Each a sentence with what to do; empty where all is well. */
  readonly problems: readonly string[];
}

async function probe(name: string, options: StartOptions): Promise<Probe> {
  const provider = findProvider(name);
  if (provider === undefined) {
    const module = KNOWN_BACKENDS.find((backend) => backend.name === name)?.module ?? name;
    return { available: false, reason: `Not imported. Add the line: import '${module}';` };
  }
  try {
    return await provider.probe(options);
  } catch (error) {
    return { available: false, reason: messageOf(error) };
  }
}

/** Asks a backend for its engine; what keeps it from running is a problem. */
async function inspect(name: string, problems: string[]): Promise<EngineReport | null> {
  try {
    const engine = (await findProvider(name)?.inspect?.()) ?? null;
    for (const test of engine?.selfTest ?? []) {
      if (isPassed(test)) continue;
      problems.push(
        `The planned engine computes wrong results here: ${test.algorithm}, ${test.of}, is off by ${test.error?.toExponential(1) ?? 'values that are not finite'}, more than ${test.bound}. Use another backend, and report the runtime and the processor.`,
      );
    }
    return engine;
  } catch (error) {
    problems.push(`The planned engine does not run here: ${withoutPeriod(messageOf(error))}.`);
    return null;
  }
}

async function reportBackend(name: string, options: StartOptions, problems: string[]): Promise<BackendReport> {
  const { available, reason, adapter, software } = await probe(name, options);
  const { forward, training, missing } = capabilitiesOf(name);
  // Where SIMD is missing, that is the problem.
  if (!available && findProvider(name)?.inspect !== undefined && detectEnvironment().simd) {
    problems.push(`The planned engine does not run here: ${reason}`);
  }
  return {
    name,
    available,
    reason,
    forward: available && forward,
    training: available && training,
    missing: available ? missing : [],
    current: tf.getBackend() === name,
    adapter: adapter ?? null,
    software: software ?? false,
    engine: available ? await inspect(name, problems) : null,
  };
}

/**
 * Reports which backends are there and what each can do, two copies of tfjs-core, and what the runtime lacks. Of backend wasm it says
 * whose kernels run, the instructions, threads and memory, and tests every algorithm of the planned engine against float64.
 * Starts no backend and leaves the current one as it is; 'pyconvunet/tensorflow', where imported, loads tfjs-node to see
 * whether it loads.
 *
 * @param options For webgpu: `gpu`, where there is no `navigator.gpu`.
 * @returns The backends (known ones first), tfjs's version and copies, the runtime, and the problems found.
 * @example
 * ```ts
 * import 'pyconvunet/wasm';
 * import { doctor } from 'pyconvunet';
 *
 * const { backends, problems } = await doctor();
 * console.log(backends.find(({ name }) => name === 'wasm')?.training, problems); // true []
 * ```
 */
export async function doctor(options: StartOptions = {}): Promise<DoctorReport> {
  const environment = detectEnvironment();
  const names = new Set([...KNOWN_BACKENDS.map((backend) => backend.name as string), ...registeredBackends()]);
  const tfjs = findTfjsCopies();
  const problems = [...tfjs.evidence];
  const backends: BackendReport[] = [];
  for (const name of names) backends.push(await reportBackend(name, options, problems));
  if (!environment.simd) {
    problems.push(
      'This runtime has no WebAssembly SIMD, which backend wasm needs: use a newer browser or Node >= 20.19.',
    );
  }
  if (!backends.some((backend) => backend.available)) {
    problems.push("No backend is available. Add the line: import 'pyconvunet/wasm';");
  }
  return { ...environment, backends, tfjs, problems };
}
