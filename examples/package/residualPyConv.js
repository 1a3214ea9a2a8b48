// A layer of another package that wraps one of pyconvunet: what comes in is added to what its pyramidal convolution makes of
// it. It registers itself under a name of its own, so that models which hold it are saved and loaded like any other.
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { layers } from 'pyconvunet';

let count = 0;

/** tfjs makes a default name of the class name, and '>' is illegal in a name. */
function defaultName() {
  count += 1;
  return `residual_py_conv_${count}`;
}

/** x [N, H, W, C] to relu(x + pyConv2d(x)) of the same shape; `kernelSizes` as in layers.pyConv2d. */
export class ResidualPyConv extends tfl.layers.Layer {
  static className = 'example>ResidualPyConv';

  constructor({ kernelSizes = [3, 5, 7, 9], ...rest } = {}) {
    super({ ...rest, name: rest.name ?? defaultName() });
    this.kernelSizes = kernelSizes;
  }

  build(inputShape) {
    const filters = inputShape[3];
    this.pyramid = layers.pyConv2d({ filters, kernelSizes: this.kernelSizes, groups: 'auto' });
    this.pyramid.build(inputShape);
    this.trainableWeights = this.pyramid.trainableWeights;
    super.build(inputShape);
  }

  call(inputs, kwargs) {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    return tf.tidy(() => tf.relu(tf.add(x, this.pyramid.call(x, kwargs))));
  }

  computeOutputShape(inputShape) {
    return inputShape;
  }

  getConfig() {
    return { ...super.getConfig(), kernelSizes: this.kernelSizes };
  }
}

tf.serialization.registerClass(ResidualPyConv);
