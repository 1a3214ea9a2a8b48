// The folder that all contenders start from, written by bench/peers/export.py and export_tflite.py where it is not up to date.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PEERS } from './contenders.mjs';

const SCRIPTS = [
  '../../test/oracles/networks.py',
  'networks.py',
  'training.py',
  'export.py',
  'data.py',
  'networks_tf.py',
  'described_tf.py',
  'export_tflite.py',
];
const PACKAGES = ['torch', 'onnx', 'MNN', 'tensorflow'];
const VERSIONS = `import importlib.metadata as m, json, platform
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
print(json.dumps({'python': platform.python_version(), **{n: version(n) for n in ${JSON.stringify(PACKAGES)}}}))`;

/** The benchmark cannot run: one sentence for the reader. */
export class SetupError extends Error {}

/** Versions of Python and of the packages that write the reference; null where one is not installed. */
export function pythonVersions(python) {
  const { status, stdout, stderr, error } = spawnSync(python, ['-c', VERSIONS], { encoding: 'utf8' });
  if (status === 0) return JSON.parse(stdout);
  throw new SetupError(`${python} does not run: ${error?.message ?? stderr.trim()}. Give a Python 3.11 by --python.`);
}

function execute(python, script, ...args) {
  const env = { ...process.env, CUDA_VISIBLE_DEVICES: '', PYTHONDONTWRITEBYTECODE: '1' };
  const { status, stderr } = spawnSync(python, ['-W', 'ignore', PEERS + script, ...args], { encoding: 'utf8', env });
  return status === 0 ? null : stderr.trim().split('\n').slice(-3).join(' | ');
}

/**
 * Brings the folder up to date.
 *
 * @param {{python: string, data: string, networks: string[]}} options
 * @param {Record<string, string | null>} versions From `pythonVersions`.
 * @param {(line: string) => void} log
 */
export function prepareReference({ python, data, networks }, versions, log) {
  if (versions.torch === null) {
    throw new SetupError(
      `${python} has no torch, which computes the reference: ${python} -m pip install -r bench/peers/requirements.txt`,
    );
  }
  const hash = createHash('sha256').update(JSON.stringify(versions));
  for (const script of SCRIPTS) hash.update(readFileSync(PEERS + script));
  const stamp = hash.digest('hex');
  mkdirSync(data, { recursive: true });
  // A file a network: they are written when they are first asked for.
  const stampOf = (network) => join(data, `${network}.stamp`);
  const missing = networks.filter(
    (network) => !existsSync(stampOf(network)) || readFileSync(stampOf(network), 'utf8') !== stamp,
  );
  if (missing.length === 0) return;
  log(`writing the reference of ${missing.join(', ')}`);
  const failure = execute(python, 'export.py', data, ...missing);
  if (failure !== null) throw new SetupError(`export.py failed: ${failure}`);
  if (versions.tensorflow !== null) {
    const tflite = execute(python, 'export_tflite.py', data, ...missing);
    if (tflite !== null) log(`no models for LiteRT.js: ${tflite}`);
  }
  for (const network of missing) writeFileSync(stampOf(network), stamp);
}
