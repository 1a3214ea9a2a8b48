/** The two sets of kernels as binaries. */
import { CONTRACT } from '../src/engine/contract.js';
import { type AssembledFunction, assemble } from './assembler.js';
import type { Kernel } from './define.js';
import * as backward from './kernels/backward.js';
import * as gemm from './kernels/gemm.js';
import * as gradients from './kernels/gradients.js';
import * as maps from './kernels/maps.js';
import * as nested from './kernels/nested.js';
import * as norm from './kernels/norm.js';
import * as pack from './kernels/pack.js';
import * as pool from './kernels/pool.js';
import * as rows from './kernels/rows.js';
import * as strassen from './kernels/strassen.js';
import * as transfer from './kernels/transfer.js';
import * as winograd3 from './kernels/winograd3.js';
import * as winograd4 from './kernels/winograd4.js';

const kernels: readonly Kernel[] = [
  backward,
  gemm,
  gradients,
  maps,
  nested,
  norm,
  pack,
  pool,
  rows,
  strassen,
  transfer,
  winograd3,
  winograd4,
].flatMap((file) => Object.values(file));
const functions = (fma: boolean): AssembledFunction[] => kernels.map((kernel) => kernel({ fma }));

/** SIMD128 alone. */
export const base = (): Uint8Array => assemble(functions(false), { contract: CONTRACT });

/** With the fused multiply-add of relaxed SIMD. */
export const relaxed = (): Uint8Array => assemble(functions(true), { contract: CONTRACT });
