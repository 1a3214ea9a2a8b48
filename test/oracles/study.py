"""Numbers for the study's statistics, made by SciPy, statsmodels and NumPy; writes study.json.

Needs: scipy, statsmodels. Run: python test/oracles/study.py
"""
import json
from pathlib import Path

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests

from seeds import Sfc32  # it writes its own numbers once more, the same ones

rng = np.random.default_rng(5)


def wilcoxon():
    samples = [[0.3], [0.3, -0.1], [1, 2, 3, 4, 5], [-1, -2, -3, -4, -5, -6]]
    samples += [rng.normal(0.2, 1, n).tolist() for n in (7, 14, 30, 49, 50, 51, 200)]
    # Ties, zeros, both; at 13 and 14 SciPy changes from all signs to the normal approximation, zeros counted.
    samples += [[1, 1, 2], [1, -1], [0, 0.5], [0, 1, -2, 3, 3, -3, 0], [2] * 5 + [-2] * 3]
    for n in (12, 13, 14, 15, 40, 60):
        samples.append(rng.integers(-4, 7, n).tolist())
        samples.append((rng.permutation(n) + 1.0 - (np.arange(n) == 3)).tolist())
    samples += [[0.0] + rng.normal(0.5, 1, n).tolist() for n in (12, 13, 49, 50)]
    # Far tails of the normal approximation.
    samples += [(np.arange(1, 81) * 0.25).tolist(), (np.arange(1, 301) * -0.5).tolist()]
    # Nearly alike: the middle of the normal approximation.
    samples.append([(-1) ** i * (i // 2 + 1 + 0.25 * (i % 2)) for i in range(120)])
    result = []
    for differences in samples:
        test = stats.wilcoxon(differences)
        result.append({"differences": differences, "statistic": float(test.statistic), "p": float(test.pvalue)})
    return result


def holm():
    lists = [[0.01, 0.04], [0.04, 0.01, 0.03, 0.005], [0.5, 0.6, 0.9], [0.01] * 4, [0.0, 1.0, 0.2], [0.3]]
    lists += [rng.uniform(0, 1, n).round(4).tolist() for n in (3, 10, 21)]
    lists += [(rng.uniform(0, 1, 21) ** 4).tolist()]
    return [{"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()} for p in lists]


def summaries():
    lists = [[0.5, 0.75], rng.uniform(0, 1, 7).tolist(), rng.uniform(0.9, 1, 30).tolist()]
    return [
        {"values": v, "mean": float(np.mean(v)), "sd": float(np.std(v, ddof=1)), "median": float(np.median(v)), "min": min(v), "max": max(v)}
        for v in lists
    ]


def pooled_dice(tp, fp, fn):
    """Dice of each seed from counts [..., unit, seed] summed over units, then the mean over seeds."""
    tp, fp, fn = tp.sum(-2), fp.sum(-2), fn.sum(-2)
    return (2 * tp / (2 * tp + fp + fn)).mean(-1)


def integer(generator, n):
    limit = 2**32 - 2**32 % n
    while (value := generator.next()) >= limit:
        pass
    return value % n


def comparison(images, groups, seeds_a, seeds_b, shift, seed):
    size = rng.integers(20, 900, images)
    models = []
    for seeds, quality in ((seeds_a, 0.85 + shift), (seeds_b, 0.85)):
        hit = np.clip(rng.normal(quality, 0.06, (images, seeds)), 0, 1)
        tp = np.floor(size[:, None] * hit).astype(int)
        fp = np.floor(size[:, None] * rng.uniform(0, 0.3, (images, seeds))).astype(int)
        models.append(np.stack([tp, fp, size[:, None] - tp]))
    names = [None if groups is None else f"patient {g}" for g in (range(images) if groups is None else rng.integers(0, groups, images))]
    keys = list(dict.fromkeys(range(images) if groups is None else names))
    of = np.array([keys.index(i if groups is None else names[i]) for i in range(images)])
    n = len(keys)
    units = [np.stack([m[:, of == u].sum(1) for u in range(n)], 1) for m in models]
    a, b = units
    difference = pooled_dice(*a) - pooled_dice(*b)

    generator = Sfc32(seed)
    resamples, level = 500, 0.9
    values = []
    for _ in range(resamples):
        drawn = [integer(generator, n) for _ in range(n)]
        values.append(pooled_dice(*a[:, drawn]) - pooled_dice(*b[:, drawn]))
    interval = np.percentile(values, [5, 95])

    def statistic(index, axis):
        index = np.moveaxis(index, axis, -1).astype(int)
        return pooled_dice(*a[:, index]) - pooled_dice(*b[:, index])

    whole = stats.bootstrap(
        (np.arange(n),), statistic, n_resamples=20000, confidence_level=level, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    per_unit = [pooled_dice(*a[:, [u]]) - pooled_dice(*b[:, [u]]) for u in range(n)]
    test = stats.wilcoxon(per_unit)
    return {
        "seed": seed, "resamples": resamples, "level": level, "groups": names, "n": n,
        "a": models[0].transpose(1, 2, 0).tolist(), "b": models[1].transpose(1, 2, 0).tolist(),
        "difference": float(difference), "interval": interval.tolist(),
        "scipyInterval": [float(whole.low), float(whole.high)], "p": float(test.pvalue),
    }


data = {
    "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__},
    "wilcoxon": wilcoxon(),
    "normal": [[z, float(2 * stats.norm.sf(abs(z)))] for z in (0.0, 0.1, 1.0, 1.96, -1.999999, 2.0, 2.5, 5.0, -12.0, 30.0)],
    "holm": holm(),
    "summary": summaries(),
    "comparisons": [
        comparison(12, None, 1, 1, 0.02, 0),
        comparison(60, None, 2, 3, 0.01, 7),
        comparison(30, 9, 3, 3, 0.05, 3),
        comparison(80, 20, 1, 2, 0.0, -4),
    ],
}
Path(__file__).with_suffix(".json").write_text(json.dumps(data) + "\n")
