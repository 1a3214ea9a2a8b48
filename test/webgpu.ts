/** Backend webgpu for tests in Node: Dawn, from test/runtimes; `npm run test:runtimes` lets it find the SwiftShader driver. */
import '../src/webgpu.js';

let gpu: object | undefined;

/** Dawn's GPU object: one per process, since Dawn does not survive the collection of one whose devices are alive. */
export async function dawn(): Promise<object> {
  if (gpu === undefined) {
    const module = './runtimes/node_modules/webgpu/index.js';
    const { create } = (await import(/* @vite-ignore */ module)) as { create(options: string[]): object };
    gpu = create([]);
  }
  return gpu;
}
