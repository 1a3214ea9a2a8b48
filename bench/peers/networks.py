"""The networks in PyTorch, their layers under the names that the package gives them.

PyConvU-Net and U-Net 32..512, which every contender runs, are written here as their users would; the others are described in
test/oracles/networks.py, which the package's own tests rest on.
"""

import importlib.util
from pathlib import Path

import torch
from torch import nn

WIDTHS = (32, 64, 128, 256, 512)
INPUT_SHAPE = (1, 3, 256, 256)
# Of each level of a pyramidal convolution: kernel size, groups, and the output channels' share, 1 / part.
LEVELS = ((3, 1, 8), (5, 4, 8), (7, 8, 4), (9, 16, 2))


class PyConvStage(nn.Module):
    """1x1, pyramidal and 1x1 convolution, each with normalisation and ReLU, and the stage's own two; no biases."""

    def __init__(self, channels, width):
        super().__init__()
        self.reduce = nn.Conv2d(channels, width, 1, bias=False)
        self.reduceNorm = nn.BatchNorm2d(width)
        self.pyconv = nn.ModuleDict(
            {
                f'level{i}': nn.Conv2d(width, width // part, k, padding=k // 2, groups=groups, bias=False)
                for i, (k, groups, part) in enumerate(LEVELS, 1)
            }
        )
        self.pyconvNorm = nn.BatchNorm2d(width)
        self.expand = nn.Conv2d(width, width, 1, bias=False)
        self.expandNorm = nn.BatchNorm2d(width)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x):
        x = torch.relu(self.reduceNorm(self.reduce(x)))
        x = torch.cat([level(x) for level in self.pyconv.values()], 1)
        x = torch.relu(self.pyconvNorm(x))
        x = torch.relu(self.expandNorm(self.expand(x)))
        return torch.relu(self.norm(x))


class DoubleConvolution(nn.Module):
    """Twice a 3x3 convolution with bias, normalisation and ReLU."""

    def __init__(self, channels, width):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x):
        x = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(x)))


class UShape(nn.Module):
    """U-Net's shape around any stage, up to its logits."""

    def __init__(self, stage):
        super().__init__()
        channels = INPUT_SHAPE[1]
        for i, width in enumerate(WIDTHS, 1):
            self.add_module(f'encoder{i}', stage(channels, width))
            channels = width
        for i in range(len(WIDTHS) - 1, 0, -1):
            decoder = stage(2 * WIDTHS[i - 1], WIDTHS[i - 1])
            decoder.up = nn.ConvTranspose2d(WIDTHS[i], WIDTHS[i - 1], 2, 2)
            self.add_module(f'decoder{i}', decoder)
        self.logits = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, x):
        depth = len(WIDTHS)
        skips = []
        for i in range(1, depth + 1):
            x = getattr(self, f'encoder{i}')(x if i == 1 else nn.functional.max_pool2d(x, 2))
            skips.append(x)
        for i in range(depth - 1, 0, -1):
            decoder = getattr(self, f'decoder{i}')
            x = decoder(torch.cat([decoder.up(x), skips[i - 1]], 1))
        return self.logits(x)


class WithSigmoid(nn.Module):
    """A network up to its probabilities, as it is used."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return torch.sigmoid(self.network(x))


ORACLE = Path(__file__).resolve().parents[2] / 'test/oracles/networks.py'


def oracle():
    """test/oracles/networks.py as a module; its name is this file's too."""
    spec = importlib.util.spec_from_file_location('oracle_networks', ORACLE)
    module = importlib.util.module_from_spec(spec)
    threads = torch.get_num_threads()
    spec.loader.exec_module(module)
    torch.set_num_threads(threads)
    return module


class Described(nn.Module):
    """A network as the tests' oracle describes it; of several heads the last."""

    def __init__(self, name):
        super().__init__()
        module = oracle()
        self.net = module.Net(module.NETWORKS[name])
        with torch.no_grad():
            self.net(torch.zeros(INPUT_SHAPE, dtype=torch.float64))  # makes the layers
        self.net.float()

    @property
    def logits(self):
        return self.net.get_submodule('logits')

    def forward(self, x):
        heads = self.net(x)
        return heads[-1] if isinstance(heads, list) else heads


STAGES = {'pyconvunet': PyConvStage, 'unet': DoubleConvolution}
PARAMETERS = {'pyconvunet': 4_096_801, 'unet': 7_765_985}


def example_input():
    """The one image, uniform in [-1, 1)."""
    return torch.rand(INPUT_SHAPE, generator=torch.Generator().manual_seed(7)) * 2 - 1


def example_target():
    """Its mask: a disc and a bar, so that both classes are there."""
    _, _, height, width = INPUT_SHAPE
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    disc = (y - 96) ** 2 + (x - 120) ** 2 < 56**2
    bar = (y > 190) & (y < 220) & (x > 40)
    return (disc | bar).float().reshape(1, 1, height, width)


def untrained(name):
    """The network in training mode with PyTorch's initial weights, seed 0."""
    torch.manual_seed(0)
    if name not in STAGES:
        return Described(name)
    network = UShape(STAGES[name])
    count = sum(p.numel() for p in network.parameters())
    if count != PARAMETERS[name]:
        raise ValueError(f'{name} has {count} parameters instead of {PARAMETERS[name]}')
    return network


def without_scale(network):
    """Normalisations that have a shift alone, as the package's have."""
    kinds = network.net.kinds if isinstance(network, Described) else {}
    return {network.net.get_submodule(name) for name, kind in kinds.items() if kind == 'norm without scale'}


def prepared(name):
    """The network in inference mode, such that a mistake in its result is seen.

    Scales and shifts are drawn at random, moving statistics are the means over training passes, and the head is scaled so
    that the logits of the example have mean 0 and standard deviation 2: near 0 or 1 a sigmoid hides every error.
    """
    network = untrained(name)
    generator = torch.Generator().manual_seed(1)
    normalisations = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        for module in normalisations:
            if module not in without_scale(network):
                module.weight.uniform_(0.7, 1.3, generator=generator)
            module.bias.uniform_(-0.2, 0.2, generator=generator)
            module.momentum = None  # the mean of what it saw, without a rest of its initial statistics
        for _ in range(4):
            network(torch.rand(INPUT_SHAPE, generator=generator) * 2 - 1)
        for module in normalisations:
            module.momentum = 0.1
        network.eval()
        logits = network(example_input())
        # MultiResUNet ends in a normalisation, which has done that already.
        if isinstance(network.logits, nn.Conv2d):
            scale = 2 / logits.std()
            network.logits.weight.mul_(scale)
            network.logits.bias.copy_((network.logits.bias - logits.mean()) * scale)
    return network


def multiply_accumulates(network):
    """Of the convolutions for the example; a transposed one counts at the size of its input."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        transposed = isinstance(module, nn.ConvTranspose2d)
        places = inputs[0][0, 0].numel() if transposed else output[0, 0].numel()
        total += places * module.weight.numel()

    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    handles = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, kinds)]
    with torch.no_grad():
        network(example_input())
    for handle in handles:
        handle.remove()
    return total


def named_weights(network):
    """(name, tensor) of every weight as the package names it and TensorFlow lays it out."""
    if isinstance(network, Described):
        for name, tensor, to_tf, _ in network.net.named_weights():
            yield name, to_tf(tensor)
        return
    for path, module in network.named_modules():
        name = path.replace('.', '/')
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            # Both [out, in, h, w] and the transposed [in, out, h, w] become [h, w, in, out] and [h, w, out, in].
            yield f'{name}/kernel', module.weight.permute(2, 3, 1, 0)
            if module.bias is not None:
                yield f'{name}/bias', module.bias
        elif isinstance(module, nn.BatchNorm2d):
            yield f'{name}/gamma', module.weight
            yield f'{name}/beta', module.bias
            yield f'{name}/moving_mean', module.running_mean
            yield f'{name}/moving_variance', module.running_var
