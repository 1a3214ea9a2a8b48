/** A kernel: the name and parameters of the contract, and what writes its code. */
import { KERNELS, type KernelName } from '../src/engine/contract.js';
import type { AssembledFunction } from './assembler.js';
import { type Features, type IntVar, Writer } from './lang.js';

/** The parameters of a kernel as variables. */
export type Params<Name extends KernelName> = Readonly<Record<(typeof KERNELS)[Name][number], IntVar>>;

/** Writes one kernel for a set of features. */
export type Kernel = (features: Features) => AssembledFunction;

export function define<Name extends KernelName>(name: Name, write: (w: Writer, params: Params<Name>) => void): Kernel {
  const names: readonly string[] = KERNELS[name];
  return (features) => {
    const writer = new Writer(features, name, names.length);
    write(writer, Object.fromEntries(names.map((param, i) => [param, writer.param(i)])) as Params<Name>);
    return writer.finish();
  };
}
