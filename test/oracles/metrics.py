"""Numbers for the metrics, made by MONAI, scikit-learn, SciPy, scikit-image and NumPy; writes metrics.json.

Needs: monai, torch, scikit-learn, scikit-image, scipy. Run: python test/oracles/metrics.py
"""
import json
import warnings
from pathlib import Path

import monai
import numpy as np
import sklearn
import torch
from monai.metrics import compute_hausdorff_distance, compute_surface_dice
from scipy.ndimage import distance_transform_edt, gaussian_filter
from skimage.filters import threshold_otsu
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, precision_score, recall_score

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20)


def blob(height, width, level):
    field = gaussian_filter(rng.standard_normal((height, width)), 2, mode="nearest")
    return (field > level * field.std()).astype(np.uint8)


def text(mask):
    return ["".join("#" if v else "." for v in row) for row in mask]


def one_hot(mask):
    return torch.from_numpy(np.stack([1 - mask, mask])[None].astype(np.float32))


def boundaries():
    shapes = [(24, 20, None), (24, 20, (0.5, 2.0)), (17, 31, None), (17, 31, (1.25, 0.75)), (40, 9, None), (1, 12, None)]
    pairs = [(blob(h, w, 0.3), blob(h, w, 0.4), s) for h, w, s in shapes if h > 1]
    # Nearly equal masks, touching the border, one pixel against many, a ring with a hole, a line one pixel high.
    big = np.zeros((30, 30), np.uint8)
    big[5:25, 0:22] = 1
    shifted = np.roll(big, (1, 2), (0, 1))
    ring = big.copy()
    ring[10:18, 6:15] = 0
    dot = np.zeros((30, 30), np.uint8)
    dot[2, 27] = 1
    line = np.array([[0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]], np.uint8)
    other = np.array([[0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1]], np.uint8)
    pairs += [(big, shifted, None), (big, ring, None), (big, dot, (2.0, 0.3)), (ring, shifted, (0.7, 0.7)), (big, big, None), (line, other, None)]
    result = []
    for truth, prediction, spacing in pairs:
        y, p = one_hot(truth), one_hot(prediction)
        options = {"spacing": list(spacing) if spacing else None}
        tolerances = [0.0, 0.5, 1.0, 1.5, 3.0]
        result.append({
            "truth": text(truth), "prediction": text(prediction), "spacing": options["spacing"],
            "hausdorff": compute_hausdorff_distance(p, y, **options).item(),
            "hausdorff95": compute_hausdorff_distance(p, y, percentile=95, **options).item(),
            "surfaceDice": [[t, compute_surface_dice(p, y, [t], **options).item()] for t in tolerances],
        })
    return result


def distances():
    result = []
    for height, width, spacing in [(9, 13, (1, 1)), (12, 7, (0.5, 1.5)), (1, 9, (1, 1)), (8, 1, (2, 1)), (10, 10, (3, 0.1))]:
        targets = (rng.random((height, width)) < 0.12).astype(np.uint8)
        targets[:, width // 2] = 0
        targets[0, 0] = 1
        result.append({"targets": text(targets), "spacing": spacing, "distances": distance_transform_edt(1 - targets, sampling=spacing).reshape(-1).tolist()})
    return result


def overlap():
    """Labels of images and the scores per class, over the data set and as means over images, for absent classes too."""
    result = []
    for classes, images, pixels in [(2, 3, 40), (4, 3, 60), (3, 2, 25)]:
        truth = rng.integers(0, classes, (images, pixels))
        prediction = np.where(rng.random((images, pixels)) < 0.6, truth, rng.integers(0, classes, (images, pixels)))
        # The last class is missing in image 0: in the truth only, and in the other cases in both.
        truth[0][truth[0] == classes - 1] = 0
        if classes != 4:
            prediction[0][prediction[0] == classes - 1] = 0

        def scores(t, p, empty):
            out = []
            for c in range(classes):
                tc, pc = (t == c).astype(int), (p == c).astype(int)
                absent = tc.sum() + pc.sum() == 0
                kw = {"zero_division": 0}
                overlaps = [jaccard_score(tc, pc, **kw), f1_score(tc, pc, **kw), precision_score(tc, pc, **kw), recall_score(tc, pc, **kw)]
                out.append([
                    *([empty] * 4 if absent else overlaps),
                    recall_score(1 - tc, 1 - pc, zero_division=1), accuracy_score(tc, pc),
                ])
            return np.array(out, float)

        entry = {"numClasses": classes, "truth": truth.tolist(), "prediction": prediction.tolist(), "readings": []}
        for policy, empty in [("one", 1.0), ("zero", 0.0), ("ignore", np.nan)]:
            dataset = scores(truth.reshape(-1), prediction.reshape(-1), empty)
            image = np.nanmean(np.stack([scores(t, p, empty) for t, p in zip(truth, prediction)]), 0)
            for aggregation, per_class in [("dataset", dataset), ("image", image)]:
                entry["readings"].append({
                    "emptyPolicy": policy, "aggregation": aggregation, "perClass": per_class.tolist(),
                    "all": np.nanmean(per_class, 0).tolist(), "foreground": np.nanmean(per_class[1:], 0).tolist(),
                })
        result.append(entry)
    return result


def thresholds():
    result = []
    for kind in range(4):
        values = np.concatenate([rng.normal(-0.4, 0.15, 300), rng.normal(0.3, 0.1 + 0.05 * kind, 100 + 100 * kind)])
        if kind == 3:
            values = np.round((values + 1) * 127.5) / 127.5 - 1
        values = values.astype(np.float32)
        threshold = float(threshold_otsu(values.astype(np.float64)))
        result.append({"values": [float(f"{v:.9g}") for v in values], "threshold": threshold, "bright": int((values > threshold).sum())})
    return result


def percentiles():
    values = rng.standard_normal(37).tolist()
    return {"values": values, "at": [[q, float(np.percentile(values, q))] for q in (0, 2.5, 33.3, 50, 95, 97.5, 100)]}


versions = {"monai": monai.__version__, "sklearn": sklearn.__version__, "numpy": np.__version__}
data = {"versions": versions, "boundaries": boundaries(), "distances": distances(), "overlap": overlap(), "otsu": thresholds(), "percentiles": percentiles()}
Path(__file__).with_suffix(".json").write_text(json.dumps(data) + "\n")
print({key: len(value) for key, value in data.items()})
