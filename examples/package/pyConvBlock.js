// A layer of another package that wraps two of pyconvunet's: pyramidal convolution, batch normalisation, ReLU. Its class name
// carries this package's prefix, so that models which hold it are saved and loaded beside any other package's layers.
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { layers } from 'pyconvunet';

let count = 0;

/**
 * x [batch, height, width, channels] to [batch, outHeight, outWidth, filters].
 *
 * Options: those of `layers.pyConv2d` that a block may choose (`filters`, `kernelSizes`, `groups`, `split`, `strides`), and those
 * of every layer (`name`, `inputShape`, `trainable`).
 */
export class PyConvBlock extends tfl.layers.Layer {
  static className = 'example>PyConvBlock';

  /** @param {import('pyconvunet').layers.PyConv2DArgs} options */
  constructor({ filters, kernelSizes, groups, split, strides, ...layer }) {
    // tfjs derives a default name from the class name, and '>' is illegal in a name.
    super({ ...layer, name: layer.name ?? `pyconv_block_${++count}` });
    const given = Object.entries({ filters, kernelSizes, groups, split, strides }).filter(
      ([, value]) => value !== undefined,
    );
    this.options = Object.fromEntries(given);
    // Batch normalisation has the offset: a bias before it would have no effect.
    this.convolution = layers.pyConv2d({ ...this.options, useBias: false, name: `${this.name}_convolution` });
    this.normalisation = layers.batchNorm({ activation: 'relu', name: `${this.name}_normalisation` });
  }

  build(inputShape) {
    this.convolution.build(inputShape);
    this.normalisation.build(this.convolution.computeOutputShape(inputShape));
    // The block's weights are those of its layers. tfjs reads these lists to train, freeze, count, save, load and dispose.
    this.trainableWeights = [...this.convolution.trainableWeights, ...this.normalisation.trainableWeights];
    this.nonTrainableWeights = this.normalisation.nonTrainableWeights;
    super.build(inputShape);
  }

  call(inputs, { training = false }) {
    // A frozen block keeps its moving statistics too.
    return tf.tidy(() =>
      this.normalisation.call(this.convolution.call(inputs), { training: training && this.trainable }),
    );
  }

  computeOutputShape(inputShape) {
    return this.convolution.computeOutputShape(inputShape);
  }

  /** Everything that the constructor needs: `fromConfig` of the base class hands it back. */
  getConfig() {
    return { ...super.getConfig(), ...this.options };
  }
}

tf.serialization.registerClass(PyConvBlock);
