"""The recipe of a run in PyTorch, on the very parts of that run: what is a matter of the split and the seed, and what of the package.

    pip install torch numpy pillow
    python docs/studies/pytorch/recipe.py RUN IMAGES MASKS --seeds 0,1,2 > isbi2012.json

RUN is a run folder of `pyconvunet train` or `experiment` (its config.json names the images of each part), IMAGES and MASKS the folders
of its data set. PyTorch's own layers, initial values, normalisation and Adam; images scaled to [-1, 1], bilinear, masks nearest;
per batch one of identity, two flips, rotations by 90 and 180 degrees; binary cross-entropy; threshold 0.5; Dice and MIoU over the
whole validation part. Training is in channels_last, which changes no number but rounding and is the faster one.
"""

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

root = Path(__file__).resolve().parents[3]
spec = importlib.util.spec_from_file_location('networks', root / 'test/oracles/networks.py')
networks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(networks)


def load(folder, name, size, resample):
    path = next(folder.glob(f'{name}.*'))
    return np.asarray(Image.open(path).convert('L').resize((size[1], size[0]), resample), np.float32)


def part(names, images, masks, size):
    x = np.stack([load(images, name, size, Image.BILINEAR) for name in names]) / 127.5 - 1
    y = np.stack([load(masks, name, size, Image.NEAREST) > 127 for name in names])
    return torch.tensor(x)[:, None], torch.tensor(y, dtype=torch.float32)[:, None]


VARIANTS = [
    lambda t: t,
    lambda t: t.flip(-1),
    lambda t: t.flip(-2),
    lambda t: t.rot90(1, (-2, -1)),
    lambda t: t.rot90(2, (-2, -1)),
]


def scores(net, x, y):
    """(Dice of the foreground, mean IoU of both classes) over the whole part."""
    net.eval()
    with torch.no_grad():
        found = torch.cat([net(image[None]) > 0 for image in x])
    net.train()
    truth = y > 0.5
    tp, fp = (found & truth).sum().item(), (found & ~truth).sum().item()
    fn, tn = (~found & truth).sum().item(), (~found & ~truth).sum().item()
    return 2 * tp / (2 * tp + fp + fn), (tp / (tp + fp + fn) + tn / (tn + fp + fn)) / 2


def train(config, data, seed, epochs):
    torch.manual_seed(seed)
    net = networks.Net(networks.NETWORKS[config['model']])
    (x, y), validation = data
    with torch.no_grad():
        net(x[:1].double())  # makes the layers
    net = net.float().to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(net.parameters(), lr=config['learningRate'], eps=1e-8)
    order, history = np.random.default_rng(seed), []
    for epoch in range(epochs):
        began, losses = time.time(), []
        shuffled = order.permutation(len(x))
        for start in range(0, len(x), config['batch']):
            variant = VARIANTS[order.integers(len(VARIANTS))]
            batch = shuffled[start : start + config['batch']]
            images = variant(x[batch]).contiguous(memory_format=torch.channels_last)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net(images), variant(y[batch]))
            adam.zero_grad()
            loss.backward()
            adam.step()
            losses.append(loss.item())
        dice, iou = scores(net, *validation)
        history.append({'loss': round(float(np.mean(losses)), 4), 'dice': round(dice, 4), 'meanIoU': round(iou, 4)})
        print(config['model'], seed, epoch + 1, history[-1], f'{time.time() - began:.0f} s', file=sys.stderr)
    return {'model': config['model'], 'seed': seed, 'best': max(history, key=lambda h: h['dice']), 'history': history}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('run', type=Path)
    parser.add_argument('images', type=Path)
    parser.add_argument('masks', type=Path)
    parser.add_argument('--seeds', default='0')
    parser.add_argument('--threads', type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = json.loads((options.run / 'config.json').read_text())
    parts = config['parts']
    size = config['preprocessing']['size']
    data = [part(parts[name], options.images, options.masks, size) for name in ('train', 'validation')]
    runs = [train(config, data, int(seed), config['epochs']) for seed in options.seeds.split(',')]
    print(json.dumps({'torch': torch.__version__.split('+')[0], 'runs': runs}, indent=1))


if __name__ == '__main__':
    main()
