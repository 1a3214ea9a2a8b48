/** The weights of a planned training in its memory: values, gradients, moments, and the programs that change them. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { Buffer, Program } from '../engine/program.js';
import { roundUp } from '../engine/tiles.js';
import { type Constrain, constraintOf } from './constraints.js';

/** A penalty on a weight: l1 |w| + l2 w^2. */
export interface Penalty {
  readonly l1: number;
  readonly l2: number;
}

/** The penalties of weights. */
export type Penalties = ReadonlyMap<tfl.LayerVariable, Penalty>;

/** What a plan keeps of one weight that is trained. */
export interface TrainedWeight {
  readonly variable: tfl.LayerVariable;
  readonly master: Buffer;
  readonly gradient: Buffer;
  /** Adam's. */
  readonly mean: Buffer;
  readonly square: Buffer;
  /** Factors of the penalty's gradient. */
  readonly penalty: Buffer | null;
  readonly constrain: Constrain | null;
}

/** Words of Adam's constants. */
export const CONSTANTS = 8;

/** How many values a weight has. */
export const sizeOf = (variable: tfl.LayerVariable): number =>
  variable.shape.reduce<number>((size, length) => size * (length ?? 1), 1);

/** All weights of a model, and who of them is trained. */
export class TrainedWeights {
  /** The values of all weights. */
  readonly masters = new Map<tfl.LayerVariable, Buffer>();
  readonly trained: readonly TrainedWeight[];
  /** Numbers of a step of Adam. */
  readonly constants: Buffer;
  /** All of it, for the plan's whole life. */
  readonly buffers: Buffer[] = [];

  /** @throws UnplannableError for a constraint that has no rule. */
  constructor(model: tfl.LayersModel, penalties: Penalties) {
    for (const variable of model.weights) this.masters.set(variable, this.keep(4 * sizeOf(variable)));
    this.trained = model.trainableWeights.map((variable) => {
      const bytes = 4 * sizeOf(variable);
      const master = this.masters.get(variable);
      if (master === undefined) throw new Error(`The weight ${variable.name} does not belong to the model.`);
      const penalty = penalties.get(variable);
      return {
        variable,
        master,
        gradient: this.keep(bytes),
        mean: this.keep(bytes),
        square: this.keep(bytes),
        penalty: penalty === undefined ? null : this.keep(16, Float32Array.of(2 * penalty.l2, penalty.l1, 0, 0)),
        constrain: constraintOf(variable),
      };
    });
    this.constants = this.keep(4 * CONSTANTS);
  }

  /** Where the gradient of each trained weight is summed up. */
  get gradients(): Map<tfl.LayerVariable, Buffer> {
    return new Map(this.trained.map(({ variable, gradient }) => [variable, gradient]));
  }

  /** Begins new sums of gradients. */
  clearProgram(): Program {
    const program = new Program();
    for (const { gradient } of this.trained) {
      program.call('clear', { map: gradient.at(), bytes: gradient.bytes });
    }
    program.endStep('weights', 'clear');
    return program;
  }

  /** A step of Adam. */
  updateProgram(): Program {
    const program = new Program();
    for (const { master, gradient, mean, square, penalty } of this.trained) {
      const { bytes } = master;
      const places = { weights: master.at(), gradient: gradient.at(), bytes };
      if (penalty !== null) program.call('penalty', { ...places, constants: penalty.at() });
      program.call('adam', { ...places, mean: mean.at(), square: square.at(), constants: this.constants.at() });
    }
    program.endStep('weights', 'adam');
    return program;
  }

  /** A buffer of whole vectors. */
  private keep(bytes: number, content?: Float32Array): Buffer {
    const buffer = new Buffer(roundUp(bytes, 16), 'weights', content);
    this.buffers.push(buffer);
    return buffer;
  }
}
