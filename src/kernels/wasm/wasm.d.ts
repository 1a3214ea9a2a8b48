/** The build embeds WebAssembly binaries as bytes (esbuild's binary loader; a plugin does it for tests that run the source). */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
