/** Rounds, order and ends of contenders, by contenders that only say that they were called. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeEach, describe, expect, it } from 'vitest';
import { compete, SAMPLES } from '../../src/benchmark/compete.js';
import { CannotTakePart, type Contender } from '../../src/benchmark/contender.js';
import { InvalidArgumentError, OutOfMemoryError } from '../../src/runtime/errors.js';

let calls: string[] = [];
beforeEach(() => {
  calls = [];
});

interface Behaviour {
  readonly values?: number[];
  readonly way?: Contender['way'];
  readonly onFirst?: () => void;
  /** Called with the number of the run. */
  readonly onRun?: (run: number) => void;
}

function fake(backend: string, { values = [0, 1], way = 'layer by layer', onFirst, onRun }: Behaviour = {}): Contender {
  // Only a backend that tfjs knows can be the current one.
  let runs = 0;
  return {
    ...{ backend: 'cpu', way, threads: null, bytes: 100 },
    build: async () => void calls.push(`build ${backend}`),
    first: async () => onFirst?.(),
    output: async () => Float32Array.from(values),
    run: async () => {
      calls.push(backend);
      onRun?.(++runs);
    },
    dispose: () => void calls.push(`dispose ${backend}`),
  };
}

const options = { work: 'inference', rounds: 3 } as const;
const turns = () => calls.filter((call) => !call.includes(' '));

describe('compete', () => {
  it('lets everybody take turns, each round beginning with another one', async () => {
    const { timed, notTimed } = await compete([fake('a'), fake('b', { way: 'planned' }), fake('c')], options);
    const order = turns().filter((_, i) => i % SAMPLES === 0);
    expect(order.join('')).toBe('abc' + 'bca' + 'cab');
    expect(turns()).toHaveLength(9 * SAMPLES);
    expect(notTimed).toEqual([]);
    expect(timed).toHaveLength(3);
    for (const entry of timed) {
      expect(entry.medians).toHaveLength(3);
      expect(entry.ms).toBe(Math.min(...entry.medians));
      expect(entry).toMatchObject({ bytes: 100, difference: 0, threads: null });
    }
    expect(calls.slice(-3)).toEqual(['dispose a', 'dispose b', 'dispose c']);
  });

  it('times nobody who is wrong', async () => {
    const lines: string[] = [];
    const contenders = [fake('a'), fake('b', { way: 'planned', values: [0, 0.9] })];
    const { timed, notTimed } = await compete(contenders, { ...options, onEntry: (line) => lines.push(line) });
    expect(timed).toEqual([]);
    expect(turns()).toEqual([]);
    const reason = 'its output differs by 1.0e-1 from the nearest of the others';
    expect(notTimed).toEqual([
      { backend: 'cpu', way: 'layer by layer', threads: null, status: 'wrong', reason },
      { backend: 'cpu', way: 'planned', threads: null, status: 'wrong', reason },
    ]);
    expect(lines.slice(-2)).toEqual([`cpu layer by layer: WRONG, ${reason}`, `cpu planned: WRONG, ${reason}`]);
  });

  it('goes on without who cannot take part, who fails at once and who fails on the way', async () => {
    const contenders = [
      fake('a'),
      fake('b', {
        onFirst: () => {
          throw new CannotTakePart('layer x has no rule');
        },
      }),
      fake('c', {
        onFirst: () => {
          throw new Error('the device is lost');
        },
      }),
      fake('d', {
        onRun: (run) => {
          if (run > SAMPLES) throw new Error('tired');
        },
      }),
    ];
    const reports: [number, number][] = [];
    const { timed, notTimed } = await compete(contenders, {
      ...options,
      onProgress: ({ done, total }) => reports.push([done, total]),
    });
    expect(timed).toHaveLength(1);
    expect(notTimed.map(({ status, reason }) => [status, reason])).toEqual([
      ['skipped', 'layer x has no rule'],
      ['failed', 'the device is lost'],
      ['failed', 'tired'],
    ]);
    const done = reports.map(([value]) => value);
    expect(done).toEqual([...done].sort((x, y) => x - y));
    expect(reports.at(-1)).toEqual([16, 16]);
    expect(calls.filter((call) => call.startsWith('dispose'))).toHaveLength(4);
  });

  it('skips who has no memory for it', async () => {
    const onFirst = () => {
      throw new OutOfMemoryError('There is no room.');
    };
    const { timed, notTimed } = await compete([fake('a'), fake('b', { way: 'planned', onFirst })], options);
    expect(timed).toHaveLength(1);
    expect(timed[0]?.difference).toBeNull();
    expect(notTimed).toMatchObject([{ way: 'planned', status: 'skipped', reason: 'There is no room.' }]);
  });

  it('ends with what a caller did wrong', async () => {
    const illegal = new InvalidArgumentError('The model takes other images.');
    const bad = fake('b', {
      onFirst: () => {
        throw illegal;
      },
    });
    await expect(compete([fake('a'), bad], options)).rejects.toBe(illegal);
    expect(calls.slice(-2)).toEqual(['dispose a', 'dispose b']);
  });

  it('ends with the reason of an abort, between two runs', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onRun = (run: number) => {
      if (run === 2) controller.abort(reason);
    };
    await expect(compete([fake('a', { onRun })], { ...options, signal: controller.signal })).rejects.toBe(reason);
    expect(turns()).toEqual(['a', 'a']);
    expect(calls.at(-1)).toBe('dispose a');
  });

  it('counts the tensors alive where a contender has no memory of its own', async () => {
    const elsewhere = tf.zeros([1000]);
    let own: tf.Tensor | undefined;
    const contender: Contender = {
      ...fake('a'),
      bytes: null,
      build: async () => {
        own = tf.zeros([100]);
      },
      run: async () => {
        tf.tidy(() => void tf.add(tf.zeros([25]), tf.ones([25])));
      },
      dispose: () => own?.dispose(),
    };
    const { timed } = await compete([contender], options);
    // 100 floats that stay, and three times 25 at the fullest moment.
    expect(timed[0]?.bytes).toBe(4 * (100 + 75));
    elsewhere.dispose();
    expect(tf.memory().numTensors).toBe(0);
  });
});
