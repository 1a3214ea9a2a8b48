"""Resized images and masks by PyTorch's F.interpolate; writes resize.json.

Needs: torch. Run: python test/oracles/resize.py
"""
import json
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(0)
cases = []
for (height, width), size, channels in [
    ((5, 7), (3, 4), 1), ((5, 7), (10, 14), 3), ((8, 8), (2, 2), 1), ((6, 4), (9, 5), 2), ((1, 5), (4, 3), 1),
    ((7, 7), (7, 3), 1), ((64, 48), (9, 11), 1), ((3, 3), (1, 1), 1),
]:
    image = torch.randint(0, 256, (1, channels, height, width)).float()
    mask = torch.randint(0, 5, (1, 1, height, width)).float()
    resized = F.interpolate(image, size, mode='bilinear', align_corners=False)
    cases.append({
        'height': height, 'width': width, 'channels': channels, 'size': size,
        'image': image.permute(0, 2, 3, 1).int().flatten().tolist(),
        'bilinear': [round(value, 4) for value in resized.permute(0, 2, 3, 1).flatten().tolist()],
        'mask': mask.int().flatten().tolist(),
        'nearest': F.interpolate(mask, size, mode='nearest-exact').int().flatten().tolist(),
    })
Path(__file__).with_name('resize.json').write_text(json.dumps(cases, separators=(',', ':')) + '\n')
