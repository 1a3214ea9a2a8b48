/** Contenders that predict one image: planned by the engine, and by TensorFlow.js layer by layer. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { optimizeForInference } from '../inference/optimize.js';
import { CannotTakePart, type Contender, type ContenderName } from './contender.js';
import { randomBatch, type Size, type Subject } from './subject.js';

/** What predicts. */
interface Predictor {
  predict(x: tf.Tensor4D): tf.Tensor | tf.Tensor[];
  readonly bytes: number | null;
  dispose(): void;
}

async function planned(model: tfl.LayersModel, threads: number): Promise<Predictor> {
  const optimized = await optimizeForInference(model, { threads });
  const reason = optimized.reason ?? optimized.threadProblem;
  if (reason === null) return optimized;
  optimized.dispose();
  throw new CannotTakePart(reason);
}

const layerByLayer = (model: tfl.LayersModel): Predictor => ({
  predict: (x) => model.predict(x, { batchSize: x.shape[0] }),
  bytes: null,
  dispose: () => {},
});

class InferenceContender implements Contender {
  readonly backend: string;
  readonly way: Contender['way'];
  readonly threads: number | null;
  private model: tfl.LayersModel | null = null;
  private image: tf.Tensor4D | null = null;
  private predictor: Predictor | null = null;

  constructor(
    { backend, way, threads }: ContenderName,
    private readonly subject: Subject,
    private readonly size: Size,
  ) {
    this.backend = backend;
    this.way = way;
    this.threads = threads;
  }

  async build(): Promise<void> {
    this.model = await this.subject.build();
    const { height, width, channels, images } = randomBatch(this.model, 1, this.size);
    this.image = tf.tensor4d(images, [1, height, width, channels]);
  }

  async first(): Promise<void> {
    const { model, threads } = this;
    if (model === null) throw new Error('A contender is built before its first result.');
    this.predictor = this.way === 'planned' ? await planned(model, threads ?? 1) : layerByLayer(model);
    await this.run();
  }

  /** The prediction, the last output with deep supervision. */
  async output(): Promise<Float32Array> {
    const { predictor, image } = this;
    if (predictor === null || image === null) throw new Error('A contender is started before it runs.');
    const outputs = [predictor.predict(image)].flat();
    try {
      return Float32Array.from((await outputs.at(-1)?.data()) ?? []);
    } finally {
      tf.dispose(outputs);
    }
  }

  async run(): Promise<void> {
    await this.output();
  }

  get bytes(): number | null {
    return this.predictor?.bytes ?? null;
  }

  dispose(): void {
    this.predictor?.dispose();
    this.image?.dispose();
    this.model?.dispose();
    this.predictor = null;
    this.image = null;
    this.model = null;
  }
}

/** A contender that predicts one image of a size. */
export const inferenceContender = (name: ContenderName, subject: Subject, size: Size): Contender =>
  new InferenceContender(name, subject, size);
