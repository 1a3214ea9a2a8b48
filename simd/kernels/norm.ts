/** Batch normalisation in training: statistics, and the gradients of input, scale and shift; sums are in float64. */
import { define } from '../define.js';
import type { Doubles, DoublesVar, Int, Vec, Writer } from '../lang.js';

const RECORD = 20;
const SCALE = 8;
const SHIFT = 12;
const FLOOR = 16;
const PAIR = 16;

/** The sum of both lanes in both. */
const horizontal = (x: Doubles): Doubles => x.plus(x.shuffle(x, [1, 0]));

/** Vectors that are summed in float32 before their sum goes into the one in float64. */
const BLOCK = 16;

/** Sums x and x y, and z, of every place of a channel: float32 within blocks, float64 over them. */
function sumsOf(
  w: Writer,
  length: Int,
  terms: (q: Int) => readonly [x: Vec, y: Vec, z?: Vec],
): readonly [DoublesVar, DoublesVar, DoublesVar] {
  const totals = [w.doubles(w.zeroDoubles()), w.doubles(w.zeroDoubles()), w.doubles(w.zeroDoubles())] as const;
  const bytes = w.int(length.times(4));
  const q = w.int(0);
  w.repeat(
    () => {
      const block = w.int(q.plus(16 * BLOCK));
      const end = w.int(block.where(block.below(bytes), bytes));
      const sums = [w.vec(w.const(0)), w.vec(w.const(0)), w.vec(w.const(0))] as const;
      w.repeat(
        () => {
          const [x, y, z] = terms(q);
          const first = w.vec(x);
          sums[0].set(sums[0].plus(first));
          sums[1].set(w.fma(first, y, sums[1]));
          if (z !== undefined) sums[2].set(sums[2].plus(z));
          q.add(16);
        },
        () => q.below(end),
      );
      for (const [i, sum] of sums.entries()) {
        const total = totals[i] ?? totals[0];
        total.set(total.plus(sum.toDoubles()).plus(sum.shuffle(sum, [2, 3, 2, 3]).toDoubles()));
      }
    },
    () => q.below(bytes),
  );
  return totals;
}

/** A number of float64 as float32, in all lanes. */
const narrowed = (w: Writer, x: Doubles): Vec => {
  const first = w.vec(x.toFloats());
  return w.vec(first.shuffle(first, [0, 0, 0, 0]));
};

/**
 * Sums of the distances from a pixel of the channel, as squares of large values would leave nothing of a small variance. What is zero is
 * left out: the margins, which are no pixels, and pixels, whose number is known then.
 */
export const channelMoments = define('channelMoments', (w, p) => {
  const pixels = w.splatDouble(p.constants);
  w.loop(0, p.count, 1, (c) => {
    const input = w.int(p.input.plus(c.times(p.inputChannel)));
    const centre = w.vec(w.splat(input.plus(p.first)));
    const [zero, unit] = [w.vec(w.const(0)), w.vec(w.const(1))];
    const [sum, squares, others] = sumsOf(w, p.length, (q) => {
      const x = w.vec(w.load(input.plus(q)));
      const counts = w.vec(x.differs(zero));
      const distance = w.vec(x.minus(centre).and(counts));
      return [distance, distance, unit.and(counts)];
    });
    const middle = w.doubles(centre.toDoubles());
    const zeros = w.doubles(pixels.minus(horizontal(others)));
    const mean = w.doubles(horizontal(sum).minus(zeros.times(middle)).dividedBy(pixels));
    const square = w.doubles(horizontal(squares).plus(zeros.times(middle).times(middle)).dividedBy(pixels));
    const variance = w.doubles(square.minus(mean.times(mean)).atLeast(w.zeroDoubles()));
    w.storeDoubles(p.moments.plus(c.times(PAIR)), w.doubles(mean.plus(middle)).shuffle(variance, [0, 2]));
  });
});

const single = (w: Writer, address: Int): DoublesVar => {
  const value = w.vec(w.splat(address));
  return w.doubles(value.toDoubles());
};

/** Scale and shift of a record from mean and 1 / deviation. */
function writeRecord(
  w: Writer,
  { statistics, record, gamma, beta }: { statistics: Int; record: Int; gamma: Int; beta: Int },
  { mean, inverse }: { mean: Doubles; inverse: Doubles },
): void {
  const scale = w.doubles(single(w, gamma).times(inverse));
  const shift = single(w, beta).minus(mean.times(scale));
  w.storeLane(record, scale.toFloats(), 0, SCALE);
  w.storeLane(record, shift.toFloats(), 0, SHIFT);
  w.storeDoubles(statistics, mean.shuffle(inverse, [0, 2]));
}

const one = (w: Writer): Doubles => w.const(1).toDoubles();

export const normFinish = define('normFinish', (w, p) => {
  w.loop(0, p.count, 1, (c) => {
    const number = w.int(c.times(4));
    const moments = w.int(p.moments.plus(c.times(PAIR)));
    const constant = (i: number) => w.splatDouble(p.constants, 8 * i);
    const mean = w.doubles(w.splatDouble(moments));
    const variance = w.doubles(w.splatDouble(moments, 8));
    const inverse = w.doubles(one(w).dividedBy(variance.plus(constant(1)).sqrt()));
    const places = {
      statistics: w.int(p.statistics.plus(c.times(PAIR))),
      record: w.int(p.record.plus(c.times(RECORD))),
      gamma: p.gamma.plus(number),
      beta: p.beta.plus(number),
    };
    writeRecord(w, places, { mean, inverse });
    for (const [place, batch] of [
      [p.mean, mean],
      [p.variance, variance.times(constant(4))],
    ] as const) {
      const at = w.int(place.plus(number));
      const moved = single(w, at)
        .times(constant(2))
        .plus(batch.times(constant(3)));
      w.storeLane(at, moved.toFloats(), 0);
    }
  });
});

export const normFixed = define('normFixed', (w, p) => {
  w.loop(0, p.count, 1, (c) => {
    const number = w.int(c.times(4));
    const mean = single(w, p.mean.plus(number));
    const variance = single(w, p.variance.plus(number));
    const inverse = w.doubles(one(w).dividedBy(variance.plus(w.splatDouble(p.constants, 8)).sqrt()));
    const places = {
      statistics: w.int(p.statistics.plus(c.times(PAIR))),
      record: w.int(p.record.plus(c.times(RECORD))),
      gamma: p.gamma.plus(number),
      beta: p.beta.plus(number),
    };
    writeRecord(w, places, { mean, inverse });
  });
});

/** dy where the normalised value is above the floor. */
function counting(w: Writer, record: Int): (dy: Vec, x: Vec) => Vec {
  const scale = w.vec(w.splat(record, SCALE));
  const shift = w.vec(w.splat(record, SHIFT));
  const floor = w.vec(w.splat(record, FLOOR));
  return (dy, x) => dy.and(w.fma(x, scale, shift).greater(floor));
}

export const normSums = define('normSums', (w, p) => {
  w.loop(0, p.count, 1, (c) => {
    const gradient = w.int(p.gradient.plus(c.times(p.gradientChannel)));
    const input = w.int(p.input.plus(c.times(p.inputChannel)));
    const count = counting(w, w.int(p.record.plus(c.times(RECORD))));
    const mean = narrowed(w, w.splatDouble(p.statistics.plus(c.times(PAIR))));
    const [sum, products] = sumsOf(w, p.length, (q) => {
      const x = w.vec(w.load(input.plus(q)));
      return [count(w.load(gradient.plus(q)), x), x.minus(mean)];
    });
    const first = w.doubles(horizontal(sum));
    w.storeDoubles(p.sums.plus(c.times(PAIR)), first.shuffle(w.doubles(horizontal(products)), [0, 2]));
  });
});

export const normGradient = define('normGradient', (w, p) => {
  w.loop(0, p.count, 1, (c) => {
    const number = w.int(c.times(4));
    const sums = w.int(p.sums.plus(c.times(PAIR)));
    const statistics = w.int(p.statistics.plus(c.times(PAIR)));
    const dySum = w.doubles(w.splatDouble(sums));
    const mean = w.doubles(w.splatDouble(statistics));
    const inverse = w.doubles(w.splatDouble(statistics, 8));
    // The distances were those from the mean as float32.
    const rest = w.doubles(mean.minus(narrowed(w, mean).toDoubles()));
    const gammaGradient = w.doubles(w.splatDouble(sums, 8).minus(rest.times(dySum)).times(inverse));
    for (const [place, value] of [
      [p.gammaGradient, gammaGradient],
      [p.betaGradient, dySum],
    ] as const) {
      const at = w.int(place.plus(number));
      w.storeLane(at, single(w, at).plus(value).toFloats(), 0);
    }
    const a = w.doubles(single(w, p.gamma.plus(number)).times(inverse));
    const b = w.doubles(w.zeroDoubles());
    const shift = w.doubles(w.zeroDoubles());
    w.when(p.isFixed.equals(0), () => {
      const pixels = w.splatDouble(p.constants);
      b.set(w.zeroDoubles().minus(a.times(inverse).times(gammaGradient).dividedBy(pixels)));
      shift.set(w.zeroDoubles().minus(a.times(dySum).dividedBy(pixels)).minus(b.times(mean)));
    });
    const factors = w.int(p.factors.plus(c.times(PAIR)));
    w.storeLane(factors, a.toFloats(), 0);
    w.storeLane(factors, b.toFloats(), 0, 4);
    w.storeLane(factors, shift.toFloats(), 0, 8);
  });
});

export const normApply = define('normApply', (w, p) => {
  const length = w.int(p.length.times(4));
  w.loop(0, p.count, 1, (c) => {
    const gradient = w.int(p.gradient.plus(c.times(p.gradientChannel)));
    const input = w.int(p.input.plus(c.times(p.inputChannel)));
    const count = counting(w, w.int(p.record.plus(c.times(RECORD))));
    const factors = w.int(p.factors.plus(c.times(PAIR)));
    const [a, b, shift] = w.vecs(3, (i) => w.splat(factors, 4 * i));
    if (a === undefined || b === undefined || shift === undefined) throw new Error('Three factors are needed.');
    w.loop(0, length, 16, (q) => {
      const at = w.int(gradient.plus(q));
      const x = w.vec(w.load(input.plus(q)));
      w.store(at, w.fma(count(w.load(at), x), a, w.fma(x, b, shift)));
    });
  });
});
