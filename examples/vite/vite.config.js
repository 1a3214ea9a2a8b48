/** @type {import('vite').UserConfig} */
export default {
  // TensorFlow.js and its WebAssembly binary are one megabyte, which Vite's usual limit of 500 kB would warn of.
  build: { chunkSizeWarningLimit: 1500 },
};
