"""Pyramidal convolutions and their gradients in float64, made by PyTorch; writes pyconv.json.

Needs: torch. Run: python test/oracles/pyconv.py
Inputs follow from a formula (see `wave`), so that the file holds results only.
"""
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def wave(shape, phase):
    """cos(phase + 1.3 i) for the i-th element in TensorFlow's layout, rounded to float32."""
    count = math.prod(shape)
    return torch.tensor([math.cos(phase + 1.3 * i) for i in range(count)]).float().double().reshape(shape)


def levels(kernel_sizes, groups, filters):
    return [{'kernelSize': k, 'groups': g, 'filters': f} for k, g, f in zip(kernel_sizes, groups, filters)]


PAPER = levels([3, 5, 7, 9], [1, 4, 8, 16], [4, 4, 8, 16])
CASES = [
    {'name': 'the four levels of the paper', 'shape': [2, 5, 4, 16], 'levels': PAPER},
    {'name': 'the four levels at stride 2', 'shape': [1, 6, 5, 16], 'levels': PAPER, 'strides': [2, 2]},
    {'name': 'two levels, dilated', 'shape': [2, 9, 8, 4], 'levels': levels([3, 5], [1, 4], [4, 4]), 'dilations': [2, 2]},
    {'name': 'stride 3, 2 and dilation 2', 'shape': [2, 9, 11, 4], 'levels': levels([3, 5], [2, 4], [6, 4]),
     'strides': [3, 2], 'dilations': [2, 2]},
    {'name': 'one level without padding', 'shape': [1, 6, 5, 3], 'levels': levels([3], [1], [2]), 'padding': [0]},
    {'name': 'one level with much padding', 'shape': [1, 3, 4, 2], 'levels': levels([3], [2], [4]), 'padding': [3],
     'strides': [2, 1]},
    {'name': 'one pixel', 'shape': [3, 1, 1, 4], 'levels': levels([3, 9], [1, 4], [3, 4])},
    *[{'name': f'fused {a}', 'shape': [1, 4, 5, 4], 'levels': levels([1, 3], [1, 2], [3, 4]), 'activation': a}
      for a in ('relu', 'relu6', 'elu', 'sigmoid', 'tanh')],
]
ACTIVATIONS = {'linear': lambda x: x, 'relu': F.relu, 'relu6': F.relu6, 'elu': F.elu, 'sigmoid': torch.sigmoid, 'tanh': torch.tanh}


def numbers(tensor):
    return [float(f'{v:.8g}') for v in tensor.detach().reshape(-1).tolist()]


def run(case):
    channels, steps = case['shape'][3], case.get('strides', [1, 1])
    taps = case.get('dilations', [1, 1])
    case['padding'] = case.get('padding', [(l['kernelSize'] - 1) // 2 * taps[0] for l in case['levels']])
    x = wave(case['shape'], 0.1).requires_grad_()
    # Large enough for relu6 to saturate.
    filters = [
        (2 * wave([l['kernelSize'], l['kernelSize'], channels // l['groups'], l['filters']], 0.2 + i)).requires_grad_()
        for i, l in enumerate(case['levels'])
    ]
    bias = wave([sum(l['filters'] for l in case['levels'])], 0.3).requires_grad_()
    parts = [
        F.conv2d(x.permute(0, 3, 1, 2), f.permute(3, 2, 0, 1), None, steps, p, taps, l['groups'])
        for f, l, p in zip(filters, case['levels'], case['padding'])
    ]
    y = ACTIVATIONS[case.get('activation', 'linear')](torch.cat(parts, 1).permute(0, 2, 3, 1) + bias)
    (y * wave(y.shape, 0.4)).sum().backward()
    return {
        **case,
        'yShape': list(y.shape),
        'y': numbers(y),
        'dx': numbers(x.grad),
        'dfilters': [numbers(f.grad) for f in filters],
        'dbias': numbers(bias.grad),
    }


if __name__ == '__main__':
    document = {'torch': torch.__version__, 'cases': [run(case) for case in CASES]}
    Path(__file__).with_suffix('.json').write_text(json.dumps(document) + '\n')
