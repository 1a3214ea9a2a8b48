/** The base of the layers without weights that make one map of one map. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { FreeShape } from '../spec/index.js';
import { checkLayerKeys, type LayerArgs } from './layerOptions.js';
import { defaultName } from './register.js';
import { imageShape, oneTensor } from './tensors.js';

export type { LayerArgs } from './layerOptions.js';

/** How a layer is called, and the names of its options beside those of every layer. */
export interface LayerKind {
  /** In messages. */
  readonly title: string;
  /** Of its default names. */
  readonly prefix: string;
  readonly options: readonly string[];
}

/** A layer from [batch, height, width, channels] to another such map, without weights. */
export abstract class FixedLayer extends tfl.layers.Layer {
  constructor(args: LayerArgs, { title, prefix, options }: LayerKind) {
    checkLayerKeys(title, args, options);
    super({ ...args, name: args.name ?? defaultName(prefix) });
    this.inputSpec = [new tfl.InputSpec({ ndim: 4 })];
  }

  /** The map that the layer makes of `x`; runs inside a tidy. */
  protected abstract transform(x: tf.Tensor4D, kwargs: Record<string, unknown>): tf.Tensor;

  /** The shape of the map that the layer makes; height and width may be null. */
  protected abstract transformShape(shape: FreeShape): tfl.Shape;

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor {
    return tf.tidy(() => this.transform(oneTensor(inputs, this.name) as tf.Tensor4D, kwargs));
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return this.transformShape(imageShape(inputShape, this.name));
  }
}
