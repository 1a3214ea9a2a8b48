/** `pyconvunet benchmark`: its document and table, what it checks, and what it refuses. */
import { rm } from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { benchmarkDocument } from '../../src/cli/schemas.js';
import { OwnHeap } from '../../src/engine/heap.js';
import { MovableProgram } from '../../src/engine/movable.js';
import { OptimizedModel } from '../../src/inference/index.js';
import { OutOfMemoryError } from '../../src/runtime/errors.js';
import { temporaryFolder } from './dataset.js';
import { pyconvunet } from './harness.js';

vi.mock('node:os', async (original) => ({ ...(await original<typeof os>()) }));

const small = ['--widths', '8,16', '--size', '32', '--rounds', '2'];
const benchmark = (...args: string[]) => pyconvunet(['benchmark', ...args]);

async function measured(...args: string[]) {
  const { code, stdout, stderr } = await benchmark(...args, '--json');
  expect(code, stderr).toBe(0);
  return { ...benchmarkDocument.parse(JSON.parse(stdout)), stderr };
}

afterEach(() => vi.restoreAllMocks());

describe('pyconvunet benchmark', () => {
  it('times both networks on what there is, and says what there is not', async () => {
    const { networks, skipped, machine, rounds, work } = await measured(...small, '--threads', '1,2');
    expect({ work, rounds }).toEqual({ work: 'inference', rounds: 2 });
    expect(networks.map(({ name, inputShape, classes }) => [name, inputShape, classes])).toEqual([
      ['pyconvunet', [32, 32, 1], 1],
      ['unet', [32, 32, 1], 1],
    ]);
    for (const { timed, notTimed, profile } of networks) {
      expect(notTimed).toEqual([]);
      expect(profile).toBeNull();
      expect(timed.map(({ backend, way, threads }) => `${backend} ${way} ${threads}`).sort()).toEqual([
        'wasm layer by layer 1',
        'wasm planned 1',
        'wasm planned 2',
      ]);
      expect(timed.map(({ ms }) => ms)).toEqual(timed.map(({ ms }) => ms).sort((a, b) => a - b));
      expect(timed[0]?.ratio).toBe(1);
      for (const { ms, gflops, medians, bytes, difference } of timed) {
        expect(medians).toHaveLength(2);
        expect(ms).toBe(Math.min(...medians));
        expect(gflops).toBeGreaterThan(0);
        expect(bytes).toBeGreaterThan(1e5);
        expect(difference).toBeGreaterThan(0);
        expect(difference).toBeLessThan(1e-3);
      }
    }
    expect(skipped.map(({ backend }) => backend)).toEqual(['webgpu', 'tensorflow']);
    expect(skipped[0]?.reason).toContain('There is no navigator.gpu.');
    expect(machine.runtime).toEqual({ name: 'node', version: process.versions.node });
  });

  it('counts operations as complexity does', async () => {
    const { networks } = await measured(...small, '--model', 'unet', '--work', 'training', '--batch', '2');
    const counted = await pyconvunet([
      'complexity',
      '--model',
      'unet',
      '--widths',
      '8,16',
      '--input',
      '32x32x1',
      '--json',
    ]);
    const { macs, params } = JSON.parse(counted.stdout);
    const [{ timed = [], ...network } = {}] = networks;
    expect(network).toMatchObject({ macs, params: params.total });
    expect(timed).toHaveLength(2);
    // Two operations, three passes, two images.
    for (const { gflops, ms } of timed) expect(gflops).toBeCloseTo((2 * 3 * 2 * macs) / ms / 1e6, 9);
  });

  it('prints a table, a profile and the ratio of two networks', async () => {
    const before = tf.memory().numTensors;
    const { code, stdout, stderr } = await benchmark(...small, '--work', 'training', '--profile');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^pyconvunet, wasm planned, 1 thread: first result after \d+\.\d s$/m);
    expect(stdout).toMatch(/^Training step of 1 image, float32; the least of the medians of 2 rounds of 3$/m);
    expect(stdout).toMatch(
      /, \d+ cores, .+ GiB, .+; node \d+\.\d+\.\d+, wasm with (SIMD128|relaxed SIMD); load before: /,
    );
    expect(stdout).toMatch(/^skipped: tensorflow: Backend 'tensorflow' cannot start here: Package/m);
    expect(stdout).toMatch(/^unet at 32x32x1: 6,681 parameters, 0\.00 GMac$/m);
    expect(stdout).toMatch(/^contender +ms +spread +GFLOP\/s +x fastest +memory +first result +difference$/m);
    expect(stdout).toMatch(
      /^wasm layer by layer, 1 thread +\d+\.\d +\d+ % +\d+\.\d +\d+\.\d\d +\d\.\d MiB +\d\.\d s +\d\.\de-\d+$/m,
    );
    expect(stdout).toContain(
      [
        '\n\nspread        how much longer the slowest round took than the fastest: what other programs of the machine add',
        'x fastest     time in units of the fastest contender',
        "memory        the plan's own; layer by layer that of all tensors at the fullest moment",
        'first result  seconds from the loaded network to its first result, planning and packing included',
        'difference    from the nearest other implementation, in the losses of three steps; above 0.003 it is wrong\n',
      ].join('\n'),
    );
    expect(stdout.match(/^first result /gm)).toHaveLength(1);
    expect(stdout).toMatch(/^Planned, step by step on 1 thread: \d+\.\d ms, \d+\.\d real GFLOP\/s/m);
    expect(stdout).toMatch(/^kind of step +ms +share +real GFLOP\/s +calls$/m);
    expect(stdout).toMatch(/^filter gradient +\d+\.\d\d +\d+(\.\d)? % +\d+\.\d +\d+$/m);
    expect(stdout).toMatch(/^encoder1 +\d+\.\d\d +\d+(\.\d)? % +\d+\.\d +\d+$/m);
    expect(stdout).toMatch(
      /^pyconvunet takes \d+\.\d\d of the time of unet \(1\.13 of its multiply-accumulates\): wasm planned, 1 thread$/m,
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it('times nobody who computes something else than the others, and ends with 1', async () => {
    vi.spyOn(OptimizedModel.prototype, 'predict').mockImplementation((x) => tf.zeros([1, x.shape[1], x.shape[2], 1]));
    const { code, stdout, stderr } = await benchmark(...small, '--model', 'unet', '--json');
    expect(code).toBe(1);
    const [{ timed, notTimed } = { timed: [], notTimed: [] }] = benchmarkDocument.parse(JSON.parse(stdout)).networks;
    expect(timed).toEqual([]);
    expect(notTimed.map(({ status }) => status)).toEqual(['wrong', 'wrong']);
    expect(stderr).toMatch(
      /^WRONG: wasm planned, 1 thread: its output differs by \S+ from the nearest of the others$/m,
    );
    expect(stderr).toMatch(
      /^pyconvunet: wasm planned is wrong on unet, and was not timed: its output differs by .+\.$/m,
    );
    expect(stderr).not.toContain('    at ');
  });

  it('measures nothing where the kernels fail their own test', async () => {
    vi.spyOn(MovableProgram.prototype, 'run').mockImplementation(() => {});
    const { code, stdout, stderr } = await benchmark(...small, '--json');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe('pyconvunet: The self-test failed: Winograd F(4x4, 3x3), output: 1.0e+0 of at most 0.00001.\n');
  });

  it.each([
    [0.4, false],
    [3, true],
  ])('warns of a machine with a load of %f: %s', async (load, isWarned) => {
    vi.spyOn(os, 'loadavg').mockReturnValue([load, 0, 0]);
    const { stdout } = await benchmark(...small, '--model', 'unet');
    expect(stdout).toContain(`; load before: ${load}\n`);
    expect(stdout).toContain("implementation, share of the output's range; above 0.001 it is wrong\n");
    expect(stdout.includes('Warning: other programs were using this machine just before.')).toBe(isWarned);
  });

  it('says that an output is not checked, where only one computes it', async () => {
    vi.spyOn(OwnHeap.prototype, 'allocate').mockImplementation(() => {
      throw new OutOfMemoryError('There is no room.');
    });
    const { code, stdout, stderr } = await benchmark(...small, '--model', 'unet');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^skipped: wasm planned, 1 thread: There is no room\.$/m);
    expect(stdout).toMatch(/^wasm layer by layer, 1 thread .+ -$/m);
    expect(stdout).toContain('No other implementation computes this network here, so that the output is not checked.');
  });

  it('ends with 1 where nothing computes a network', async () => {
    const refuse = () => {
      throw new OutOfMemoryError('There is no room.');
    };
    vi.spyOn(OwnHeap.prototype, 'allocate').mockImplementation(refuse);
    vi.spyOn(tfl.LayersModel.prototype, 'predict').mockImplementation(refuse);
    const { code, stdout, stderr } = await benchmark(...small, '--model', 'unet');
    expect(code).toBe(1);
    expect(stdout).not.toContain('x fastest');
    expect(stderr).toBe('pyconvunet: Nothing computes unet here: There is no room.\n');
  });

  it('stops on a signal and leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const predict = OptimizedModel.prototype.predict;
    vi.spyOn(OptimizedModel.prototype, 'predict').mockImplementation(function (this: OptimizedModel, x) {
      controller.abort();
      return predict.call(this, x);
    });
    const { code, stderr } = await pyconvunet(['benchmark', ...small, '--json'], controller.signal);
    expect(code).toBe(130);
    expect(stderr).not.toContain('unet, wasm layer by layer');
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('pyconvunet benchmark --run', () => {
  let run = '';
  beforeAll(async () => {
    const folder = await temporaryFolder();
    run = join(folder, 'run');
    const args = ['--data', 'phantom:lung', '--size', '40', '--epochs', '1', '--model', 'unet', '--widths', '4,8'];
    const { code, stderr } = await pyconvunet(['train', ...args, '--out', run]);
    expect(code, stderr).toBe(0);
    return () => rm(folder, { recursive: true, force: true });
  });

  it.each(['inference', 'training'])('measures %s of a trained network at the size of its training', async (work) => {
    const { networks } = await measured('--run', run, '--rounds', '1', '--work', work);
    expect(networks).toHaveLength(1);
    expect(networks[0]).toMatchObject({ name: run, inputShape: [40, 40, 1], notTimed: [] });
    expect(networks[0]?.timed).toHaveLength(2);
  });

  it('refuses a folder that is no run, without a stack', async () => {
    const { code, stderr } = await benchmark('--run', 'nowhere');
    expect(code).toBe(1);
    expect(stderr).toContain('nowhere/model.json');
    expect(stderr).not.toContain('    at ');
  });
});

describe('what is not legal', () => {
  it('sizes that the network does not take end with 1 and the next one that it takes', async () => {
    const { code, stdout, stderr } = await benchmark('--model', 'unet', '--widths', '8,16,24', '--size', '30x33');
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      'pyconvunet: unet computes on sizes that are multiples of 4. Received: size 30x33. Give 32x36, to which prediction fills such images up.\n',
    );
  });

  it.each([
    [
      ['--run', 'x', '--model', 'unet'],
      '--run brings its network. Leave --model and --widths out, or leave --run out.',
    ],
    [['--run', 'x', '--widths', '8,16'], '--run brings its network.'],
    [['--batch', '4'], '--batch is of a training step; a prediction is of one image.'],
    [['--work', 'sleeping'], 'It must be one of inference, training.'],
    [['--model', 'unet,vnet'], 'It must be one of pyconvunet, unet, '],
    [['--threads', '1,1'], 'Each number may stand once.'],
    [['--threads', '1,100'], 'It must be at most 64.'],
    [['--rounds', '0'], 'It must be a whole number of at least 1.'],
  ])('%j is bad usage', async (args, sentence) => {
    const { code, stdout, stderr } = await benchmark(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(sentence);
  });
});
