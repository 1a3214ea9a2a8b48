/** Choosing a backend: by name, or the best of those that were imported and can start here. */
import * as tf from '@tensorflow/tfjs-core';
import { detectEnvironment } from './environment.js';
import { InvalidArgumentError, UnsupportedBackendError } from './errors.js';
import type { BackendProvider, Probe, StartOptions } from './providers.js';
import { findProvider, KNOWN_BACKENDS, READERS, registeredBackends } from './providers.js';
import { messageOf } from './sentences.js';
import { checkThreads } from './threads.js';

/** Options of {@link useBackend}. */
export interface BackendOptions extends StartOptions {
  /** Receives one line that says what was chosen and why; default `console.info`. `() => {}` silences it. */
  readonly log?: (line: string) => void;
}

/** What {@link useBackend} chose. */
export interface BackendChoice {
  /** tfjs's name of the backend that runs now. */
  readonly name: string;
  /** Why this one: what was asked, what the better ones lacked. */
  readonly reason: string;
  /** The graphics adapter, or null where the backend has none. */
  readonly adapter: string | null;
  /** The adapter computes on the CPU. */
  readonly software: boolean;
  /** Threads that the backend computes on, or null where it does not say. */
  readonly threads: number | null;
  /** Whether the page is cross-origin isolated (threads need it); null outside browsers. */
  readonly crossOriginIsolated: boolean | null;
}

// The one place of this package that writes to the console: the caller may replace it by the option `log`.
// biome-ignore lint/suspicious/noConsole: useBackend promises to say what it chose, and a browser has no other log.
const logToConsole = (line: string) => console.info(line);

function quoted(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `'${name}'`).join(', ');
}

function notRegistered(name: string): UnsupportedBackendError {
  const registered = `Registered are: ${quoted(registeredBackends())}`;
  const known = KNOWN_BACKENDS.find((backend) => backend.name === name);
  if (known === undefined) {
    const legal = quoted(['auto', ...KNOWN_BACKENDS.map((backend) => backend.name)]);
    return new UnsupportedBackendError(`There is no backend '${name}'. ${registered}. Use one of ${legal}.`);
  }
  return new UnsupportedBackendError(
    `Backend '${name}' is not registered. ${registered}. Add the line: import '${known.module}';`,
  );
}

// tfjs's current backend is one for the whole program, and two starts at once would each take it from the other.
let lastCall: Promise<unknown> = Promise.resolve();

/** Runs `call` when all earlier ones have ended, whether well or badly. */
function inTurn<T>(call: () => Promise<T>): Promise<T> {
  const result = lastCall.then(call);
  lastCall = result.catch(() => {});
  return result;
}

/** What a provider's probe says; one that throws has found the backend unavailable, unless the caller's arguments are illegal. */
async function probeOf(provider: BackendProvider, options: StartOptions): Promise<Probe> {
  try {
    return await provider.probe(options);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    return { available: false, reason: messageOf(error) };
  }
}

/** Starts a provider's backend and makes it tfjs's current one. */
async function activate(provider: BackendProvider, options: StartOptions): Promise<void> {
  const previous = tf.getBackend();
  await provider.start(options);
  const started = await tf.setBackend(provider.name);
  if (started) await tf.ready();
  if (tf.getBackend() !== provider.name) {
    throw new UnsupportedBackendError(
      `Backend '${provider.name}' was replaced by '${tf.getBackend()}' while it started, by another call of tf.setBackend or tf.removeBackend. Await one before the other.`,
    );
  }
  if (started) return;
  // tfjs has already made the failed backend its current one.
  if (previous) await tf.setBackend(previous);
  throw new UnsupportedBackendError(
    `Backend '${provider.name}' did not start; the warning that TensorFlow.js printed says why. Use another backend.`,
  );
}

/** Threads that a running backend computes on, or null where it does not say. */
export function threadsOf(name: string): number | null {
  const threads = findProvider(name)?.threads?.();
  if (threads !== undefined) return threads;
  // Kernels of cpu and of tfjs's own single-threaded wasm build run on the calling thread alone.
  return name === 'wasm' || name === 'cpu' ? 1 : null;
}

function describe(name: string, reason: string, probe: Probe): BackendChoice {
  return {
    name,
    reason,
    adapter: probe.adapter ?? null,
    software: probe.software ?? false,
    threads: threadsOf(name),
    crossOriginIsolated: detectEnvironment().crossOriginIsolated,
  };
}

function logLine(choice: BackendChoice): string {
  const facts = [];
  if (choice.adapter !== null) facts.push(`${choice.software ? 'software adapter' : 'adapter'} ${choice.adapter}`);
  if (choice.threads !== null) facts.push(choice.threads === 1 ? '1 thread' : `${choice.threads} threads`);
  if (choice.crossOriginIsolated !== null) {
    facts.push(choice.crossOriginIsolated ? 'cross-origin isolated' : 'not cross-origin isolated');
  }
  return `pyconvunet: backend '${choice.name}'${facts.length > 0 ? ` (${facts.join(', ')})` : ''}. ${choice.reason}`;
}

async function useNamed(name: string, options: StartOptions): Promise<BackendChoice> {
  const provider = findProvider(name);
  if (provider === undefined) throw notRegistered(name);
  const probe = await probeOf(provider, options);
  if (!probe.available) {
    throw new UnsupportedBackendError(`Backend '${name}' cannot start here: ${probe.reason}`);
  }
  await activate(provider, options);
  return describe(name, `It was asked for by name. ${probe.reason}`, probe);
}

async function useBest(options: StartOptions): Promise<BackendChoice> {
  const passedOver: string[] = [];
  const lastResorts: { provider: BackendProvider; probe: Probe }[] = [];
  const start = async (provider: BackendProvider, probe: Probe): Promise<BackendChoice | undefined> => {
    try {
      await activate(provider, options);
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw error;
      passedOver.push(`'${provider.name}' failed (${messageOf(error)})`);
      return undefined;
    }
    const others = passedOver.length > 0 ? ` Passed over: ${passedOver.join('; ')}.` : '';
    return describe(
      provider.name,
      `It is the first of ${quoted(registeredBackends())} that suits. ${probe.reason}${others}`,
      probe,
    );
  };
  for (const name of registeredBackends()) {
    const provider = findProvider(name);
    if (provider === undefined) continue;
    const probe = await probeOf(provider, options);
    if (!probe.available) {
      passedOver.push(`'${name}' (${probe.reason})`);
    } else if (probe.software === true) {
      passedOver.push(`'${name}' (its adapter ${probe.adapter ?? ''} computes on the CPU)`);
      lastResorts.push({ provider, probe });
    } else {
      const choice = await start(provider, probe);
      if (choice !== undefined) return choice;
    }
  }
  for (const { provider, probe } of lastResorts) {
    const choice = await start(provider, probe);
    if (choice !== undefined) return choice;
  }
  const found = passedOver.length > 0 ? `Passed over: ${passedOver.join('; ')}.` : 'None is registered.';
  throw new UnsupportedBackendError(`No backend can start here. ${found} Add the line: import 'pyconvunet/wasm';`);
}

const OPTIONS = ['log', ...Object.keys(READERS)];

/** Refuses options that nothing or another backend reads, and illegal values. */
function checkOptions(name: string, options: BackendOptions): void {
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`useBackend has no option '${unknown}'. Its options are ${OPTIONS.join(', ')}.`);
  }
  for (const key of ['device', 'gpu', 'threads', 'convolutions'] as const) {
    if (options[key] !== undefined && name !== READERS[key] && name !== 'auto') {
      throw new InvalidArgumentError(
        `Option '${key}' is for backend '${READERS[key]}'. Received: backend '${name}'. Leave it out or call useBackend('${READERS[key]}', {${key}}).`,
      );
    }
  }
  const { threads, convolutions } = options;
  if (threads !== undefined) checkThreads(threads);
  if (convolutions !== undefined && convolutions !== 'fastest' && convolutions !== 'tfjs') {
    throw new InvalidArgumentError(
      `convolutions must be 'fastest' or 'tfjs'. Received: convolutions='${String(convolutions)}'.`,
    );
  }
}

/**
 * Starts a backend, makes it TensorFlow.js's current one, and says what was chosen and why. Calls at the same time run one
 * after the other.
 *
 * @param name A backend's name ('webgpu', 'tensorflow', 'wasm', 'webgl', 'cpu'), or 'auto' (the default): the first of these
 *   that was imported and starts, a graphics adapter that is only software being the last resort.
 * @param options `log`; for webgpu `device` or `gpu`; for wasm `threads` and `convolutions`.
 * @returns The backend's name, the reason, and what it runs on.
 * @throws UnsupportedBackendError if the backend was not imported (the message has the missing line) or cannot start.
 * @throws InvalidArgumentError if an option is not known or given for a backend that does not take it, and for another number of threads
 *   than wasm runs with.
 * @example
 * ```ts
 * import { useBackend } from 'pyconvunet';
 * import 'pyconvunet/wasm';
 *
 * const { name, reason } = await useBackend('auto');
 * ```
 */
export async function useBackend(name = 'auto', options: BackendOptions = {}): Promise<BackendChoice> {
  const { log = logToConsole, ...startOptions } = options;
  checkOptions(name, options);
  const choice = await inTurn(() => (name === 'auto' ? useBest(startOptions) : useNamed(name, startOptions)));
  log(logLine(choice));
  return choice;
}
