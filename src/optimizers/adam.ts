/** Adam whose whole state can be saved and restored exactly. */
import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../runtime/errors.js';

/** Options of {@link adam}. */
export interface AdamOptions {
  /** Default 1e-3. */
  readonly learningRate?: number;
  /** Decay of the mean of the gradients. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of their squares. Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8, as PyTorch; tfjs's string 'adam' means 1e-7. */
  readonly epsilon?: number;
}

interface Moments {
  readonly mean: tf.Variable;
  readonly square: tf.Variable;
}

/** The moments of one variable, by its name. */
export interface VariableMoments {
  readonly variable: string;
  readonly mean: tf.Tensor;
  readonly square: tf.Tensor;
}

/** A tensor under the name of its variable. */
export type NamedTensor = Awaited<ReturnType<tf.Optimizer['getWeights']>>[number];

/** Gradients as tf.Optimizer receives them: by variable name, or as a list of named tensors. */
export type Gradients = tf.NamedTensorMap | NamedTensor[];

/** The numbers of one step: weight -= rate mean / (sqrt(square) / correction + epsilon). */
export interface AdamStep {
  readonly rate: number;
  readonly correction: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

const STEP = 'step';

/**
 * Adam (Kingma and Ba 2015) as PyTorch computes it. Unlike `tf.train.adam` its state is the number of steps and the two
 * moments, so that a restored optimizer goes on with the same bits: the bias corrections are functions of the step.
 */
export class Adam extends tf.Optimizer {
  /** The name by which a saved model finds this class. */
  static readonly className: string = 'pyconvunet>Adam';
  /** May be changed between steps. */
  learningRate: number;
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly epsilon: number;
  private steps = 0;
  /** By variable name, in the order of the first step. */
  private readonly moments = new Map<string, Moments>();

  constructor({ learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}) {
    super();
    if (!(learningRate > 0) || !(epsilon > 0) || !(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1)) {
      throw new InvalidArgumentError(
        `Adam needs learningRate > 0, epsilon > 0 and betas in [0, 1). Received: learningRate=${learningRate}, beta1=${beta1}, beta2=${beta2}, epsilon=${epsilon}.`,
      );
    }
    this.learningRate = learningRate;
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
  }

  /** Steps taken so far. */
  override get iterations(): number {
    return this.steps;
  }

  /** Counts a step that somebody else takes, and gives its numbers. */
  advance(): AdamStep {
    this.steps += 1;
    const { beta1, beta2, epsilon } = this;
    return {
      rate: this.learningRate / (1 - beta1 ** this.steps),
      correction: Math.sqrt(1 - beta2 ** this.steps),
      beta1,
      beta2,
      epsilon,
    };
  }

  override applyGradients(gradients: Gradients): void {
    const { rate, correction } = this.advance();
    const entries: [string, tf.Tensor][] = Array.isArray(gradients)
      ? gradients.map(({ name, tensor }) => [name, tensor])
      : Object.entries(gradients);
    for (const [name, gradient] of entries) {
      const variable = tf.engine().registeredVariables[name];
      if (variable === undefined)
        throw new InvalidArgumentError(`Adam received a gradient for '${name}', which is no variable.`);
      const { mean, square } = this.momentsOf(name, variable);
      tf.tidy(() => {
        mean.assign(tf.add(tf.mul(mean, this.beta1), tf.mul(gradient, 1 - this.beta1)));
        square.assign(tf.add(tf.mul(square, this.beta2), tf.mul(tf.square(gradient), 1 - this.beta2)));
        const denominator = tf.add(tf.div(tf.sqrt(square), correction), this.epsilon);
        variable.assign(tf.sub(variable, tf.div(tf.mul(mean, rate), denominator)));
      });
    }
  }

  /** The moments as they stand, in the order of the first step; not copies. */
  momentTensors(): { variable: string; kind: 'mean' | 'square'; tensor: tf.Tensor }[] {
    return [...this.moments].flatMap(([variable, { mean, square }]) => [
      { variable, kind: 'mean' as const, tensor: mean },
      { variable, kind: 'square' as const, tensor: square },
    ]);
  }

  /**
   * Puts a saved state back.
   *
   * @param steps Steps that had been taken.
   * @param moments The moments of each variable; the tensors stay the caller's.
   * @throws InvalidArgumentError where a variable does not exist or has another shape.
   */
  restore(steps: number, moments: readonly VariableMoments[]): void {
    for (const { variable: name, mean, square } of moments) {
      const variable = tf.engine().registeredVariables[name];
      if (variable === undefined || !tf.util.arraysEqual(variable.shape, mean.shape)) {
        const expected =
          variable === undefined ? 'no such variable' : `a variable of shape [${variable.shape.join(', ')}]`;
        throw new InvalidArgumentError(
          `The state of Adam does not fit the model. Received: moments of ${name} with shape [${mean.shape.join(', ')}], but there is ${expected}.`,
        );
      }
      const own = this.momentsOf(name, variable);
      own.mean.assign(mean);
      own.square.assign(square);
    }
    this.steps = steps;
  }

  /** The state in tfjs's own form: the step, then mean and square of each variable. Only the step is the caller's to dispose of. */
  override async getWeights(): Promise<NamedTensor[]> {
    const moments = this.momentTensors().map(({ variable, kind, tensor }) => ({ name: `${variable}/${kind}`, tensor }));
    return [{ name: STEP, tensor: tf.scalar(this.steps, 'int32') }, ...moments];
  }

  /**
   * Restores what {@link getWeights} gave.
   *
   * @throws InvalidArgumentError where the step is missing, or a variable does not exist or has another shape.
   */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const byName = new Map(weights.map(({ name, tensor }) => [name, tensor]));
    const step = byName.get(STEP);
    if (step === undefined) {
      throw new InvalidArgumentError(
        `The state of Adam needs an entry '${STEP}'. Received: ${weights.length} entries without it.`,
      );
    }
    const suffix = '/mean';
    const moments = [...byName].flatMap(([name, mean]) => {
      const variable = name.slice(0, -suffix.length);
      const square = byName.get(`${variable}/square`);
      return name.endsWith(suffix) && square !== undefined ? [{ variable, mean, square }] : [];
    });
    this.restore((await step.data())[0] ?? 0, moments);
  }

  override dispose(): void {
    for (const { mean, square } of this.moments.values()) tf.dispose([mean, square]);
    this.moments.clear();
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { learningRate, beta1, beta2, epsilon } = this;
    return { learningRate, beta1, beta2, epsilon };
  }

  /** Builds it from what getConfig gave. */
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new cls(config);
  }

  private momentsOf(name: string, variable: tf.Tensor): Moments {
    const known = this.moments.get(name);
    if (known !== undefined) return known;
    const made = tf.tidy(() => ({
      mean: tf.variable(tf.zerosLike(variable), false),
      square: tf.variable(tf.zerosLike(variable), false),
    }));
    this.moments.set(name, made);
    return made;
  }
}
tf.serialization.registerClass(Adam);

/**
 * Adam with exactly restorable state, for `model.compile` and for the training loop.
 *
 * @param options Rate 1e-3, betas 0.9 and 0.999, epsilon 1e-8 by default, as PyTorch.
 * @returns The optimizer.
 * @throws InvalidArgumentError for an illegal option.
 *
 * @example
 * ```ts
 * import { adam } from 'pyconvunet/training';
 *
 * const optimizer = adam({ learningRate: 5e-4 });
 * optimizer.dispose();
 * ```
 */
export function adam(options: AdamOptions = {}): Adam {
  return new Adam(options);
}
