/** A training step as one program: forward, backward, gradients of all weights. */

import { Lowering, type Machine, segmentsOf, type Target, type View } from '../../engine/lower/context.js';
import {
  algorithmOf,
  lowerConv,
  lowerTransposedConv,
  type Precision,
  stencilOf,
} from '../../engine/lower/convolution.js';
import {
  backwardConnection,
  type Connection,
  type Destination,
  type Finish,
  forwardConnection,
  outputRange,
  transposedAccess,
} from '../../engine/lower/filters.js';
import {
  lowerDirectGradient,
  lowerNestedGradient,
  lowerPointwiseGradient,
  lowerTransposedGradient,
} from '../../engine/lower/gradients.js';
import { lowerNested } from '../../engine/lower/nested.js';
import { lowerDirect, lowerPointwise, lowerTransposed, transposedStencil } from '../../engine/lower/products.js';
import { lowerMargins, lowerTransfer } from '../../engine/lower/transfer.js';
import { Buffer, type Place, Program } from '../../engine/program.js';
import type { Tiles } from '../../engine/tiles.js';
import type { ConvLevel, ConvOp, MapShape, TransposedOp, Weight } from '../../engine/types.js';
import { ChangingWeights } from '../../engine/weights.js';
import { UnplannableError } from '../graph/readModel.js';
import type { TrainingGraph, TrainingNode } from '../graph/training.js';
import type { NormOp } from '../graph/types.js';
import {
  lowerActivation,
  lowerAffine,
  lowerEnlargeGradient,
  lowerMove,
  lowerPoolGradient,
  lowerProduct,
  lowerShiftGradient,
  lowerSum,
  nodesWithMargins,
  reachesOut,
} from './maps.js';

/** The program of a step. */
export interface LoweredTraining {
  readonly program: Program;
  /** Steps of the program that compute the outputs; the others need the outputs' gradients. */
  readonly forwardSteps: number;
  /** Images [batch, height, width, channels]. */
  readonly input: Buffer;
  readonly outputs: readonly OutputBuffers[];
}

/** An output of the model and the gradient of the loss by it, [batch, height, width, channels]. */
export interface OutputBuffers {
  readonly value: Buffer;
  readonly gradient: Buffer;
  readonly shape: MapShape;
}

/** Weights and their gradients in the memory of the plan. */
export interface TrainingBuffers {
  readonly masters: ReadonlyMap<Weight, Buffer>;
  readonly gradients: ReadonlyMap<Weight, Buffer>;
}

/** What a batch is computed with. */
export interface TrainingGeometry {
  readonly machine: Machine;
  readonly batch: number;
  readonly tile: 3 | 4;
}

/** What the forward pass keeps for the backward one: all maps, or what is summed up alone (normalised maps are computed again). */
export type Keeps = 'maps' | 'sums';

const FLOOR = Number.NEGATIVE_INFINITY;

/** A record [bias, floor1, scale, shift, floor2] for each channel. */
function records(channels: number, floor1: number, floor2: number): Float32Array {
  return Float32Array.from({ length: 5 * channels }, (_, i) => [0, floor1, 1, 0, floor2][i % 5] ?? 0);
}

/** Numbers that stay in the plan's memory for its whole life. */
const lasting = (content: Float32Array): Buffer => new Buffer(content.byteLength, 'weights', content);

/** Float64 numbers as the words of a buffer. */
const doubles = (values: readonly number[]): Float32Array => new Float32Array(Float64Array.from(values).buffer);

/** What a normalisation keeps from forward to backward. */
interface NormState {
  readonly sums: Place;
  readonly statistics: Place;
  readonly record: Place;
  readonly factors: Place;
  readonly constants: Place;
  readonly gamma: Place;
  readonly beta: Place;
  readonly gammaGradient: Place;
  readonly betaGradient: Place;
}

/** Lowers one graph; the order of its methods is the order of a step. */
class TrainingLowering {
  readonly program = new Program();
  /** Buffers that keep their contents from step to step. */
  readonly lasting: Buffer[] = [];
  private readonly lowering: Lowering;
  private readonly views: View[] = [];
  private readonly norms = new Map<number, NormState>();
  private readonly gradients = new Map<number, Target>();
  private readonly written = new Set<number>();
  private readonly identities = new Map<number, Place>();
  /** Nodes that a gradient has to reach. */
  private readonly needed = new Set<number>();
  /** Nodes whose maps need zeros around them. */
  private readonly withMargins: ReadonlySet<number>;
  /** Maps computed again for the node whose gradients are under way. */
  private readonly fresh = new Map<number, View>();
  private isBackward = false;

  constructor(
    private readonly graph: TrainingGraph,
    private readonly buffers: TrainingBuffers,
    { machine, batch, tile }: TrainingGeometry,
    private readonly precision: Precision,
    private readonly keeps: Keeps,
  ) {
    this.lowering = new Lowering(
      this.program,
      new ChangingWeights(this.program, buffers.masters),
      machine,
      tile,
      batch,
    );
    for (const [id, node] of graph.nodes.entries()) {
      const isTrained = weightsOf(node.op).some((weight) => buffers.gradients.has(weight));
      if (isTrained || node.inputs.some((input) => this.needed.has(input))) this.needed.add(id);
    }
    // Statistics are sums over whole planes.
    this.withMargins = nodesWithMargins(graph.nodes, (node) => node.op.kind === 'norm' || reachesOut(node));
  }

  // --- forward

  forward(image: Place): void {
    for (const [id, node] of this.graph.nodes.entries()) {
      if ((this.graph.readers[id] ?? 0) === 0) {
        this.views.push({ tiles: this.lowering.tilesOf(node.shape), channels: 0, segments: [] });
        continue;
      }
      this.views.push(this.forwardNode(id, node, image));
    }
  }

  private forwardNode(id: number, node: TrainingNode, image: Place): View {
    const { lowering, precision } = this;
    const { name, op, relu, shape } = node;
    const inputs = node.inputs.map((input) => this.view(input));
    const [input] = inputs;
    if (op.kind === 'concat') {
      const [first] = inputs;
      if (first === undefined) throw new Error(`Layer ${name} has no input.`);
      return { tiles: first.tiles, channels: shape.channels, segments: inputs.flatMap(({ segments }) => segments) };
    }
    const target = lowering.newMap(shape);
    const to = target.tiles;
    const destination = { place: target.place, accumulate: false };
    if (op.kind === 'input') lowerTransfer(lowering, 'toTiles', target, image);
    else {
      if (input === undefined) throw new Error(`Layer ${name} has no input.`);
      switch (op.kind) {
        case 'conv':
          lowerConv(lowering, input, { op, to, precision }, this.finish(name, op.bias, shape, relu), destination);
          break;
        case 'transposed':
          lowerTransposedConv(
            lowering,
            input,
            { op, to, outputs: shape.channels },
            this.finish(name, op.bias, shape, relu),
            destination,
          );
          break;
        case 'norm':
          this.normalise(id, node, op, input, target);
          break;
        case 'add': {
          const last = relu ? this.constant(records(shape.channels, 0, FLOOR)) : this.identity(shape.channels);
          if (inputs.length === 1) lowerAffine(this.lowering, input, target, last);
          else lowerSum(lowering, inputs, target, { last, none: this.identity(shape.channels) });
          break;
        }
        case 'multiply':
          lowerProduct(lowering, inputs, target, this.identity(shape.channels));
          break;
        case 'activation':
          if (op.activation !== 'sigmoid')
            throw new UnplannableError(`layer '${name}' has the activation ${op.activation}`);
          lowerActivation(lowering, input, target, 'sigmoid');
          break;
        case 'pool':
        case 'enlarge':
        case 'shift':
          lowerMove(lowering, input, target, op);
          break;
      }
    }
    if (this.withMargins.has(id)) lowerMargins(lowering, target);
    lowering.endStep(name, `${op.kind} forward`);
    return target;
  }

  private normalise(id: number, node: TrainingNode, op: NormOp, input: View, target: Target): void {
    const { lowering, program } = this;
    const { channels } = input;
    const { tiles } = target;
    const pixels = tiles.batch * tiles.height * tiles.width;
    if (op.momentum === null)
      throw new UnplannableError(`layer '${node.name}' normalises by rules of its own in training`);
    const ones = this.constant(new Float32Array(channels).fill(1));
    const zeros = this.constant(new Float32Array(channels));
    const spare = this.constant(new Float32Array(channels + 4));
    const master = (variable: Weight | null, otherwise: Place) =>
      variable === null ? otherwise : this.master(variable);
    const gradient = (variable: Weight | null) =>
      (variable === null ? undefined : this.buffers.gradients.get(variable)?.at()) ?? spare;
    const state: NormState = {
      sums: this.constant(new Float32Array(4 * channels)),
      statistics: this.constant(new Float32Array(4 * channels)),
      record: this.constant(records(channels, FLOOR, node.relu ? 0 : FLOOR)),
      factors: this.constant(new Float32Array(4 * channels)),
      constants: this.constant(doubles([pixels, op.epsilon, op.momentum, 1 - op.momentum, pixels / (pixels - 1)])),
      gamma: master(op.gamma, ones),
      beta: master(op.beta, zeros),
      gammaGradient: gradient(op.gamma),
      betaGradient: gradient(op.beta),
    };
    this.norms.set(id, state);
    const { sums, statistics, record, gamma, beta, constants } = state;
    const moving = { mean: this.master(op.mean), variance: this.master(op.variance) };
    if (op.isFrozen) {
      program.call('normFixed', { statistics, record, gamma, beta, ...moving, constants, count: channels });
    } else {
      let first = 0;
      for (const segment of input.segments) {
        program.call('channelSums', {
          input: segment.place,
          inputChannel: tiles.channelStride,
          length: tiles.places,
          count: segment.channels,
          sums: sums.plus(16 * first),
        });
        first += segment.channels;
      }
      program.call('normFinish', { sums, statistics, record, gamma, beta, ...moving, constants, count: channels });
    }
    lowering.endStep(node.name, 'statistics');
    lowerAffine(this.lowering, input, target, record);
  }

  // --- backward

  backward(outputGradients: readonly Buffer[]): void {
    const { lowering, graph } = this;
    this.isBackward = true;
    for (const [i, id] of graph.outputs.entries()) {
      const target = lowering.newMap(this.node(id).shape);
      const image = outputGradients[i];
      if (image === undefined) throw new Error('An output has no gradient.');
      lowerTransfer(lowering, 'toTiles', target, image.at());
      lowering.endStep('output', 'gradient input');
      this.give(id, target, { isOurs: graph.readers[id] === 1 });
    }
    for (const id of [...graph.nodes.keys()].reverse()) {
      const gradient = this.gradients.get(id);
      if (gradient === undefined || !this.needed.has(id)) continue;
      const node = this.node(id);
      this.fresh.clear();
      lowerMargins(lowering, gradient);
      this.backwardNode(id, node, gradient);
      lowering.endStep(node.name, `${node.op.kind} backward`);
      this.gradients.delete(id);
    }
  }

  private backwardNode(id: number, node: TrainingNode, dy: Target): void {
    const { lowering, program } = this;
    const { op, relu } = node;
    const { tiles, channels, place } = dy;
    const whole = {
      gradient: place,
      gradientChannel: tiles.channelStride,
      length: tiles.places,
      count: channels,
    };
    const [inputId] = node.inputs;
    if (relu && op.kind !== 'norm') {
      const [output] = this.view(id).segments;
      if (output === undefined) throw new Error(`Layer ${node.name} has no map.`);
      program.call('reluGradient', { ...whole, output: output.place, outputChannel: tiles.channelStride });
    }
    if (op.kind === 'conv' || op.kind === 'transposed') {
      const bias = op.bias === null ? undefined : this.buffers.gradients.get(op.bias);
      if (bias !== undefined) program.call('biasGradient', { ...whole, out: bias.at() });
    }
    if (inputId === undefined) return;
    const input = this.view(inputId);
    switch (op.kind) {
      case 'conv':
        this.convFilterGradient(op, input, dy);
        lowering.endStep(node.name, 'filter gradient');
        this.convInputGradient(node.name, op, inputId, dy);
        break;
      case 'transposed':
        this.transposedGradient(node.name, op, inputId, dy);
        break;
      case 'norm':
        this.normGradient(id, op, input, dy);
        this.give(inputId, dy, { isOurs: true });
        break;
      case 'add':
        for (const [i, other] of node.inputs.entries()) this.give(other, dy, { isOurs: i === node.inputs.length - 1 });
        break;
      case 'activation': {
        const [output] = this.view(id).segments;
        if (output === undefined) throw new Error(`Layer ${node.name} has no map.`);
        program.call('sigmoidGradient', { ...whole, output: output.place, outputChannel: tiles.channelStride });
        this.give(inputId, dy, { isOurs: true });
        break;
      }
      case 'multiply':
        this.productGradient(node, dy);
        break;
      case 'pool':
        this.throughTemporary(inputId, (target) => lowerPoolGradient(lowering, input, dy, op, target));
        break;
      case 'enlarge':
        this.throughTemporary(inputId, (target) => lowerEnlargeGradient(lowering, dy, op, target));
        break;
      case 'shift':
        this.throughTemporary(inputId, (target) => lowerShiftGradient(lowering, dy, op.shift, target));
        break;
      case 'concat':
        this.give(id, dy, { isOurs: true });
        break;
    }
  }

  private normGradient(id: number, op: NormOp, input: View, dy: Target): void {
    const state = this.norms.get(id);
    if (state === undefined) throw new Error('A normalisation has no statistics.');
    const { program } = this;
    const { tiles, place, channels } = dy;
    const { record, sums, factors, statistics, gamma, gammaGradient, betaGradient, constants } = state;
    for (const kernel of ['normSums', 'normApply'] as const) {
      let first = 0;
      for (const segment of input.segments) {
        const common = {
          gradient: place.plus(first * tiles.channelStride),
          gradientChannel: tiles.channelStride,
          input: segment.place,
          inputChannel: tiles.channelStride,
          length: tiles.places,
          count: segment.channels,
          record: record.plus(20 * first),
        };
        if (kernel === 'normSums') program.call('normSums', { ...common, sums: sums.plus(16 * first) });
        else program.call('normApply', { ...common, factors: factors.plus(16 * first) });
        first += segment.channels;
      }
      if (kernel === 'normSums') {
        program.call('normGradient', {
          sums,
          statistics,
          gamma,
          gammaGradient,
          betaGradient,
          constants,
          count: channels,
          factors,
          isFixed: op.isFrozen ? 1 : 0,
        });
      }
    }
  }

  private convFilterGradient(op: ConvOp, input: View, dy: Target): void {
    const { lowering, precision } = this;
    const nested: Connection[] = [];
    const places = new Map<Connection['access'], Place>();
    for (const level of op.levels) {
      const gradient = this.buffers.gradients.get(level.filter)?.at();
      if (gradient === undefined) continue;
      const connection = forwardConnection(level, input.channels);
      const stencil = stencilOf(op, level);
      const algorithm = algorithmOf(stencil, level.groups, { from: input.tiles, to: dy.tiles, precision });
      if (algorithm === 'nested') {
        nested.push(connection);
        places.set(connection.access, gradient);
      } else if (algorithm === 'pointwise') lowerPointwiseGradient(lowering, input, dy, connection, gradient);
      else lowerDirectGradient(lowering, input, dy, { connection, stencil }, gradient);
    }
    if (nested.length > 0) lowerNestedGradient(lowering, input, dy, nested, places);
  }

  private convInputGradient(name: string, op: ConvOp, inputId: number, dy: Target): void {
    const channels = this.view(inputId).channels;
    const isWhole = op.levels.every(({ groups }) => groups === 1);
    const targets = this.targetsOf(inputId);
    if (targets.length === 0) return;
    if (!isWhole && (targets.length > 1 || targets[0]?.channels !== channels)) {
      this.throughTemporary(inputId, (target) => {
        for (const [i, level] of op.levels.entries()) {
          const connection = backwardConnection(level, channels);
          this.levelInputGradient(name, { op, level, connection }, dy, target.tiles, {
            place: target.place,
            accumulate: i > 0,
          });
        }
      });
      return;
    }
    for (const part of targets) {
      const target = this.gradientOf(part.id);
      for (const [i, level] of op.levels.entries()) {
        const whole = backwardConnection(level, channels);
        const connection = isWhole ? outputRange(whole, part.start, part.start + part.channels) : whole;
        this.levelInputGradient(name, { op, level, connection }, dy, target.tiles, {
          place: target.place,
          accumulate: i > 0 || this.written.has(part.id),
        });
      }
      this.written.add(part.id);
    }
  }

  private levelInputGradient(
    name: string,
    { op, level, connection }: { op: ConvOp; level: ConvLevel; connection: Connection },
    dy: Target,
    to: Tiles,
    destination: Destination,
  ): void {
    const { lowering, precision } = this;
    const stencil = stencilOf(op, level);
    const slice: View = {
      tiles: dy.tiles,
      channels: level.end - level.start,
      segments: segmentsOf(dy, level.start, level.end),
    };
    const outputs = connection.outputs * connection.groups;
    const finish = this.plain(`${name} backward`, outputs);
    const algorithm = algorithmOf(stencil, level.groups, { from: to, to: dy.tiles, precision });
    if (algorithm === 'pointwise') lowerPointwise(lowering, slice, connection, finish, destination);
    else if (algorithm === 'nested') lowerNested(lowering, slice, [connection], finish, destination);
    else {
      // The gradient of a convolution is the transposed one; its filter is read as it lies, inputs and outputs exchanged.
      const { access } = connection;
      const [kh, kw] = level.kernelSize;
      const straight = {
        ...access,
        base: access.base + (kh - 1) * access.row + (kw - 1) * access.column,
        row: -access.row,
        column: -access.column,
      };
      lowerTransposed(
        lowering,
        slice,
        { connection: { ...connection, access: straight }, stencil, to },
        finish,
        destination,
      );
    }
  }

  private transposedGradient(name: string, op: TransposedOp, inputId: number, dy: Target): void {
    const { lowering } = this;
    const input = this.view(inputId);
    const access = transposedAccess(op, input.channels, dy.channels);
    const stencil = transposedStencil(op);
    const gradient = this.buffers.gradients.get(op.filter)?.at();
    if (gradient !== undefined) {
      lowerTransposedGradient(lowering, input, dy, { access, stencil }, gradient);
      lowering.endStep(name, 'filter gradient');
    }
    for (const part of this.targetsOf(inputId)) {
      const target = this.gradientOf(part.id);
      const connection: Connection = outputRange(
        {
          access: { ...access, key: 'backward', input: access.output, output: access.input },
          kernelSize: op.kernelSize,
          groups: 1,
          inputs: dy.channels,
          outputs: input.channels,
          start: 0,
        },
        part.start,
        part.start + part.channels,
      );
      lowerDirect(
        lowering,
        dy,
        { connection, stencil, to: target.tiles },
        this.plain(`${name} backward`, part.channels),
        { place: target.place, accumulate: this.written.has(part.id) },
      );
      this.written.add(part.id);
    }
  }

  private productGradient(node: TrainingNode, dy: Target): void {
    const { lowering, program } = this;
    const [a, b] = node.inputs;
    if (a === undefined || b === undefined) throw new Error('A product has two maps.');
    for (const [own, other] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!this.needed.has(own)) continue;
      const view = this.view(own);
      const factor = this.view(other);
      const temporary = lowering.newMap(this.node(own).shape);
      if (view.channels === dy.channels) {
        lowerProduct(lowering, [dy, factor], temporary, this.identity(dy.channels));
      } else {
        let first = 0;
        for (const segment of factor.segments) {
          program.call('channelDot', {
            a: dy.place.plus(first * dy.tiles.channelStride),
            aChannel: dy.tiles.channelStride,
            b: segment.place,
            bChannel: dy.tiles.channelStride,
            out: temporary.place,
            length: dy.tiles.places,
            count: segment.channels,
            accumulate: first > 0 ? 1 : 0,
          });
          first += segment.channels;
        }
      }
      this.give(own, temporary, { isOurs: true });
    }
  }

  // --- gradients of maps

  /** The nodes that make the channels of a map: more than one where it was concatenated. */
  private targetsOf(id: number): { id: number; start: number; channels: number }[] {
    const found: { id: number; start: number; channels: number }[] = [];
    const visit = (node: number, start: number): void => {
      const { op, inputs, shape } = this.node(node);
      if (op.kind !== 'concat') {
        if (this.needed.has(node)) found.push({ id: node, start, channels: shape.channels });
        return;
      }
      let at = start;
      for (const input of inputs) {
        visit(input, at);
        at += this.node(input).shape.channels;
      }
    };
    visit(id, 0);
    return found;
  }

  private gradientOf(id: number): Target {
    const known = this.gradients.get(id);
    if (known !== undefined) return known;
    const made = this.lowering.newMap(this.node(id).shape);
    this.gradients.set(id, made);
    return made;
  }

  /** Adds a gradient to that of a node. `isOurs`: nobody else needs the map, it may become the node's. */
  private give(id: number, gradient: Target, { isOurs }: { isOurs: boolean }): void {
    const { lowering } = this;
    for (const part of this.targetsOf(id)) {
      const isAll = part.channels === gradient.channels;
      if (isAll && isOurs && !this.gradients.has(part.id)) {
        this.gradients.set(part.id, gradient);
        this.written.add(part.id);
        continue;
      }
      const target = this.gradientOf(part.id);
      const slice: View = {
        tiles: gradient.tiles,
        channels: part.channels,
        segments: segmentsOf(gradient, part.start, part.start + part.channels),
      };
      const identity = this.identity(part.channels);
      if (this.written.has(part.id)) lowerSum(lowering, [target, slice], target, { last: identity, none: identity });
      else lowerAffine(this.lowering, slice, target, identity);
      this.written.add(part.id);
    }
  }

  /** Computes a gradient into a map of its own and adds it. */
  private throughTemporary(id: number, write: (target: Target) => void): void {
    if (this.targetsOf(id).length === 0) return;
    const target = this.lowering.newMap(this.node(id).shape);
    write(target);
    this.give(id, target, { isOurs: true });
  }

  // --- small things

  private node(id: number): TrainingNode {
    const node = this.graph.nodes[id];
    if (node === undefined) throw new Error(`The graph has no node ${id}.`);
    return node;
  }

  private view(id: number): View {
    if (this.isBackward && this.keeps === 'sums') return this.computedAgain(id);
    const view = this.views[id];
    if (view === undefined) throw new Error(`Node ${id} has no map.`);
    return view;
  }

  /** A map in the backward pass: normalised ones are computed from what they normalise. */
  private computedAgain(id: number): View {
    const known = this.fresh.get(id);
    if (known !== undefined) return known;
    const { op, inputs, shape } = this.node(id);
    const [input] = inputs;
    const stored = this.views[id];
    if (stored === undefined) throw new Error(`Node ${id} has no map.`);
    if (op.kind === 'concat') {
      const segments = inputs.flatMap((part) => this.computedAgain(part).segments);
      return { tiles: stored.tiles, channels: shape.channels, segments };
    }
    const norm = this.norms.get(id);
    if (norm === undefined || input === undefined) return stored;
    const target = this.lowering.newMap(shape);
    lowerAffine(this.lowering, this.computedAgain(input), target, norm.record);
    if (this.withMargins.has(id)) lowerMargins(this.lowering, target);
    this.fresh.set(id, target);
    return target;
  }

  private master(variable: Weight): Place {
    const buffer = this.buffers.masters.get(variable);
    if (buffer === undefined) throw new Error(`The weight ${variable.name} has no place in the plan.`);
    return buffer.at();
  }

  private constant(content: Float32Array): Place {
    const buffer = lasting(content);
    this.lasting.push(buffer);
    return buffer.at();
  }

  /** A record that changes nothing. */
  private identity(channels: number): Place {
    const known = this.identities.get(channels);
    if (known !== undefined) return known;
    const made = this.constant(records(channels, FLOOR, FLOOR));
    this.identities.set(channels, made);
    return made;
  }

  private plain(owner: string, channels: number): Finish {
    return { owner, factors: new Float64Array(channels).fill(1), record: this.identity(channels) };
  }

  private finish(owner: string, bias: Weight | null, { channels }: MapShape, relu: boolean): Finish {
    const factors = new Float64Array(channels).fill(1);
    if (bias === null && !relu) return { owner, factors, record: this.identity(channels) };
    const record = this.constant(records(channels, relu ? 0 : FLOOR, FLOOR));
    if (bias !== null) this.program.call('biasRecord', { bias: this.master(bias), record, count: channels });
    return { owner, factors, record };
  }

  /** Writes an output as an image. */
  writeOutput(id: number, image: Buffer): void {
    const view = this.view(id);
    const [segment, ...others] = view.segments;
    if (segment === undefined || others.length > 0) throw new UnplannableError('an output is a concatenation');
    lowerTransfer(this.lowering, 'fromTiles', { ...view, place: segment.place }, image.at());
    this.lowering.endStep('output', 'output');
  }
}

function weightsOf(op: TrainingNode['op']): Weight[] {
  switch (op.kind) {
    case 'conv':
      return [...op.levels.map(({ filter }) => filter), ...(op.bias === null ? [] : [op.bias])];
    case 'transposed':
      return [op.filter, ...(op.bias === null ? [] : [op.bias])];
    case 'norm':
      return [op.gamma, op.beta].flatMap((weight) => weight ?? []);
    default:
      return [];
  }
}

/** Lowers a training step for batches of one size; `lasting` buffers keep their contents from step to step. */
export function lowerTraining(
  graph: TrainingGraph,
  buffers: TrainingBuffers,
  geometry: TrainingGeometry,
  { precision, keeps }: { precision: Precision; keeps: Keeps },
): LoweredTraining & { readonly lasting: readonly Buffer[] } {
  const lowering = new TrainingLowering(graph, buffers, geometry, precision, keeps);
  const { program } = lowering;
  const imageOf = ({ height, width, channels }: MapShape) =>
    new Buffer(4 * geometry.batch * height * width * channels, 'arena');
  const inputNode = graph.nodes.find(({ op }) => op.kind === 'input');
  if (inputNode === undefined) throw new UnplannableError('the model has no input');
  const input = imageOf(inputNode.shape);
  for (const gradient of buffers.gradients.values()) {
    program.call('clear', { map: gradient.at(), bytes: gradient.bytes });
  }
  program.endStep('weights', 'clear');
  lowering.forward(input.at());
  const outputs = graph.outputs.map((id): OutputBuffers => {
    const { shape } = graph.nodes[id] ?? inputNode;
    const value = imageOf(shape);
    lowering.writeOutput(id, value);
    return { value, gradient: imageOf(shape), shape };
  });
  const forwardSteps = program.steps.length;
  lowering.backward(outputs.map(({ gradient }) => gradient));
  return { program, forwardSteps, input, outputs, lasting: lowering.lasting };
}
