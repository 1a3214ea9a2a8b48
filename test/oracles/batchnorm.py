"""Batch normalisation in float64, made by PyTorch: training forward, running statistics, gradients, inference; writes batchnorm.json.

Needs: torch. Run: python test/oracles/batchnorm.py
Inputs follow from a formula (see `wave`), so that the file holds results only.
"""
import json
from pathlib import Path

import torch
import torch.nn.functional as F

from pyconv import numbers, wave

torch.set_default_dtype(torch.float64)
CASES = [
    {'name': 'factor and offset', 'shape': [2, 4, 3, 3]},
    {'name': 'without a factor', 'shape': [2, 4, 3, 3], 'scale': False},
    {'name': 'without an offset', 'shape': [2, 4, 3, 3], 'center': False},
    {'name': 'neither factor nor offset', 'shape': [2, 4, 3, 3], 'scale': False, 'center': False},
    {'name': 'with a fused ReLU', 'shape': [2, 4, 3, 3], 'activation': 'relu'},
    {'name': 'a fused ReLU without a factor', 'shape': [1, 6, 3, 2], 'scale': False, 'activation': 'relu'},
    {'name': 'another epsilon and momentum', 'shape': [2, 3, 3, 2], 'epsilon': 0.1, 'momentum': 0.6},
    {'name': 'two values a channel', 'shape': [2, 1, 1, 4], 'epsilon': 0.1},
    {'name': 'rank 2', 'shape': [7, 3]},
]
STEPS = 2


def run(case):
    """Two training steps, so that the second one moves statistics that are not the initial ones; then inference."""
    channels = case['shape'][-1]
    epsilon, momentum = case.get('epsilon', 1e-5), case.get('momentum', 0.9)
    gamma = (1 + 0.5 * wave([channels], 0.5)).float().double().requires_grad_(case.get('scale', True))
    beta = (0.5 * wave([channels], 0.6)).requires_grad_(case.get('center', True))
    factor = gamma if case.get('scale', True) else None
    offset = beta if case.get('center', True) else None
    activation = F.relu if case.get('activation') == 'relu' else lambda v: v
    mean, variance = torch.zeros(channels), torch.ones(channels)

    def normalise(x, training):
        first = x.movedim(-1, 1) if x.dim() > 2 else x
        # PyTorch's momentum is the share of the new statistics.
        y = F.batch_norm(first, mean, variance, factor, offset, training, 1 - momentum, epsilon)
        return activation(y.movedim(1, -1) if x.dim() > 2 else y)

    steps = []
    for step in range(STEPS):
        x = (3 * wave(case['shape'], 0.7 + step) + 2).float().double().requires_grad_()
        for weight in (gamma, beta):
            weight.grad = None
        y = normalise(x, True)
        (y * wave(case['shape'], 0.8 + step)).sum().backward()
        steps.append({
            'y': numbers(y), 'dx': numbers(x.grad), 'movingMean': numbers(mean), 'movingVariance': numbers(variance),
            **({'dgamma': numbers(gamma.grad)} if factor is not None else {}),
            **({'dbeta': numbers(beta.grad)} if offset is not None else {}),
        })
    x = (3 * wave(case['shape'], 0.7) + 2).float().double().requires_grad_()
    y = normalise(x, False)
    (y * wave(case['shape'], 0.8)).sum().backward()
    return {**case, 'steps': steps, 'inference': {'y': numbers(y), 'dx': numbers(x.grad)}}


if __name__ == '__main__':
    document = {'torch': torch.__version__, 'cases': [run(case) for case in CASES]}
    Path(__file__).with_suffix('.json').write_text(json.dumps(document) + '\n')
