// Who is timed, and the command that starts each: a process of its own, which speaks the lines of bench/peers/protocol.py.
import { fileURLToPath } from 'node:url';

export const PEERS = fileURLToPath(new URL('../peers/', import.meta.url));

/** The contender that the others are compared with. */
export const OURS = 'pyconvunet';

const python =
  (script, ...args) =>
  (options) => [options.python, PEERS + script, ...args];
const node =
  (script, ...args) =>
  (options) => [options.node, PEERS + script, ...args];
// A browser is driven by the Node that runs the benchmark.
const browser = (script) => () => [process.execPath, PEERS + script];
/** torch alone has both kinds of work in one script in Python. */
const torch = (way) => (options) => [...python('torch_peer.py', '--way', way)(options), '--work', options.work];

/**
 * `works`: the kinds of work that it can do. `onlyWhenNamed`: not without --only.
 *
 * @type {Record<string, {works: string[], command: (options: object) => string[], onlyWhenNamed?: boolean}>}
 */
export const CONTENDERS = {
  pyconvunet: {
    works: ['inference', 'training'],
    command: (options) => node(options.work === 'training' ? 'pyconvunet_training.mjs' : 'pyconvunet.mjs')(options),
  },
  'torch-paper': { works: ['inference', 'training'], command: torch('paper') },
  'torch-best': { works: ['inference', 'training'], command: torch('best') },
  onnxruntime: { works: ['inference'], command: python('onnxruntime_peer.py') },
  mnn: { works: ['inference'], command: python('mnn_peer.py') },
  'litert-js': { works: ['inference'], command: browser('litert_js.mjs') },
  'onnxruntime-web': { works: ['inference'], command: browser('onnxruntime_web.mjs') },
  'tfjs-wasm': { works: ['inference'], command: node('tfjs_wasm.mjs') },
  'pyconvunet-op-by-op': { works: ['inference'], command: node('pyconvunet.mjs', '--op-by-op'), onlyWhenNamed: true },
};

/** The whole command line of a contender for one network. */
export function commandOf(id, options, network) {
  const command = CONTENDERS[id].command(options);
  return [...command, '--data', options.data, '--network', network, '--threads', String(options.threads)];
}
