"""The networks of test/oracles/networks.py in TensorFlow: its definitions, run with these layers in the place of PyTorch's."""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import tensorflow as tf

ORACLE = Path(__file__).resolve().parents[2] / 'test/oracles/networks.py'


class Map:
    """A map [batch, height, width, channels] whose shape reads as PyTorch's."""

    def __init__(self, values):
        self.values = values

    @property
    def shape(self):
        batch, height, width, channels = self.values.shape
        return batch, channels, height, width

    def __add__(self, other):
        return Map(self.values + other.values)

    def __mul__(self, other):
        return Map(self.values * other.values)


def padded(x, padding, value=0.0):
    sides = [padding, padding]
    return tf.pad(x, [[0, 0], sides, sides, [0, 0]], constant_values=value) if padding > 0 else x


class Functional:
    """torch.nn.functional, as far as the definitions use it."""

    @staticmethod
    def relu(x):
        return Map(tf.nn.relu(x.values))

    @staticmethod
    def max_pool2d(x, size, stride=None, padding=0):
        values = padded(x.values, padding, x.values.dtype.min)
        return Map(tf.nn.max_pool2d(values, size, size if stride is None else stride, 'VALID'))

    @staticmethod
    def interpolate(x, scale_factor, mode, align_corners=False):
        _, _, height, width = x.shape
        size = [scale_factor * height, scale_factor * width]
        if mode == 'nearest':
            return Map(tf.compat.v1.image.resize_nearest_neighbor(x.values, size))
        return Map(tf.compat.v1.image.resize_bilinear(x.values, size, align_corners=align_corners))


class Net:
    """The oracle's Net with weights that are given."""

    def __init__(self, weights):
        self.weights = weights
        self.options = {}

    def conv(self, name, x, filters, k, stride=1, groups=1, bias=True, padding=None):
        padding = k // 2 if padding is None else padding
        isSame = stride == 1 and padding == k // 2
        values = x.values if isSame else padded(x.values, padding)
        y = tf.nn.conv2d(values, self.weights[f'{name}/kernel'], stride, 'SAME' if isSame else 'VALID')
        return Map(tf.nn.bias_add(y, self.weights[f'{name}/bias']) if bias else y)

    def up(self, name, x, filters, k, padding=0, output_padding=0):
        _, _, height, width = x.shape
        full = [1, 2 * (height - 1) + k, 2 * (width - 1) + k, filters]
        y = tf.nn.conv2d_transpose(x.values, self.weights[f'{name}/kernel'], full, 2, 'VALID')
        if full[1] > 2 * height:
            y = y[:, padding : padding + 2 * height, padding : padding + 2 * width]
        return Map(tf.nn.bias_add(y, self.weights[f'{name}/bias']))

    def norm(self, name, x, affine_scale=True):
        gamma = self.weights[f'{name}/gamma'] if affine_scale else 1.0
        scale = (gamma / np.sqrt(self.weights[f'{name}/moving_variance'] + 1e-5)).astype(np.float32)
        shift = self.weights[f'{name}/beta'] - self.weights[f'{name}/moving_mean'] * scale
        return Map(x.values * scale + shift)


def torch_like():
    """What the definitions use of torch; the rest of the file needs its names alone."""
    torch = types.ModuleType('torch')
    torch.set_num_threads = lambda count: None
    torch.cat = lambda maps, axis: Map(tf.concat([x.values for x in maps], -1))
    torch.sigmoid = lambda x: Map(tf.sigmoid(x.values))
    torch.nn = types.ModuleType('torch.nn')
    torch.nn.Module = object
    torch.nn.functional = Functional
    return {'torch': torch, 'torch.nn': torch.nn, 'torch.nn.functional': Functional}


def definitions():
    """The oracle's networks by name."""
    spec = importlib.util.spec_from_file_location('oracle_networks', ORACLE)
    module = importlib.util.module_from_spec(spec)
    replaced = torch_like()
    others = {name: sys.modules.get(name) for name in replaced}
    sys.modules.update(replaced)
    try:
        spec.loader.exec_module(module)
    finally:
        for name, other in others.items():
            if other is None:
                del sys.modules[name]
            else:
                sys.modules[name] = other
    return module.NETWORKS


def described_probabilities(name, weights, x):
    heads = definitions()[name](Net(weights), Map(x))
    return tf.sigmoid((heads[-1] if isinstance(heads, list) else heads).values)
