"""The networks in TensorFlow (NHWC, grouped tf.nn.conv2d), batch normalisation folded into the filters."""

import numpy as np
import tensorflow as tf
from described_tf import described_probabilities

DEPTH = 5
LEVELS = (1, 2, 3, 4)


def scale_shift(weights, name):
    """Batch normalisation in inference as y = scale x + shift."""
    scale = weights[f'{name}/gamma'] / np.sqrt(weights[f'{name}/moving_variance'] + 1e-5)
    return scale, weights[f'{name}/beta'] - weights[f'{name}/moving_mean'] * scale


def convolution(x, kernel, bias):
    return tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, 'SAME'), bias)


def normalised(weights, x, kernel_name, norm_name):
    """Convolution, normalisation, ReLU."""
    scale, shift = scale_shift(weights, norm_name)
    bias = weights.get(f'{kernel_name}/bias', np.zeros_like(shift))
    return tf.nn.relu(convolution(x, weights[f'{kernel_name}/kernel'] * scale, bias * scale + shift))


def pyconv_stage(weights, x, name):
    x = normalised(weights, x, f'{name}/reduce', f'{name}/reduceNorm')
    scale, shift = scale_shift(weights, f'{name}/pyconvNorm')
    levels, start = [], 0
    for level in LEVELS:
        kernel = weights[f'{name}/pyconv/level{level}/kernel']
        end = start + kernel.shape[-1]
        levels.append(tf.nn.relu(convolution(x, kernel * scale[start:end], shift[start:end])))
        start = end
    x = normalised(weights, tf.concat(levels, -1), f'{name}/expand', f'{name}/expandNorm')
    scale, shift = scale_shift(weights, f'{name}/norm')
    return tf.nn.relu(x * scale + shift)


def double_convolution(weights, x, name):
    x = normalised(weights, x, f'{name}/conv1', f'{name}/norm1')
    return normalised(weights, x, f'{name}/conv2', f'{name}/norm2')


STAGES = {'pyconvunet': pyconv_stage, 'unet': double_convolution}


def upsampled(weights, x, name):
    """2x2 transposed convolution, stride 2."""
    kernel = weights[f'{name}/kernel']
    _, height, width, _ = x.shape
    y = tf.nn.conv2d_transpose(x, kernel, [1, 2 * height, 2 * width, kernel.shape[2]], 2, 'SAME')
    return tf.nn.bias_add(y, weights[f'{name}/bias'])


def probabilities(name, weights, x):
    if name not in STAGES:
        return described_probabilities(name, weights, x)
    stage = STAGES[name]
    skips = []
    for i in range(1, DEPTH + 1):
        x = stage(weights, x if i == 1 else tf.nn.max_pool2d(x, 2, 2, 'VALID'), f'encoder{i}')
        skips.append(x)
    for i in range(DEPTH - 1, 0, -1):
        up = upsampled(weights, x, f'decoder{i}/up')
        x = stage(weights, tf.concat([up, skips[i - 1]], -1), f'decoder{i}')
    return tf.sigmoid(convolution(x, weights['logits/kernel'], weights['logits/bias']))
