"""Missed and spurious objects counted with scipy.ndimage.label; writes objects.json.

The masks come from a formula in whole numbers, which the test computes too. Needs: scipy. Run: python test/oracles/objects.py
"""
import json
from pathlib import Path

import numpy as np
import scipy
from scipy import ndimage

M = 0xFFFFFFFF


def mix(x, y, seed):
    """MurmurHash3's finaliser over a sum of products."""
    h = (x * 0x9E3779B1 + y * 0x85EBCA77 + seed * 0xC2B2AE3D) & M
    h = (h ^ (h >> 16)) * 0x85EBCA6B & M
    h = (h ^ (h >> 13)) * 0xC2B2AE35 & M
    return h ^ (h >> 16)


def blobs(width, height, seed, percent):
    """Cells of 4 x 3 pixels of which some are foreground, nibbled at pixel by pixel."""
    return np.array(
        [
            [mix(x // 4, y // 3, seed) % 100 < percent and mix(x, y, seed + 1000) % 100 < 75 for x in range(width)]
            for y in range(height)
        ],
        bool,
    )


def count(truth, prediction, connectivity):
    structure = ndimage.generate_binary_structure(2, 1 if connectivity == 4 else 2)

    def untouched(mask, other):
        labels, number = ndimage.label(mask, structure)
        return number, number - len(np.unique(labels[other & mask]))

    objects, missed = untouched(truth, prediction)
    return {"objects": objects, "missed": missed, "spurious": untouched(prediction, truth)[1]}


cases = []
for width, height, seed, percent in [(64, 48, 1, 12), (97, 31, 2, 25), (128, 128, 3, 8), (40, 40, 4, 55), (300, 1, 5, 20), (1, 200, 6, 20), (256, 192, 7, 18)]:
    for connectivity in (4, 8):
        truth, prediction = blobs(width, height, seed, percent), blobs(width, height, seed + 50, percent)
        cases.append({
            "width": width, "height": height, "seed": seed, "percent": percent, "connectivity": connectivity,
            "pixels": [int(truth.sum()), int(prediction.sum())], "counts": count(truth, prediction, connectivity),
        })
data = {"versions": {"scipy": scipy.__version__}, "cases": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(data) + "\n")
