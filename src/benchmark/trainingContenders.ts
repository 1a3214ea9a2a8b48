/** Contenders that take a training step: planned by the engine, and by TensorFlow.js layer by layer. */
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Batch } from '../data/batches.js';
import { create as createLoss } from '../losses/index.js';
import { Adam } from '../optimizers/index.js';
import { logitsModel } from '../training/logitsModel.js';
import { trainStep } from '../training/step.js';
import { createStepper } from '../training/stepper.js';
import { CannotTakePart, type Contender, type ContenderName } from './contender.js';
import { randomBatch, type Size, type Subject } from './subject.js';

/** What takes steps. */
interface Steps {
  step(batch: Batch): Promise<number>;
  readonly bytes: number | null;
  dispose(): void;
}

/** Losses that the others must confirm: the third one knows the gradients, and what the optimizer kept of the first step. */
const CHECKED_STEPS = 3;

/** As `train` does it. */
const LEARNING_RATE = 1e-3;

class TrainingContender implements Contender {
  readonly backend: string;
  readonly way: Contender['way'];
  readonly threads: number | null;
  private readonly losses: number[] = [];
  private readonly optimizer = new Adam({ learningRate: LEARNING_RATE });
  private model: tfl.LayersModel | null = null;
  private batch: Batch | null = null;
  private steps: Steps | null = null;

  constructor(
    { backend, way, threads }: ContenderName,
    private readonly subject: Subject,
    private readonly shape: { readonly size: Size; readonly batchSize: number },
  ) {
    this.backend = backend;
    this.way = way;
    this.threads = threads;
  }

  async build(): Promise<void> {
    this.model = await this.subject.build();
    this.batch = randomBatch(this.model, this.shape.batchSize, this.shape.size);
  }

  async first(): Promise<void> {
    const { model, batch } = this;
    if (model === null || batch === null) throw new Error('A contender is built before its first result.');
    this.steps = this.way === 'planned' ? this.planned(model, batch) : this.layerByLayer(model);
    await this.run();
  }

  async output(): Promise<Float32Array> {
    while (this.losses.length < CHECKED_STEPS) await this.run();
    return Float32Array.from(this.losses);
  }

  async run(): Promise<void> {
    const { steps, batch } = this;
    if (steps === null || batch === null) throw new Error('A contender is started before it runs.');
    const loss = await steps.step(batch);
    if (this.losses.length < CHECKED_STEPS) this.losses.push(loss);
  }

  get bytes(): number | null {
    return this.steps?.bytes ?? null;
  }

  dispose(): void {
    this.steps?.dispose();
    this.optimizer.dispose();
    this.model?.dispose();
    this.steps = null;
    this.batch = null;
    this.model = null;
  }

  private planned(model: tfl.LayersModel, { count, height, width, channels }: Batch): Steps {
    const size = { batchSize: count, height, width, channels, threads: this.threads ?? 1 };
    const loss = createLoss('bce', { fromLogits: true });
    const stepper = createStepper(logitsModel(model), loss, this.optimizer, size);
    const reason = stepper.reason ?? stepper.threadProblem;
    if (reason === null) return stepper;
    stepper.dispose();
    throw new CannotTakePart(reason);
  }

  private layerByLayer(model: tfl.LayersModel): Steps {
    const network = logitsModel(model);
    const loss = createLoss('bce', { fromLogits: true });
    return {
      step: async (batch) => {
        const scalar = trainStep(network, loss, this.optimizer, batch);
        const [value = Number.NaN] = await scalar.data();
        scalar.dispose();
        return value;
      },
      bytes: null,
      dispose: () => {},
    };
  }
}

/** A contender that takes steps of Adam with binary cross-entropy, of several classes categorical. */
export const trainingContender = (
  name: ContenderName,
  subject: Subject,
  shape: { readonly size: Size; readonly batchSize: number },
): Contender => new TrainingContender(name, subject, shape);
