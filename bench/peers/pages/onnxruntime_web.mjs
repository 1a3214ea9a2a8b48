// onnxruntime-web's wasm backend in a page.
import * as ort from 'onnxruntime-web';
import { bytes, contender, floats, inputShape, network, threads } from './page.mjs';

async function start() {
  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  ort.env.wasm.numThreads = threads;
  const model = await bytes(`${network}.onnx`);
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const x = new ort.Tensor('float32', await floats('input-nchw.f32'), await inputShape());
  return contender(async () => (await session.run({ x })).y.data);
}

window.contender = start();
