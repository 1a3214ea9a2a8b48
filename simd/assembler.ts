/** Bytes of a WebAssembly module whose functions take and return no more than 32-bit numbers and own no data. */

/** Value types of the binary format. */
export const TYPE = { i32: 0x7f, v128: 0x7b } as const;
export type ValueType = keyof typeof TYPE;

/** One function, its code as the binary format has it (without the end byte). */
export interface AssembledFunction {
  readonly name: string;
  /** Number of 32-bit parameters. */
  readonly params: number;
  /** Types of the locals behind the parameters. */
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
}

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest === 0 ? low : low | 128);
  } while (rest !== 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit number. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    const isLast = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0);
    bytes.push(isLast ? low : low | 128);
    if (isLast) return bytes;
  }
}

const text = (value: string): number[] => {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
};
const list = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];

function body({ locals, code }: AssembledFunction): number[] {
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  const declared = list(runs.map(({ type, count }) => [...unsigned(count), TYPE[type]]));
  const content = [...declared, ...code, 0x0b];
  return [...unsigned(content.length), ...content];
}

/**
 * Assembles a module that imports a shared memory `env.memory` of at most 4 GiB and exports its functions. It has neither
 * data nor variables nor a start function, so that it can work in a memory that belongs to somebody else.
 *
 * @param constants 32-bit numbers that it exports as well.
 */
export function assemble(
  functions: readonly AssembledFunction[],
  constants: Readonly<Record<string, number>> = {},
): Uint8Array {
  const arities = [...new Set(functions.map(({ params }) => params))];
  const types = arities.map((params) => [0x60, ...list(new Array<number[]>(params).fill([TYPE.i32])), 0]);
  // Limits byte 3: shared with a maximum.
  const memory = [...text('env'), ...text('memory'), 0x02, 0x03, ...unsigned(0), ...unsigned(65536)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list(types)),
    ...section(2, list([memory])),
    ...section(3, list(functions.map(({ params }) => unsigned(arities.indexOf(params))))),
    // i32, not to be changed; i32.const, end.
    ...section(6, list(Object.values(constants).map((value) => [TYPE.i32, 0x00, 0x41, ...signed(value), 0x0b]))),
    ...section(
      7,
      list([
        ...functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)]),
        ...Object.keys(constants).map((name, i) => [...text(name), 0x03, ...unsigned(i)]),
      ]),
    ),
    ...section(10, list(functions.map(body))),
  ]);
}
