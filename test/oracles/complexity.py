"""Costs of the seven networks at 3x512x512, counted by ptflops in PyTorch; writes complexity.json.

Needs: torch, ptflops==0.6.2. Run: python test/oracles/complexity.py
ptflops 0.6.2 is of the time of the paper; later versions count a transposed convolution at its output size.
The networks are those of networks.py, on the meta device: nothing is computed. ptflops counts modules; functions (ReLU,
pooling, interpolation) that networks.py calls are counted here by ptflops's rules for the modules of the same name.
"""
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from networks import NETWORKS, Net
from ptflops import get_model_complexity_info
from torch import nn
from torch.overrides import TorchFunctionMode

WIDE = [64, 128, 256, 512, 1024]
CASES = [
    *[(name, {}) for name in NETWORKS],
    ('unet', {'widths': WIDE}),
    ('pyconvunet', {'blocksPerStage': 2}),
    ('pyconvunet', {'widths': WIDE, 'expansion': 4}),
    ('pyconvunet', {'widths': [2 * w for w in WIDE], 'expansion': 4, 'blocksPerStage': 2}),
    ('pyconvunet', {'block': 'direct'}),
]


class Functions(TorchFunctionMode):
    """1 per element of ReLU and interpolated maps, 1 per input element of pooling."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function in (F.relu, F.interpolate):
            self.count += math.prod(result.shape)
        elif getattr(function, '__name__', '').startswith('boolean_dispatch') or function is F.max_pool2d:
            self.count += math.prod(args[0].shape)
        return result


def convolutions(net, x):
    """Multiply-accumulates of the convolutions alone."""
    total = 0

    def hook(module, inputs, output):
        nonlocal total
        at = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
        total += module.weight.numel() * math.prod(at.shape[2:])

    handles = [m.register_forward_hook(hook) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
    net(x)
    for handle in handles:
        handle.remove()
    return total


def count(name, options):
    with torch.device('meta'), torch.no_grad():
        net = Net(NETWORKS[name], **options).eval()
        x = torch.empty(1, 3, 512, 512, dtype=torch.float64)
        net(x)  # makes the layers
        net.eval()
        with Functions() as functions:
            net(x)
        macs = convolutions(net, x)
        modules, _ = get_model_complexity_info(net, (3, 512, 512), as_strings=False, print_per_layer_stat=False)
    return {'network': name, 'options': options, 'macs': macs, 'paper': int(modules) + functions.count}


if __name__ == '__main__':
    document = {'torch': torch.__version__.split('+')[0], 'cases': [count(*case) for case in CASES]}
    Path(__file__).with_suffix('.json').write_text(json.dumps(document, indent=1) + '\n')
    for c in document['cases']:
        print(c['network'], c['options'], c['macs'] / 1e9, c['paper'] / 1e9)
