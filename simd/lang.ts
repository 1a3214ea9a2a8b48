/**
 * A small language for SIMD kernels: integers (addresses and counts, in bytes where not said otherwise), vectors of four
 * float32, loops. What is a loop in TypeScript is unrolled, what is `loop` runs in the kernel.
 */
import { type AssembledFunction, signed, unsigned, type ValueType } from './assembler.js';

/** What a set of kernels may use. */
export interface Features {
  /** Fused multiply-add of relaxed SIMD. */
  readonly fma: boolean;
}

type Emit = (code: number[]) => void;
export type IntLike = Int | number;

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
const memarg = (offset: number): number[] => [2, ...unsigned(offset)];

/** A 32-bit integer. */
export class Int {
  constructor(
    readonly emit: Emit,
    /** Known where it is a constant. */
    readonly constant?: number,
  ) {}

  static of(value: IntLike): Int {
    if (value instanceof Int) return value;
    return new Int((code) => code.push(0x41, ...signed(value)), value);
  }

  private binary(opcode: number, other: IntLike): Int {
    const right = Int.of(other);
    return new Int((code) => {
      this.emit(code);
      right.emit(code);
      code.push(opcode);
    });
  }

  plus(other: IntLike): Int {
    const right = Int.of(other);
    if (right.constant === 0) return this;
    if (this.constant === 0) return right;
    if (this.constant !== undefined && right.constant !== undefined) return Int.of(this.constant + right.constant);
    return this.binary(0x6a, right);
  }

  minus(other: IntLike): Int {
    return this.binary(0x6b, other);
  }

  times(other: IntLike): Int {
    const right = Int.of(other);
    if (right.constant === 1) return this;
    if (this.constant !== undefined && right.constant !== undefined) return Int.of(this.constant * right.constant);
    const shift = right.constant === undefined ? Number.NaN : Math.log2(right.constant);
    return Number.isInteger(shift) && shift >= 0 ? this.binary(0x74, shift) : this.binary(0x6c, right);
  }

  /** Unsigned. */
  dividedBy(other: IntLike): Int {
    return this.binary(0x6e, other);
  }

  /** Unsigned. */
  modulo(other: IntLike): Int {
    return this.binary(0x70, other);
  }

  and(other: IntLike): Int {
    return this.binary(0x71, other);
  }

  /** Unsigned. */
  shiftedRight(bits: number): Int {
    return this.binary(0x76, bits);
  }

  equals(other: IntLike): Int {
    return this.binary(0x46, other);
  }

  differs(other: IntLike): Int {
    return this.binary(0x47, other);
  }

  /** Signed. */
  below(other: IntLike): Int {
    return this.binary(0x48, other);
  }

  /** Signed. */
  greater(other: IntLike): Int {
    return this.binary(0x4a, other);
  }

  belowUnsigned(other: IntLike): Int {
    return this.binary(0x49, other);
  }

  /** This where the condition holds, else the other. */
  where(condition: Int, other: IntLike): Int {
    return new Int((code) => {
      this.emit(code);
      Int.of(other).emit(code);
      condition.emit(code);
      code.push(0x1b);
    });
  }
}

/** Four float32. */
export class Vec {
  constructor(readonly emit: Emit) {}

  private binary(opcode: number, other: Vec): Vec {
    return new Vec((code) => {
      this.emit(code);
      other.emit(code);
      code.push(...simd(opcode));
    });
  }

  private unary(opcode: number): Vec {
    return new Vec((code) => {
      this.emit(code);
      code.push(...simd(opcode));
    });
  }

  plus(other: Vec): Vec {
    return this.binary(0xe4, other);
  }

  minus(other: Vec): Vec {
    return this.binary(0xe5, other);
  }

  times(other: Vec): Vec {
    return this.binary(0xe6, other);
  }

  dividedBy(other: Vec): Vec {
    return this.binary(0xe7, other);
  }

  sqrt(): Vec {
    return this.unary(0xe3);
  }

  negated(): Vec {
    return this.unary(0xe1);
  }

  /** Rounded to the nearest whole number. */
  nearest(): Vec {
    return this.unary(0x6a);
  }

  /** The larger one of each lane; a NaN of this vector stays. */
  atLeast(other: Vec): Vec {
    return this.binary(0xeb, other);
  }

  /** The smaller one of each lane; a NaN of this vector stays. */
  atMost(other: Vec): Vec {
    return this.binary(0xea, other);
  }

  /** All bits of a lane set where this is greater. */
  greater(other: Vec): Vec {
    return this.binary(0x44, other);
  }

  /** All bits of a lane set where this is another number, or not a number. */
  differs(other: Vec): Vec {
    return this.binary(0x42, other);
  }

  and(other: Vec): Vec {
    return this.binary(0x4e, other);
  }

  /** The bits of this that the other does not have. */
  andNot(other: Vec): Vec {
    return this.binary(0x4f, other);
  }

  /** Whether any bit is set. */
  anyTrue(): Int {
    return new Int((code) => {
      this.emit(code);
      code.push(...simd(0x53));
    });
  }

  /** Lanes of both, numbered 0 to 3 and 4 to 7. */
  shuffle(other: Vec, lanes: readonly [number, number, number, number]): Vec {
    return new Vec((code) => {
      this.emit(code);
      other.emit(code);
      code.push(...simd(0x0d), ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)));
    });
  }

  /** The first two lanes, as float64. */
  toDoubles(): Doubles {
    return new Doubles((code) => {
      this.emit(code);
      code.push(...simd(0x5f));
    });
  }

  /** 2 to the power of these whole numbers, by the bits of the exponent. */
  exponent(): Vec {
    return new Vec((code) => {
      this.emit(code);
      code.push(...simd(0xf8), 0x41, ...signed(127), ...simd(0x11), ...simd(0xae), 0x41, 23, ...simd(0xab));
    });
  }
}

/** Two float64. */
export class Doubles {
  constructor(readonly emit: Emit) {}

  private binary(opcode: number, other: Doubles): Doubles {
    return new Doubles((code) => {
      this.emit(code);
      other.emit(code);
      code.push(...simd(opcode));
    });
  }

  plus(other: Doubles): Doubles {
    return this.binary(0xf0, other);
  }

  minus(other: Doubles): Doubles {
    return this.binary(0xf1, other);
  }

  times(other: Doubles): Doubles {
    return this.binary(0xf2, other);
  }

  dividedBy(other: Doubles): Doubles {
    return this.binary(0xf3, other);
  }

  /** The larger one of each lane; a NaN of these stays. */
  atLeast(other: Doubles): Doubles {
    return this.binary(0xf7, other);
  }

  sqrt(): Doubles {
    return new Doubles((code) => {
      this.emit(code);
      code.push(...simd(0xef));
    });
  }

  /** Two of the four lanes of both, numbered 0, 1 and 2, 3. */
  shuffle(other: Doubles, lanes: readonly [number, number]): Doubles {
    return new Doubles((code) => {
      this.emit(code);
      other.emit(code);
      code.push(...simd(0x0d), ...lanes.flatMap((lane) => [0, 1, 2, 3, 4, 5, 6, 7].map((byte) => 8 * lane + byte)));
    });
  }

  /** As float32 in the first two lanes, zeros behind. */
  toFloats(): Vec {
    return new Vec((code) => {
      this.emit(code);
      code.push(...simd(0x5e));
    });
  }
}

/** Two float64 that change. */
export class DoublesVar extends Doubles {
  constructor(
    private readonly writer: Writer,
    readonly index: number,
  ) {
    super((code) => code.push(0x20, ...unsigned(index)));
  }

  set(value: Doubles): void {
    this.writer.emitSet(this.index, value.emit);
  }
}

/** An integer that changes. */
export class IntVar extends Int {
  constructor(
    private readonly writer: Writer,
    readonly index: number,
  ) {
    super((code) => code.push(0x20, ...unsigned(index)));
  }

  set(value: IntLike): void {
    this.writer.emitSet(this.index, Int.of(value).emit);
  }

  add(value: IntLike): void {
    this.set(this.plus(value));
  }
}

/** A vector that changes. */
export class VecVar extends Vec {
  constructor(
    private readonly writer: Writer,
    readonly index: number,
  ) {
    super((code) => code.push(0x20, ...unsigned(index)));
  }

  set(value: Vec): void {
    this.writer.emitSet(this.index, value.emit);
  }
}

/** Writes one function. */
export class Writer {
  private readonly code: number[] = [];
  private readonly locals: ValueType[] = [];

  constructor(
    readonly features: Features,
    private readonly name: string,
    private readonly params: number,
  ) {}

  finish(): AssembledFunction {
    return { name: this.name, params: this.params, locals: this.locals, code: this.code };
  }

  emitSet(index: number, value: Emit): void {
    value(this.code);
    this.code.push(0x21, ...unsigned(index));
  }

  private local(type: ValueType): number {
    this.locals.push(type);
    return this.params + this.locals.length - 1;
  }

  param(index: number): IntVar {
    return new IntVar(this, index);
  }

  int(value: IntLike): IntVar {
    const made = new IntVar(this, this.local('i32'));
    made.set(value);
    return made;
  }

  vec(value: Vec): VecVar {
    const made = new VecVar(this, this.local('v128'));
    made.set(value);
    return made;
  }

  doubles(value: Doubles): DoublesVar {
    const made = new DoublesVar(this, this.local('v128'));
    made.set(value);
    return made;
  }

  vecs(count: number, value: (i: number) => Vec): VecVar[] {
    return Array.from({ length: count }, (_, i) => this.vec(value(i)));
  }

  /** Runs the body once or more, as long as the condition holds behind it. */
  repeat(body: () => void, whileTrue: () => Int): void {
    this.code.push(0x03, 0x40);
    body();
    whileTrue().emit(this.code);
    this.code.push(0x0d, 0, 0x0b);
  }

  when(condition: Int, then: () => void, otherwise?: () => void): void {
    condition.emit(this.code);
    this.code.push(0x04, 0x40);
    then();
    if (otherwise !== undefined) {
      this.code.push(0x05);
      otherwise();
    }
    this.code.push(0x0b);
  }

  /** Counts from `from` while below `to`. */
  loop(from: IntLike, to: IntLike, step: IntLike, body: (i: IntVar) => void): void {
    const i = this.int(from);
    this.when(i.below(to), () =>
      this.repeat(
        () => {
          body(i);
          i.add(step);
        },
        () => i.below(to),
      ),
    );
  }

  zeroDoubles(): Doubles {
    return new Doubles(this.const(0).emit);
  }

  const(value: number): Vec {
    const [bits = 0] = new Int32Array(Float32Array.of(value).buffer);
    const lane = [0, 8, 16, 24].map((shift) => (bits >> shift) & 255);
    return new Vec((code) => code.push(...simd(0x0c), ...lane, ...lane, ...lane, ...lane));
  }

  private readonly memory = (opcode: number, address: Int, offset: number): Vec =>
    new Vec((code) => {
      address.emit(code);
      code.push(...simd(opcode), ...memarg(offset));
    });

  load(address: Int, offset = 0): Vec {
    return this.memory(0x00, address, offset);
  }

  loadDoubles(address: Int, offset = 0): Doubles {
    return new Doubles((code) => {
      address.emit(code);
      code.push(...simd(0x00), ...memarg(offset));
    });
  }

  /** One float64 in both lanes. */
  splatDouble(address: Int, offset = 0): Doubles {
    return new Doubles((code) => {
      address.emit(code);
      code.push(...simd(0x0a), ...memarg(offset));
    });
  }

  storeDoubles(address: Int, value: Doubles, offset = 0): void {
    address.emit(this.code);
    value.emit(this.code);
    this.code.push(...simd(0x0b), ...memarg(offset));
  }

  /** One float32 in every lane. */
  splat(address: Int, offset = 0): Vec {
    return this.memory(0x09, address, offset);
  }

  /** One float32 in the first lane, zeros in the others. */
  loadFirst(address: Int, offset = 0): Vec {
    return this.memory(0x5c, address, offset);
  }

  loadLane(vec: Vec, lane: number, address: Int, offset = 0): Vec {
    return new Vec((code) => {
      address.emit(code);
      vec.emit(code);
      code.push(...simd(0x56), ...memarg(offset), lane);
    });
  }

  /** Four float32 of four places. */
  gather(address: (lane: number) => Int): Vec {
    let vec = this.loadFirst(address(0));
    for (const lane of [1, 2, 3]) vec = this.loadLane(vec, lane, address(lane));
    return vec;
  }

  loadInt(address: Int, offset = 0): Int {
    return new Int((code) => {
      address.emit(code);
      code.push(0x28, ...memarg(offset));
    });
  }

  store(address: Int, value: Vec, offset = 0): void {
    address.emit(this.code);
    value.emit(this.code);
    this.code.push(...simd(0x0b), ...memarg(offset));
  }

  storeLane(address: Int, value: Vec, lane: number, offset = 0): void {
    address.emit(this.code);
    value.emit(this.code);
    this.code.push(...simd(0x5a), ...memarg(offset), lane);
  }

  /** Two lanes, 0 and 1 or 2 and 3. */
  storePair(address: Int, value: Vec, pair: 0 | 1, offset = 0): void {
    address.emit(this.code);
    value.emit(this.code);
    this.code.push(...simd(0x5b), ...memarg(offset), pair);
  }

  /** a b + c, with one rounding where the set of kernels has it. */
  fma(a: Vec, b: Vec, c: Vec): Vec {
    if (!this.features.fma) return a.times(b).plus(c);
    return new Vec((code) => {
      a.emit(code);
      b.emit(code);
      c.emit(code);
      code.push(...simd(0x105));
    });
  }
}
