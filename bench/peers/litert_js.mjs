// LiteRT.js in headless Chromium.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installedVersion, openContender } from './chromium.mjs';
import { options, serve, skip } from './protocol.mjs';

const chosen = options();
const version = installedVersion('@litertjs/core');
if (!existsSync(join(chosen.data, `${chosen.network}.tflite`))) {
  skip('there is no .tflite model: python -m pip install -r bench/peers/requirements-litert.txt, and run again');
}
const { maxError, browser, measure, close } = await openContender(chosen, '/pages/litert_js.mjs');
await serve(
  {
    name: 'LiteRT.js',
    version,
    setting: `wasm (XNNPACK) in ${browser}`,
    threads: chosen.threads,
    maxError,
  },
  measure,
);
await close();
