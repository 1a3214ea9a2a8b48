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

/** Sums x and x y of every value of a channel: float32 within blocks, float64 over them. */
function sumPairs(w: Writer, length: Int, terms: (q: Int) => readonly [Vec, Vec]): readonly [DoublesVar, DoublesVar] {
  const totals = [w.doubles(w.zeroDoubles()), w.doubles(w.zeroDoubles())] as const;
  const bytes = w.int(length.times(4));
  const q = w.int(0);
  w.repeat(
    () => {
      const block = w.int(q.plus(16 * BLOCK));
      const end = w.int(block.where(block.below(bytes), bytes));
      const sums = [w.vec(w.const(0)), w.vec(w.const(0))] as const;
      w.repeat(
        () => {
          const [x, y] = terms(q);
          const first = w.vec(x);
          sums[0].set(sums[0].plus(first));
          sums[1].set(w.fma(first, y, sums[1]));
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

function storePair(w: Writer, place: Int, [first, second]: readonly [DoublesVar, DoublesVar]): void {
  const a = w.doubles(horizontal(first));
  const b = w.doubles(horizontal(second));
  w.storeDoubles(place, a.shuffle(b, [0, 2]));
}

export const channelSums = define('channelSums', (w, p) => {
  w.loop(0, p.count, 1, (c) => {
    const input = w.int(p.input.plus(c.times(p.inputChannel)));
    const pair = sumPairs(w, p.length, (q) => {
      const x = w.vec(w.load(input.plus(q)));
      return [x, x];
    });
    storePair(w, p.sums.plus(c.times(PAIR)), pair);
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
    const sums = w.int(p.sums.plus(c.times(PAIR)));
    const constant = (i: number) => w.splatDouble(p.constants, 8 * i);
    const mean = w.doubles(w.splatDouble(sums).dividedBy(constant(0)));
    const variance = w.doubles(w.splatDouble(sums, 8).dividedBy(constant(0)).minus(mean.times(mean)));
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
    const pair = sumPairs(w, p.length, (q) => {
      const x = w.vec(w.load(input.plus(q)));
      return [count(w.load(gradient.plus(q)), x), x];
    });
    storePair(w, p.sums.plus(c.times(PAIR)), pair);
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
    const gammaGradient = w.doubles(w.splatDouble(sums, 8).minus(mean.times(dySum)).times(inverse));
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
