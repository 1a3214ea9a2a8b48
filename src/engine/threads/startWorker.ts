/** A worker of the runtime at hand, started from the text of its script. */
import { messageOf } from '../../runtime/sentences.js';
import { WORKER_SOURCE } from './workerSource.js';

export interface PoolWorker {
  post(message: unknown): void;
  terminate(): void;
}

/** The worker ended or never began; `reason` is what the runtime says. */
export type OnEnd = (reason: string) => void;

let script: string | undefined;

function startWebWorker(onEnd: OnEnd): PoolWorker {
  // One address for all workers; it is needed as long as another pool may start.
  script ??= URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
  const worker = new Worker(script, { name: 'pyconvunet' });
  worker.addEventListener('error', ({ message }) =>
    onEnd(message || 'the page does not allow workers (Content-Security-Policy: worker-src blob:)'),
  );
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate() };
}

/**
 * Starts a worker that does not keep the process alive.
 *
 * @throws Whatever the runtime throws where it allows no workers.
 */
export function startWorker(onEnd: OnEnd): PoolWorker {
  // Asked for in this way, bundlers see no Node built-in; Deno and Bun have it too.
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return startWebWorker(onEnd);
  const { Worker: NodeWorker } = process.getBuiltinModule('node:worker_threads');
  // The worker needs neither the flags nor the variables of the process, such as loaders for other scripts.
  const worker = new NodeWorker(WORKER_SOURCE, { eval: true, execArgv: [], env: {}, name: 'pyconvunet' });
  worker.on('error', (error: unknown) => onEnd(messageOf(error)));
  worker.on('exit', (code) => onEnd(`it exited with code ${code}`));
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => {
      worker.terminate().catch(() => {});
    },
  };
}
