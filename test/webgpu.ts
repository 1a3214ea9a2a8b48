/** Backend webgpu for tests in Node: Dawn, from test/runtimes; `npm run test:runtimes` lets it find the SwiftShader driver. */
import '../src/webgpu.js';

/** Opens Dawn's GPU object. */
export async function dawn(): Promise<object> {
  const module = './runtimes/node_modules/webgpu/index.js';
  const { create } = (await import(/* @vite-ignore */ module)) as { create(options: string[]): object };
  return create([]);
}
