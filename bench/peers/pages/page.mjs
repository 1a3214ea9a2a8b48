// What the pages of the browser contenders share.
const query = new URLSearchParams(location.search);
export const network = query.get('network');
export const threads = Number(query.get('threads'));

export const bytes = async (name) => {
  const response = await fetch(`/data/${name}`);
  if (!response.ok) throw new Error(`${name} is missing`);
  return new Uint8Array(await response.arrayBuffer());
};
export const floats = async (name) => new Float32Array((await bytes(name)).buffer);

/** [batch, channels, height, width] */
export const inputShape = async () => (await (await fetch('/data/data.json')).json()).inputShape;

/** Worst absolute error; NaN is infinitely wrong. */
function maxError(output, reference) {
  if (output.length !== reference.length) throw new Error(`${output.length} values instead of ${reference.length}`);
  return reference.reduce((worst, value, i) => {
    const error = Math.abs(output[i] - value);
    return error <= worst ? worst : Number.isFinite(error) ? error : 1e9;
  }, 0);
}

/** Checks and warms up a function that computes the probabilities, for chromium.mjs. */
export async function contender(run) {
  const error = maxError(await run(), await floats(`${network}-output.f32`));
  for (let i = 0; i < 3; i++) await run();
  return {
    maxError: error,
    measure: async (count) => {
      const ms = [];
      for (let i = 0; i < count; i++) {
        const start = performance.now();
        await run();
        ms.push(performance.now() - start);
      }
      return ms;
    },
  };
}
