/** Gradients element by element and channel by channel. */
import { define } from '../define.js';
import type { Vec } from '../lang.js';

export const clear = define('clear', (w, p) => {
  w.loop(0, p.bytes, 16, (q) => w.store(p.map.plus(q), w.const(0)));
});

const throughOutput = (name: 'reluGradient' | 'sigmoidGradient', rule: (dy: Vec, y: Vec, one: Vec, zero: Vec) => Vec) =>
  define(name, (w, p) => {
    const length = w.int(p.length.times(4));
    w.loop(0, p.count, 1, (c) => {
      const gradient = w.int(p.gradient.plus(c.times(p.gradientChannel)));
      const output = w.int(p.output.plus(c.times(p.outputChannel)));
      w.loop(0, length, 16, (q) => {
        const at = w.int(gradient.plus(q));
        const y = w.vec(w.load(output.plus(q)));
        w.store(at, rule(w.load(at), y, w.const(1), w.const(0)));
      });
    });
  });

export const reluGradient = throughOutput('reluGradient', (dy, y, _, zero) => dy.and(y.greater(zero)));
export const sigmoidGradient = throughOutput('sigmoidGradient', (dy, y, one) => dy.times(y).times(one.minus(y)));

export const biasGradient = define('biasGradient', (w, p) => {
  w.loop(0, p.count, 1, (c) => {
    const gradient = w.int(p.gradient.plus(c.times(p.gradientChannel)));
    const total = w.doubles(w.zeroDoubles());
    w.loop(0, w.int(p.length.times(4)), 16, (q) => {
      const x = w.vec(w.load(gradient.plus(q)));
      total.set(total.plus(x.toDoubles()).plus(x.shuffle(x, [2, 3, 2, 3]).toDoubles()));
    });
    const at = w.int(p.out.plus(c.times(4)));
    const sum = total.plus(total.shuffle(total, [1, 0]));
    w.storeLane(at, w.loadFirst(at).toDoubles().plus(sum).toFloats(), 0);
  });
});

export const channelDot = define('channelDot', (w, p) => {
  w.loop(0, w.int(p.length.times(4)), 16, (q) => {
    const total = w.vec(w.const(0));
    const out = w.int(p.out.plus(q));
    w.when(p.accumulate, () => total.set(w.load(out)));
    const a = w.int(p.a.plus(q));
    const b = w.int(p.b.plus(q));
    w.loop(0, p.count, 1, () => {
      total.set(w.fma(w.load(a), w.load(b), total));
      a.add(p.aChannel);
      b.add(p.bChannel);
    });
    w.store(out, total);
  });
});

export const biasRecord = define('biasRecord', (w, p) => {
  w.loop(0, p.count, 1, (c) => {
    w.storeLane(p.record.plus(c.times(20)), w.loadFirst(p.bias.plus(c.times(4))), 0);
  });
});

export const adam = define('adam', (w, p) => {
  const constants = w.vecs(7, (i) => w.splat(p.constants, 4 * i));
  const [rate, correction, keepMean, addMean, keepSquare, addSquare, epsilon] = constants;
  if (!rate || !correction || !keepMean || !addMean || !keepSquare || !addSquare || !epsilon) {
    throw new Error('Adam has seven constants.');
  }
  w.loop(0, p.bytes, 16, (q) => {
    const g = w.vec(w.load(p.gradient.plus(q)));
    const meanPlace = w.int(p.mean.plus(q));
    const squarePlace = w.int(p.square.plus(q));
    const mean = w.vec(w.load(meanPlace).times(keepMean).plus(g.times(addMean)));
    const square = w.vec(w.load(squarePlace).times(keepSquare).plus(g.times(g).times(addSquare)));
    w.store(meanPlace, mean);
    w.store(squarePlace, square);
    const at = w.int(p.weights.plus(q));
    const step = mean.times(rate).dividedBy(square.sqrt().dividedBy(correction).plus(epsilon));
    w.store(at, w.load(at).minus(step));
  });
});

export const penalty = define('penalty', (w, p) => {
  const square = w.vec(w.splat(p.constants));
  const absolute = w.vec(w.splat(p.constants, 4));
  w.loop(0, p.bytes, 16, (q) => {
    const weight = w.vec(w.load(p.weights.plus(q)));
    const sign = absolute.and(weight.greater(w.const(0))).minus(absolute.and(w.const(0).greater(weight)));
    const at = w.int(p.gradient.plus(q));
    w.store(at, w.load(at).plus(weight.times(square)).plus(sign));
  });
});
