/** Who takes part in a benchmark: one way to compute a network on one backend. */

/** What is timed: the prediction of one image, or one training step. */
export type Work = 'inference' | 'training';

/** How a network is computed: as one plan, or by TensorFlow.js operation by operation. */
export type Way = 'planned' | 'layer by layer';

/** What distinguishes one contender from the others. */
export interface ContenderName {
  /** tfjs's name of the backend. */
  readonly backend: string;
  readonly way: Way;
  /** Null where the backend does not say. */
  readonly threads: number | null;
}

/** A contender; its backend is the current one whenever it is called. */
export interface Contender extends ContenderName {
  /** Makes the model. */
  build(): Promise<void>;
  /**
   * Everything between a model with its weights and its first result.
   *
   * @throws CannotTakePart where it cannot compute the model.
   */
  first(): Promise<void>;
  /** What the others must confirm. */
  output(): Promise<Float32Array>;
  /** What is timed. */
  run(): Promise<void>;
  /** Memory in use, or null where that of its tensors is all there is. */
  readonly bytes: number | null;
  dispose(): void;
}

/** A contender cannot compute the model in its way; the message says why. */
export class CannotTakePart extends Error {
  override readonly name = 'CannotTakePart';
}

/** A contender as a line names it. */
export function nameOf({ backend, way, threads }: ContenderName): string {
  const count = threads === null ? '' : threads === 1 ? ', 1 thread' : `, ${threads} threads`;
  return `${backend} ${way}${count}`;
}
