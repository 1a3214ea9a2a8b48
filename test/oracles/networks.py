"""Reference numbers of the seven networks, made by PyTorch in double precision.

Written from the architecture's description alone (docs/models.md), not from the TypeScript. Every weight is filled by a
formula of (layer name, weight name, index), so that no weight file is needed: test/models/formula.ts repeats it.

    pip install torch numpy
    python test/oracles/networks.py            # writes networks.json beside this file
"""
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(2)


# The formula: uniform in [-1, 1) from a hash of (name, index).
def uniform(name, count):
    seed = 2166136261
    for byte in name.encode():
        seed = ((seed ^ byte) * 16777619) & 0xFFFFFFFF  # FNV-1a
    with np.errstate(over='ignore'):
        h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) ^ np.uint32(seed)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)  # the finaliser of MurmurHash3
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
    return h.astype(np.float64) / 2.0**31 - 1


def formula(name, shape):
    """A weight in TensorFlow's layout, as float32 values."""
    u = uniform(name, math.prod(shape)).reshape(shape)
    kind = name.rsplit('/', 1)[1]
    if kind == 'kernel':  # variance 2 / fanIn, so that ReLUs keep the size of the maps
        value = u * math.sqrt(6 / math.prod(shape[:-1]))
    elif kind == 'gamma':
        value = 1 + 0.2 * u
    elif kind == 'moving_variance':
        value = 1 + 0.5 * u
    else:  # bias, beta, moving_mean
        value = 0.2 * u
    return torch.tensor(value.astype(np.float32).astype(np.float64))


# Layers made on the first call, each under its own name.
class Net(nn.Module):
    def __init__(self, define, **options):
        super().__init__()
        self.define, self.options = define, options
        self.kinds = {}

    def forward(self, x):
        self.called = set()
        return self.define(self, x, **self.options)

    def layer(self, name, kind, make):
        if name in self.called:
            raise ValueError(f'two layers are called {name}')
        self.called.add(name)
        if name not in self.kinds:
            self.kinds[name] = kind
            self.add_module(name, make().to(torch.float64))
        return self._modules[name]

    def conv(self, name, x, filters, k, stride=1, groups=1, bias=True, padding=None):
        pad = k // 2 if padding is None else padding
        return self.layer(
            name, 'conv', lambda: nn.Conv2d(x.shape[1], filters, k, stride, pad, groups=groups, bias=bias)
        )(x)

    def up(self, name, x, filters, k, padding=0, output_padding=0):
        return self.layer(
            name, 'transposed', lambda: nn.ConvTranspose2d(x.shape[1], filters, k, 2, padding, output_padding)
        )(x)

    def norm(self, name, x, affine_scale=True):
        kind = 'norm' if affine_scale else 'norm without scale'
        return self.layer(name, kind, lambda: nn.BatchNorm2d(x.shape[1], eps=1e-5, momentum=0.1))(x)

    # (TypeScript's weight name, PyTorch tensor, TensorFlow's layout from it, and back)
    def named_weights(self):
        to_conv, from_conv = (lambda t: t.permute(2, 3, 1, 0)), (lambda t: t.permute(3, 2, 0, 1))
        same = lambda t: t
        for name, kind in self.kinds.items():
            module = self._modules[name]
            if kind in ('conv', 'transposed'):
                yield name + '/kernel', module.weight, to_conv, from_conv
                if module.bias is not None:
                    yield name + '/bias', module.bias, same, same
            else:
                if kind == 'norm':
                    yield name + '/gamma', module.weight, same, same
                yield name + '/beta', module.bias, same, same
                yield name + '/moving_mean', module.running_mean, same, same
                yield name + '/moving_variance', module.running_var, same, same

    def fill(self):
        with torch.no_grad():
            for name, tensor, to_tf, from_tf in self.named_weights():
                tensor.copy_(from_tf(formula(name, tuple(to_tf(tensor).shape))))

    def counts(self):
        weights = [(name, t.numel()) for name, t, *_ in self.named_weights()]
        moving = sum(n for name, n in weights if '/moving_' in name)
        return {'trainable': sum(n for _, n in weights) - moving, 'movingStatistics': moving}


def pool(x):
    return F.max_pool2d(x, 2)


def cat(*xs):
    return torch.cat(xs, 1)


def conv_norm_relu(n, name, x, filters, index='', **options):
    x = n.conv(f'{name}/conv{index}', x, filters, 3, **options)
    return F.relu(n.norm(f'{name}/norm{index}', x))


def double_conv(n, name, x, filters):
    return conv_norm_relu(n, name, conv_norm_relu(n, name, x, filters, 1), filters, 2)


# U-Net's shape around any stage.
def u_shape(n, x, widths, stage):
    skips = []
    for i, width in enumerate(widths):
        x = stage(f'encoder{i + 1}', x if i == 0 else pool(x), i, width)
        skips.append(x)
    for i in range(len(widths) - 2, -1, -1):
        x = n.up(f'decoder{i + 1}/up', x, widths[i], 2)
        x = stage(f'decoder{i + 1}', cat(x, skips[i]), i, widths[i])
    return n.conv('logits', x, n.options.get('numClasses', 1), 1)


WIDTHS = (32, 64, 128, 256, 512)


def unet(n, x, widths=WIDTHS, **_):
    return u_shape(n, x, widths, lambda name, x, i, width: double_conv(n, name, x, width))


LEVELS = {4: ((3, 5, 7, 9), (1, 4, 8, 16), (8, 8, 4, 2)), 2: ((3, 5), (1, 4), (2, 2)), 1: ((3,), (1,), (1,))}


def pyconv(n, name, x, filters, levels=4, bias=False):
    outputs = []
    for level, (k, limit, part) in enumerate(zip(*LEVELS[levels])):
        g = limit  # the largest legal power of two not above the default
        while x.shape[1] % g or (filters // part) % g:
            g //= 2
        outputs.append(n.conv(f'{name}/level{level + 1}', x, filters // part, k, groups=g, bias=bias))
    return cat(*outputs)


def pyconvunet(n, x, widths=WIDTHS, expansion=1, blocksPerStage=1, block='bottleneck', levels=4, **_):
    def bottleneck(name, x, planes, width):
        x = F.relu(n.norm(f'{name}/reduceNorm', n.conv(f'{name}/reduce', x, planes, 1, bias=False)))
        x = F.relu(n.norm(f'{name}/pyconvNorm', pyconv(n, f'{name}/pyconv', x, planes, levels)))
        x = F.relu(n.norm(f'{name}/expandNorm', n.conv(f'{name}/expand', x, width, 1, bias=False)))
        return F.relu(n.norm(f'{name}/norm', x))

    def stage(name, x, i, width):
        if block == 'direct':
            for j in (1, 2):
                x = F.relu(n.norm(f'{name}/norm{j}', pyconv(n, f'{name}/pyconv{j}', x, width, levels)))
            return x
        for j in range(blocksPerStage):
            scope = name if blocksPerStage == 1 else f'{name}/block{j + 1}'
            x = bottleneck(scope, x, width // expansion, width)
        return x

    return u_shape(n, x, widths, stage)


def unetpp(n, x, widths=WIDTHS, deepSupervision=False, **_):
    depth = len(widths)
    nodes = {}
    for j in range(depth):
        for i in range(depth - j):
            if j == 0:
                inputs = x if i == 0 else pool(nodes[i - 1, 0])
            else:
                up = F.interpolate(nodes[i + 1, j - 1], scale_factor=2, mode='bilinear', align_corners=True)
                inputs = cat(*[nodes[i, k] for k in range(j)], up)
            nodes[i, j] = double_conv(n, f'node{i}_{j}', inputs, widths[i])
    heads = [(f'logits{j}' if j < depth - 1 else 'logits', j) for j in range(1, depth)]
    if not deepSupervision:
        heads = heads[-1:]
    return [n.conv(name, nodes[0, j], n.options.get('numClasses', 1), 1) for name, j in heads]


def attention_unet(n, x, widths=(64, 128, 256, 512, 1024), **_):
    skips = []
    for i, width in enumerate(widths):
        x = double_conv(n, f'encoder{i + 1}', x if i == 0 else pool(x), width)
        skips.append(x)
    for i in range(len(widths) - 2, -1, -1):
        name, inner = f'decoder{i + 1}', max(1, widths[i] // 2)
        g = conv_norm_relu(n, f'{name}/up', F.interpolate(x, scale_factor=2, mode='nearest'), widths[i])
        gate = n.norm(f'{name}/gate/gNorm', n.conv(f'{name}/gate/g', g, inner, 1))
        skip = n.norm(f'{name}/gate/xNorm', n.conv(f'{name}/gate/x', skips[i], inner, 1))
        alpha = n.norm(f'{name}/gate/psiNorm', n.conv(f'{name}/gate/psi', F.relu(gate + skip), 1, 1))
        x = double_conv(n, name, cat(skips[i] * torch.sigmoid(alpha), g), widths[i])
    return n.conv('logits', x, n.options.get('numClasses', 1), 1)


def resnet34_unet(n, x, widths=(64, 128, 256, 512), blocksPerStage=(3, 4, 6, 3), **_):
    def residual(name, x, width, stride):
        y = F.relu(n.norm(f'{name}/norm1', n.conv(f'{name}/conv1', x, width, 3, stride, bias=False)))
        y = n.norm(f'{name}/norm2', n.conv(f'{name}/conv2', y, width, 3, bias=False))
        if stride != 1 or x.shape[1] != width:
            x = n.norm(f'{name}/shortcutNorm', n.conv(f'{name}/shortcut', x, width, 1, stride, bias=False))
        return F.relu(x + y)

    def decoder(name, x, width):
        inner = x.shape[1] // 4
        x = F.relu(n.norm(f'{name}/reduceNorm', n.conv(f'{name}/reduce', x, inner, 1)))
        x = F.relu(n.norm(f'{name}/upNorm', n.up(f'{name}/up', x, inner, 3, 1, 1)))
        return F.relu(n.norm(f'{name}/expandNorm', n.conv(f'{name}/expand', x, width, 1)))

    x = F.relu(n.norm('stem/norm', n.conv('stem/conv', x, widths[0], 7, 2, bias=False)))
    x = F.max_pool2d(x, 3, 2, 1)
    skips = []
    for i, width in enumerate(widths):
        for j in range(blocksPerStage[i]):
            x = residual(f'encoder{i + 1}/block{j + 1}', x, width, 2 if i > 0 and j == 0 else 1)
        skips.append(x)
    for i in range(len(widths) - 2, -1, -1):
        x = decoder(f'decoder{i + 2}', x, widths[i]) + skips[i]
    x = decoder('decoder1', x, widths[0])
    x = F.relu(n.up('tail/up', x, widths[0] // 2, 4, 1))
    x = F.relu(n.conv('tail/conv', x, widths[0] // 2, 3))
    return n.conv('logits', x, n.options.get('numClasses', 1), 3)


def fcn8s(n, x, widths=(64, 128, 256, 512, 512), **_):
    depth, pools = len(widths), []
    for i, width in enumerate(widths):
        for j in range(2 if i < 2 else 3):
            x = F.relu(n.conv(f'encoder{i + 1}/conv{j + 1}', x, width, 3))
        x = pool(x)
        pools.append(x)
    for i in range(depth - 1, -1, -1):
        width = widths[i - 1] if i > 0 else widths[0] // 2
        x = F.relu(n.up(f'decoder{i + 1}/up', x, width, 3, 1, 1))
        if i > 0 and i >= depth - 2:
            x = x + pools[i - 1]
        x = n.norm(f'decoder{i + 1}/norm', x)
    return n.conv('logits', x, n.options.get('numClasses', 1), 1)


def multiresunet(n, x, widths=WIDTHS, alpha=1.67, **_):
    def conv_norm(name, x, filters, k):
        return n.norm(f'{name}/norm', n.conv(f'{name}/conv', x, filters, k, bias=False), affine_scale=False)

    def multires(name, x, base):
        w = alpha * base
        parts = [int(w * share) for share in (0.167, 0.333, 0.5)]
        a = F.relu(conv_norm(f'{name}/conv3', x, parts[0], 3))
        b = F.relu(conv_norm(f'{name}/conv5', a, parts[1], 3))
        c = F.relu(conv_norm(f'{name}/conv7', b, parts[2], 3))
        y = n.norm(f'{name}/concatNorm', cat(a, b, c))
        return n.norm(f'{name}/norm', F.relu(conv_norm(f'{name}/shortcut', x, sum(parts), 1) + y))

    def res_path(name, x, filters, length):
        for i in range(length):
            scope = f'{name}/unit{i + 1}'
            shortcut = conv_norm(f'{scope}/shortcut', x, filters, 1)
            x = n.norm(f'{scope}/norm', F.relu(shortcut + F.relu(conv_norm(f'{scope}/conv3', x, filters, 3))))
        return x

    depth, skips = len(widths), []
    for i, base in enumerate(widths):
        x = multires(f'encoder{i + 1}', x if i == 0 else pool(x), base)
        skips.append(x)
    for i in range(depth - 2, -1, -1):
        skip = res_path(f'respath{i + 1}', skips[i], widths[i], depth - 1 - i)
        x = multires(f'decoder{i + 1}', cat(n.up(f'decoder{i + 1}/up', x, widths[i], 2), skip), widths[i])
    x = n.conv('head/conv', x, n.options.get('numClasses', 1), 1, bias=False)
    return n.norm('logits', x, affine_scale=False)


def numbers(values):
    return [float(f'{v:.9g}') for v in values]


def digest(name, value):
    """Two numbers that a wrong element changes: the norm, and the product with a formula vector."""
    flat = value.detach().contiguous().reshape(-1).numpy()
    return numbers([np.linalg.norm(flat), flat @ uniform('digest/' + name, flat.size)])


def logits_record(heads):
    """Of each head, in [batch, height, width, class] order: its digest, standard deviation and 24 of its values."""
    record = []
    for i, y in enumerate(heads):
        flat = y.detach().permute(0, 2, 3, 1).contiguous().reshape(-1)
        at = [j * flat.numel() // 24 for j in range(24)]
        spread = numbers([flat.std().item()])[0]
        record.append({'digest': digest(f'logits{i}', flat), 'spread': spread, 'values': numbers(flat[at].tolist())})
    return record


def as_heads(y):
    return y if isinstance(y, list) else [y]


def case(network, options, shape, training=True):
    """One network at one input shape [batch, height, width, channels]."""
    torch_options = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    net = Net(NETWORKS[network], **torch_options)
    batch, height, width, channels = shape
    x = torch.tensor(uniform('input', math.prod(shape)).astype(np.float32).astype(np.float64).reshape(shape))
    x = x.permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        net(x)  # makes the layers
    net.fill()
    net.eval()
    record = {'network': network, 'options': options, 'input': shape, **net.counts()}
    with torch.no_grad():
        record['inference'] = logits_record(as_heads(net(x)))
    if training:
        net.train()
        heads = as_heads(net(x))
        loss = 0
        for i, y in enumerate(heads):
            flat = y.permute(0, 2, 3, 1).reshape(-1)
            loss = loss + (flat * torch.tensor(uniform(f'target{i}', flat.numel()))).mean()
        loss.backward()
        weights = list(net.named_weights())
        record['training'] = logits_record(heads)
        record['loss'] = numbers([loss.item()])[0]
        record['gradients'] = {n: digest(n, to_tf(t.grad)) for n, t, to_tf, _ in weights if '/moving_' not in n}
        record['moving'] = {n: digest(n, t) for n, t, *_ in weights if '/moving_' in n}
    return record


NETWORKS = {
    'pyconvunet': pyconvunet,
    'unet': unet,
    'unet++': unetpp,
    'attention-unet': attention_unet,
    'resnet34-unet': resnet34_unet,
    'multiresunet': multiresunet,
    'fcn8s': fcn8s,
}


def main():
    narrow = [8, 16, 32]
    cases = [
        case('pyconvunet', {'widths': narrow}, [2, 16, 24, 3]),
        case('pyconvunet', {'widths': [8, 16], 'blocksPerStage': 2, 'numClasses': 3}, [2, 24, 20, 1]),
        case('pyconvunet', {'widths': [32, 64], 'expansion': 4}, [2, 16, 20, 2]),
        case('pyconvunet', {'widths': narrow, 'block': 'direct'}, [2, 16, 24, 3]),
        case('unet', {'widths': narrow, 'numClasses': 2}, [2, 16, 24, 3]),
        case('unet++', {'widths': narrow}, [2, 16, 24, 3]),
        case('unet++', {'widths': narrow, 'deepSupervision': True}, [2, 16, 24, 1]),
        case('attention-unet', {'widths': narrow}, [2, 16, 24, 3]),
        case('resnet34-unet', {'widths': narrow, 'blocksPerStage': [1, 2, 1]}, [2, 32, 48, 3]),
        case('multiresunet', {'widths': narrow}, [2, 16, 24, 3]),
        case('fcn8s', {'widths': [8, 16, 24, 24]}, [2, 32, 48, 3]),
    ]
    # The networks as the paper compared them: counts, and one image in inference.
    cases += [case(name, {}, [1, 32, 64, 3], training=False) for name in NETWORKS]
    # Further readings and options whose counts are known.
    counts = [
        ('unet', {'widths': [64, 128, 256, 512, 1024]}),
        ('unet++', {'deepSupervision': True}),
        ('pyconvunet', {'blocksPerStage': 2}),
        ('pyconvunet', {'widths': [64, 128, 256, 512, 1024], 'expansion': 4}),
        ('pyconvunet', {'widths': [128, 256, 512, 1024, 2048], 'expansion': 4, 'blocksPerStage': 2}),
        ('pyconvunet', {'block': 'direct'}),
    ]
    for network, options in counts:
        net = Net(NETWORKS[network], **options)
        with torch.no_grad():
            net(torch.zeros(1, 3, 32, 32, dtype=torch.float64))
        cases.append({'network': network, 'options': options, 'input': [1, 32, 32, 3], **net.counts()})
    path = Path(__file__).with_suffix('.json')
    path.write_text(json.dumps({'torch': torch.__version__.split('+')[0], 'cases': cases}, indent=1) + '\n')


if __name__ == '__main__':
    main()
