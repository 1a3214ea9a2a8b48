/** The engine's test of itself: a small convolution by each of its algorithms against plain loops in float64. */
import type { SelfTest } from '../runtime/engineReport.js';
import type { KernelBinaries } from '../runtime/providers.js';
import { Random } from '../runtime/random.js';
import {
  type Convolution,
  type ConvolutionProgram,
  filterGradientProgram,
  forwardProgram,
  inputGradientProgram,
} from './convolution.js';
import { Engine } from './engine.js';
import { MovableProgram } from './movable.js';
import { plainResult, type Values } from './plainLoops.js';
import type { ConvLevel, ConvOp, Pair } from './types.js';

/** Largest error relative to the largest value, as `optimizeForInference` and the decisions promise them. */
const BOUND = { output: 1e-5, 'gradient of the input': 1e-5, 'gradient of the filter': 1e-4 } as const;

/** A convolution by its algorithm's name. */
export interface SelfTestCase {
  readonly algorithm: string;
  readonly convolution: Convolution;
}

interface CaseOptions {
  /** Kernel size, groups and filters of each level. */
  readonly levels: readonly (readonly [kernelSize: number, groups: number, filters: number])[];
  readonly channels: number;
  readonly strides?: Pair;
  readonly size?: readonly [height: number, width: number];
}

/** A size that no tile divides. */
const SIZE = [7, 5] as const;

function caseOf(
  algorithm: string,
  { levels: wanted, channels, strides = [1, 1], size = SIZE }: CaseOptions,
): SelfTestCase {
  const batch = 2;
  const [height, width] = size;
  let end = 0;
  const levels = wanted.map(([k, groups, filters], i): ConvLevel => {
    const start = end;
    end += filters;
    const half = (k - 1) / 2;
    return {
      kernelSize: [k, k],
      ...{ groups, start, end },
      padding: { top: half, bottom: half, left: half, right: half },
      filter: { name: `level ${i + 1}` },
    };
  });
  const op: ConvOp = { kind: 'conv', levels, bias: null, strides, dilations: [1, 1] };
  const output = { height: Math.ceil(height / strides[0]), width: Math.ceil(width / strides[1]), channels: end };
  return { algorithm, convolution: { batch, input: { height, width, channels }, output, op } };
}

/** Every algorithm. */
export const SELF_TEST_CASES: readonly SelfTestCase[] = [
  caseOf('Winograd F(4x4, 3x3)', { levels: [[3, 1, 128]], channels: 128 }),
  caseOf('nested Winograd F(3x3, 3x3)', {
    levels: [
      [3, 1, 4],
      [5, 4, 4],
      [7, 8, 8],
      [9, 16, 16],
    ],
    channels: 16,
  }),
  caseOf('1x1', { levels: [[1, 1, 10]], channels: 12 }),
  caseOf('1x1 by Strassen’s algorithm, over a list', { levels: [[1, 1, 64]], channels: 64, size: [13, 8] }),
  caseOf('1x1 by Strassen’s algorithm, on planes', { levels: [[1, 1, 64]], channels: 64, size: [36, 36] }),
  caseOf('direct', { levels: [[3, 2, 10]], channels: 12, strides: [2, 2] }),
];

function randomValues({ batch, input, output, op }: Convolution): Values {
  const random = new Random(1);
  const draw = (length: number) => Float32Array.from({ length }, () => 2 * random.next() - 1);
  return {
    x: draw(batch * input.height * input.width * input.channels),
    filters: op.levels.map(({ kernelSize: [kh, kw], groups, start, end }) =>
      draw(kh * kw * (input.channels / groups) * (end - start)),
    ),
    dy: draw(batch * output.height * output.width * output.channels),
  };
}

/** Runs a program on its inputs; the last tensor is the output, which starts at zero. */
function run(engine: Engine, { program, tensors }: ConvolutionProgram, inputs: readonly Float32Array[]): Float32Array {
  const moving = MovableProgram.place(engine, program, Number.POSITIVE_INFINITY);
  if (moving === null) throw new Error('The tables of a program have no bound here.');
  const places = tensors.map((buffer, i) => {
    const block = engine.allocate(buffer.bytes);
    const values = engine.floats(block.start, buffer.bytes / 4);
    const input = inputs[i];
    if (input === undefined) values.fill(0);
    else values.set(input);
    return [buffer, block] as const;
  });
  const arena = engine.allocate(moving.arenaBytes);
  moving.run(arena.start, new Map(places.map(([buffer, { start }]) => [buffer, start])));
  const [buffer, block] = places.at(-1) ?? [];
  if (buffer === undefined || block === undefined) throw new Error('A program has an output.');
  const output = engine.floats(block.start, buffer.bytes / 4).slice();
  engine.freeAll();
  return output;
}

/** The largest difference, relative to the largest value. */
function relativeError(actual: Float32Array, expected: Float64Array): number | null {
  let largest = 0;
  let difference = 0;
  for (const [i, value] of expected.entries()) {
    const d = Math.abs((actual[i] ?? Number.NaN) - value);
    if (!Number.isFinite(d)) return null;
    difference = Math.max(difference, d);
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}

const worse = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : Math.max(a, b));

/** The three results of one convolution. */
function testCase(engine: Engine, { algorithm, convolution }: SelfTestCase): SelfTest[] {
  const values = randomValues(convolution);
  const { x, filters, dy } = values;
  const forward = run(engine, forwardProgram(convolution, engine, { bias: false, relu: false }), [x, ...filters]);
  const backward = run(engine, inputGradientProgram(convolution, engine), [dy, ...filters]);
  const gradient = convolution.op.levels.reduce<number | null>((worst, level, i) => {
    const result = run(engine, filterGradientProgram(convolution, engine, level), [x, dy]);
    return worse(worst, relativeError(result, plainResult(convolution, values, { level: i })));
  }, 0);
  const test = (of: SelfTest['of'], error: number | null): SelfTest => ({ algorithm, of, error, bound: BOUND[of] });
  return [
    test('output', relativeError(forward, plainResult(convolution, values, 'y'))),
    test('gradient of the input', relativeError(backward, plainResult(convolution, values, 'dx'))),
    test('gradient of the filter', gradient),
  ];
}

/**
 * Tests every algorithm in a memory of its own, on one thread.
 *
 * @throws What the runtime throws where it does not compile the kernels.
 */
export function selfTest(binaries: KernelBinaries): SelfTest[] {
  const engine = new Engine(binaries, 1);
  return SELF_TEST_CASES.flatMap((each) => testCase(engine, each));
}
