// LiteRT.js on the CPU (XNNPACK in wasm) in a page.
import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { bytes, contender, floats, inputShape, network, threads } from './page.mjs';

async function start() {
  await loadLiteRt('/node_modules/@litertjs/core/wasm/', { threads: threads > 1 });
  const model = await loadAndCompile(await bytes(`${network}.tflite`), {
    accelerator: 'wasm',
    cpuOptions: { numThreads: threads },
  });
  const [batch, channels, height, width] = await inputShape();
  const x = new Tensor(await floats('input-nhwc.f32'), [batch, height, width, channels]);
  return contender(async () => {
    const [y] = await model.run([x]);
    const values = Float32Array.from(y.toTypedArray());
    y.delete();
    return values;
  });
}

window.contender = start();
