// onnxruntime-web's wasm backend in headless Chromium.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installedVersion, openContender } from './chromium.mjs';
import { options, serve, skip } from './protocol.mjs';

const chosen = options();
const version = installedVersion('onnxruntime-web');
if (!existsSync(join(chosen.data, `${chosen.network}.onnx`))) skip('export.py wrote no ONNX model');
const { maxError, browser, measure, close } = await openContender(chosen, '/pages/onnxruntime_web.mjs');
await serve(
  {
    name: 'onnxruntime-web',
    version,
    setting: `wasm in ${browser}`,
    threads: chosen.threads,
    maxError,
  },
  measure,
);
await close();
