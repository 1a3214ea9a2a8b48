/** Loading of models from every kind of source, and one sentence that names the file for whatever is wrong with it. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as models from '../../src/models/index.js';
import { DataError, InvalidArgumentError } from '../../src/runtime/errors.js';
import { hasFileSystem } from '../../src/runtime/platformFiles.js';
import type { Progress } from '../../src/runtime/progress.js';
import { saveModel } from '../../src/training/files/index.js';
import { describeBackends, startBackend } from '../backends.js';

const build = () => models.uNet({ widths: [2, 4], inputShape: [null, null, 1], seed: 5 });

async function weightsOf(model: tfl.LayersModel): Promise<number[]> {
  const arrays = await Promise.all(model.weights.map((weight) => weight.read().data()));
  return arrays.flatMap((values) => Array.from(values));
}

/** Loads, compares every weight with the saved model's, disposes. */
async function expectSameModel(call: Promise<tfl.LayersModel>): Promise<void> {
  const loaded = await call;
  expect(await weightsOf(loaded)).toEqual(saved);
  loaded.dispose();
}

async function failure(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  return (error instanceof Error ? error.message : '').replaceAll(`${root}/`, '');
}

let root = '';
let saved: number[] = [];
let served: Map<string, Uint8Array | undefined>;
let server: Server;
let address = '';

beforeAll(async () => {
  await startBackend('cpu');
  root = await mkdtemp(join(tmpdir(), 'load-'));
  const model = build();
  saved = await weightsOf(model);
  await saveModel(model, join(root, 'run'));
  model.dispose();
  // undefined stands for an answer that never comes.
  served = new Map();
  server = createServer((request, response) => {
    const path = request.url ?? '';
    if (!served.has(path)) response.writeHead(404).end();
    else if (served.get(path) !== undefined) response.end(served.get(path));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(root, { recursive: true });
});

const read = (name: string) => readFile(join(root, 'run', name));

/** A copy of the run with other files, in a folder of its own. */
async function copy(folder: string, files: Record<string, string | Uint8Array | undefined>): Promise<string> {
  await mkdir(join(root, folder), { recursive: true });
  const all = { 'model.json': await read('model.json'), 'weights.bin': await read('weights.bin'), ...files };
  for (const [name, content] of Object.entries(all)) {
    if (content !== undefined) await writeFile(join(root, folder, name), content);
  }
  return join(root, folder, 'model.json');
}

/** The model.json of the run with other fields. */
async function edited(fields: object): Promise<string> {
  return JSON.stringify({ ...JSON.parse((await read('model.json')).toString()), ...fields });
}

describeBackends('load', () => {
  it('takes a path, absolute or relative, and a file URL, and leaks nothing', async () => {
    const path = join(root, 'run', 'model.json');
    const spaced = await copy('a folder with spaces', {});
    const before = tf.memory().numTensors;
    await expectSameModel(models.load(path));
    await expectSameModel(models.load(relative(process.cwd(), path)));
    await expectSameModel(models.load(pathToFileURL(spaced)));
    await expectSameModel(models.load(pathToFileURL(spaced).href));
    // As tfjs-node's users write it.
    await expectSameModel(models.load(`file://${relative(process.cwd(), path)}`));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('reports progress that never falls, from 0 to 1', async () => {
    const reports: Progress[] = [];
    const model = await models.load(join(root, 'run', 'model.json'), { onProgress: (report) => reports.push(report) });
    expect(reports).toEqual([0, 0.5, 1, 1].map((done) => ({ status: 'loading', done, total: 1 })));
    model.dispose();
  });

  it('takes an http URL, with progress', async () => {
    served.set('/m/model.json', await read('model.json'));
    served.set('/m/weights.bin', await read('weights.bin'));
    const done: number[] = [];
    await expectSameModel(models.load(`${address}/m/model.json`, { onProgress: (report) => done.push(report.done) }));
    expect([done[0], done.at(-1)]).toEqual([0, 1]);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    await expectSameModel(models.load(new URL(`${address}/m/model.json`)));
  });

  it('takes a handler of tf.io', async () => {
    const model = build();
    let artifacts: tf.io.ModelArtifacts = {};
    await model.save(
      tf.io.withSaveHandler(async (all) => {
        artifacts = all;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
    model.dispose();
    const done: number[] = [];
    await expectSameModel(models.load(tf.io.fromMemory(artifacts), { onProgress: (report) => done.push(report.done) }));
    expect(done).toEqual([0, 1]);
  });

  it('takes weights in several files, which tfjs alone reads wrongly', async () => {
    const weights = await read('weights.bin');
    const json = JSON.parse((await read('model.json')).toString());
    const [group] = json.weightsManifest;
    const path = await copy('shards', {
      'model.json': JSON.stringify({ ...json, weightsManifest: [{ ...group, paths: ['a.bin', 'b.bin'] }] }),
      'weights.bin': undefined,
      'a.bin': weights.subarray(0, 10),
      'b.bin': weights.subarray(10),
    });
    await expectSameModel(models.load(path));
  });
});

describe('without a file system, as in a browser', () => {
  const { getBuiltinModule } = process;
  beforeEach(() => {
    Reflect.set(process, 'getBuiltinModule', undefined);
    return () => Reflect.set(process, 'getBuiltinModule', getBuiltinModule);
  });

  it("takes an address relative to the page's", async () => {
    expect(hasFileSystem()).toBe(false);
    const { fetch } = globalThis;
    const asked: string[] = [];
    Reflect.set(globalThis, 'fetch', async (url: string) => {
      asked.push(url);
      return new Response(await read(url.replace(/^.*\//, '')));
    });
    try {
      await expectSameModel(models.load('run/model.json'));
    } finally {
      Reflect.set(globalThis, 'fetch', fetch);
    }
    expect(asked).toEqual(['run/model.json', 'run/weights.bin']);
  });

  it('says that file: URLs are not there', async () => {
    expect(await failure(models.load('file:///run/model.json'))).toBe(
      'Nothing here loads file:///run/model.json: indexeddb:// and localstorage:// are there in browsers only. Give a path, an http(s) URL or a tf.io handler.',
    );
  });
});

describe('abort', () => {
  it('before the start', async () => {
    const reports: Progress[] = [];
    const signal = AbortSignal.abort(new Error('stop'));
    const call = models.load(join(root, 'run', 'model.json'), { signal, onProgress: (report) => reports.push(report) });
    await expect(call).rejects.toThrow('stop');
    expect(reports).toEqual([]);
  });

  it('while files are read, with no tensor left', async () => {
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('stop'));
    await expect(
      models.load(join(root, 'run', 'model.json'), { signal: controller.signal, onProgress }),
    ).rejects.toThrow(/^stop$/);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('while a server is silent', async () => {
    served.set('/silent/model.json', undefined);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('too slow')), 20);
    await expect(models.load(`${address}/silent/model.json`, { signal: controller.signal })).rejects.toThrow(
      /^too slow$/,
    );
  });
});

describe('messages of load', () => {
  it('names a local file that is missing or damaged', async () => {
    const before = tf.memory().numTensors;
    const advice = "Give the path of a model.json that 'pyconvunet train' or model.save wrote.";
    expect(await failure(models.load(join(root, 'none', 'model.json')))).toBe(
      `Cannot read none/model.json: ENOENT: no such file or directory, open 'none/model.json'. ${advice}`,
    );
    expect(await failure(models.load(join(root, 'run')))).toBe(
      `Cannot read ${root}/run: EISDIR: illegal operation on a directory, read. ${advice}`.replaceAll(`${root}/`, ''),
    );
    expect(await failure(models.load(await copy('text', { 'model.json': 'no JSON' })))).toMatch(
      /^text\/model\.json is no JSON file: Unexpected token.*\. Give the model\.json that 'pyconvunet train' or model\.save wrote, or copy it again\.$/,
    );
    const whole = await read('model.json');
    expect(await failure(models.load(await copy('half', { 'model.json': whole.subarray(0, 500) })))).toMatch(
      /^half\/model\.json is no JSON file: /,
    );
    const shapeless = ['null', '{}', '[]', '{"modelTopology": null, "weightsManifest": []}'];
    for (const content of [...shapeless, '{"modelTopology": {}, "weightsManifest": [{"paths": ["w"]}]}']) {
      expect(await failure(models.load(await copy('shapeless', { 'model.json': content })))).toBe(
        "shapeless/model.json is no model: it needs modelTopology and weightsManifest. Give the model.json that 'pyconvunet train' or model.save wrote.",
      );
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names weights that are missing, truncated or of another model', async () => {
    const before = tf.memory().numTensors;
    const weights = await read('weights.bin');
    expect(await failure(models.load(await copy('alone', { 'weights.bin': undefined })))).toBe(
      "Cannot read alone/weights.bin: ENOENT: no such file or directory, open 'alone/weights.bin'. alone/model.json names it: copy it beside that file.",
    );
    const count = saved.length * 4;
    expect(weights.length).toBe(count);
    for (const content of [weights.subarray(0, -3), Buffer.concat([weights, weights]), new Uint8Array(0)]) {
      expect(await failure(models.load(await copy('truncated', { 'weights.bin': content })))).toBe(
        `truncated/weights.bin holds ${content.length} bytes, and model.json lists weights of ${count}: truncated, or of another model. Copy the folder again.`,
      );
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names a model.json that tfjs cannot build', async () => {
    const held = () => [tf.memory().numTensors, Object.keys(tf.engine().registeredVariables).length];
    const before = held();
    const text = (await read('model.json')).toString();
    const foreign = await copy('foreign', { 'model.json': text.replaceAll('pyconvunet>', 'elsewhere>') });
    expect(await failure(models.load(foreign))).toMatch(/^Cannot load foreign\/model\.json: Unknown layer: elsewhere>/);
    const graph = await copy('graph', { 'model.json': await edited({ format: 'graph-model' }) });
    expect(await failure(models.load(graph))).toBe(
      'graph/model.json is a graph model, which only tf.loadGraphModel of @tensorflow/tfjs-converter reads. Give a layers model, as model.save writes it.',
    );
    const renamed = await copy('renamed', {
      'model.json': text.replace('"name": "logits/bias"', '"name": "lost/bias"'),
    });
    expect(await failure(models.load(renamed))).toBe(
      'Cannot load renamed/model.json: Provided weight data has no target variable: lost/bias.',
    );
    const empty = await copy('empty', { 'model.json': await edited({ weightsManifest: [] }) });
    expect(await failure(models.load(empty))).toMatch(
      /^Cannot load empty\/model\.json: \d+ of \d+ weights are not set/,
    );
    expect(held()).toEqual(before);
  });

  it('names a URL and what is wrong there', async () => {
    expect(await failure(models.load(`${address}/none/model.json`))).toBe(
      `Cannot load ${address}/none/model.json: Request to ${address}/none/model.json failed with status code 404. Please verify this URL points to the model JSON of the model to load.`,
    );
    served.set('/page/model.json', Buffer.from('<html></html>'));
    expect(await failure(models.load(`${address}/page/model.json`))).toBe(
      `Cannot load ${address}/page/model.json: Failed to parse model JSON of response from ${address}/page/model.json. Please make sure the server is serving valid JSON for this request.`,
    );
    served.set('/short/model.json', await read('model.json'));
    served.set('/short/weights.bin', (await read('weights.bin')).subarray(0, 40));
    expect(await failure(models.load(`${address}/short/model.json`))).toBe(
      `The weight files of ${address}/short/model.json hold 40 bytes, and it lists weights of ${saved.length * 4}: truncated, or of another model. Copy all files again.`,
    );
    served.set('/bare/model.json', Buffer.from(await edited({ weightsManifest: undefined })));
    expect(await failure(models.load(`${address}/bare/model.json`))).toBe(
      `${address}/bare/model.json has no weights, only the network's layers. Save the model again with its weights.`,
    );
    served.set('/weights/model.json', Buffer.from('{"modelTopology": 7}'));
    expect(await failure(models.load(`${address}/weights/model.json`))).toBe(
      `${address}/weights/model.json is no model: it has no modelTopology. Give the model.json that model.save wrote.`,
    );
    expect(await failure(models.load('http://127.0.0.1:1/model.json'))).toMatch(
      /^Cannot load http:\/\/127\.0\.0\.1:1\/model\.json: fetch failed \(.+\)\.$/,
    );
  });

  it('says what a source must be', async () => {
    expect(await failure(models.load('indexeddb://lung'))).toBe(
      'Nothing here loads indexeddb://lung: indexeddb:// and localstorage:// are there in browsers only. Give a path, an http(s) URL or a tf.io handler.',
    );
    const saveOnly = tf.io.withSaveHandler(async () => ({
      modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' },
    }));
    expect(await failure(models.load(saveOnly))).toBe('The handler only saves. Give one with a load function.');
    const broken = {
      load: async () => {
        throw new Error('no connection');
      },
    };
    expect(await failure(models.load(broken))).toBe('Cannot load the model: no connection.');
  });
});

it.each(['a file', join('a file', 'run')])(
  'saveModel says that a file has the place of its folder: %s',
  async (name) => {
    const path = join(root, name);
    await writeFile(join(root, 'a file'), 'mine');
    const model = build();
    await expect(saveModel(model, path)).rejects.toThrow(
      new InvalidArgumentError(
        `saveModel writes model.json and weights.bin into a folder, and a file stands in its place or above it: ${path}. Name another folder.`,
      ),
    );
    expect(await readFile(join(root, 'a file'), 'utf8')).toBe('mine');
    await expect(saveModel(path as unknown as tfl.LayersModel, model as unknown as string)).rejects.toThrow(
      new InvalidArgumentError("saveModel(model, folder) takes the folder's path. Received: object."),
    );
    model.dispose();
  },
);
