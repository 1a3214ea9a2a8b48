"""Values and gradients of the losses in float64, made by PyTorch, MONAI and the definitions; writes losses.json.

Needs: torch, monai. Run: python test/oracles/losses.py
"""
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from monai.losses import DiceLoss, FocalLoss, GeneralizedDiceLoss, TverskyLoss

torch.set_default_dtype(torch.float64)
N, H, W = 2, 5, 4


def grid(channels, salt):
    """Numbers by a formula, no two alike, rounded to what float32 holds."""
    count = N * H * W * channels
    return torch.tensor([math.sin(salt + 1.7 * i) * 3 + 0.01 * i for i in range(count)]).float().double().reshape(N, H, W, channels)


def first(x):
    """Channels last to channels first, as PyTorch and MONAI want it."""
    return x.permute(0, 3, 1, 2)


binary_truth = (grid(1, 0.3) > 0.9).double()
labels = (torch.arange(N * H * W) * 7 // 3 % 3).reshape(N, H, W)
one_hot = F.one_hot(labels, 3).double()


def jaccard(missed_or_added, truth):
    """1 - IoU where exactly the pixels of the set are wrong."""
    wrong = torch.zeros_like(truth, dtype=torch.bool)
    wrong[list(missed_or_added)] = True
    fg = truth > 0
    predicted = fg ^ wrong
    union = (fg | predicted).sum()
    return 0.0 if union == 0 else 1 - ((fg & predicted).sum() / union).item()


def lovasz_extension(errors, truth):
    """The definition: each error times the growth of the set function along the sorted order."""
    order = torch.argsort(errors.detach(), descending=True).tolist()
    value, previous = 0.0, jaccard([], truth)
    for i in range(len(order)):
        current = jaccard(order[: i + 1], truth)
        value = value + errors[order[i]] * (current - previous)
        previous = current
    return value


def lovasz_per_unit(truth, errors, image):
    units = [slice(i, i + 1) for i in range(N)] if image else [slice(0, N)]
    results = []
    for unit in units:
        t, e = truth[unit], errors[unit]
        channels = t.shape[-1]
        per_class = [lovasz_extension(e[..., c].reshape(-1), t[..., c].reshape(-1)) for c in range(channels) if channels == 1 or t[..., c].sum() > 0]
        results.append(sum(per_class) / len(per_class))
    return sum(results) / len(results)


def probability(x):
    return torch.sigmoid(x) if x.shape[-1] == 1 else torch.softmax(x, -1)


def both(p):
    return torch.cat([1 - p, p], -1) if p.shape[-1] == 1 else p


def crossentropy(x, t):
    return F.binary_cross_entropy_with_logits(x, t) if x.shape[-1] == 1 else F.cross_entropy(first(x), first(t))


def dice(x, t, smooth=1.0, batch=True, background=True):
    p = first(probability(x))
    return DiceLoss(include_background=background, smooth_nr=smooth, smooth_dr=smooth, batch=batch)(p, first(t))


def tversky(x, t, alpha=0.3, beta=0.7, smooth=1.0, batch=True, background=True):
    p = first(probability(x))
    return TverskyLoss(include_background=background, alpha=alpha, beta=beta, smooth_nr=smooth, smooth_dr=smooth, batch=batch)(p, first(t))


def generalized(x, t, batch=True):
    p = first(both(probability(x)))
    return GeneralizedDiceLoss(smooth_nr=0, smooth_dr=0, batch=batch)(p, first(both(t)))


def focal_binary(x, t, gamma, w0, w1):
    ce = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    p = torch.sigmoid(x)
    pt = t * p + (1 - t) * (1 - p)
    return ((t * w1 + (1 - t) * w0) * (1 - pt) ** gamma * ce).mean()


def focal_categorical(x, t, gamma, weights):
    # MONAI averages over every element; per pixel it is that times the number of classes.
    weight = torch.tensor(weights)
    loss = FocalLoss(use_softmax=True, gamma=gamma, reduction="none")(first(x), first(t))
    return (loss.permute(0, 2, 3, 1) * weight).sum(-1).mean()


def lovasz_logits(x, t, image=False):
    if x.shape[-1] == 1:
        return lovasz_per_unit(t, torch.relu(1 - x * (2 * t - 1)), image)
    return lovasz_per_unit(t, (t - torch.softmax(x, -1)).abs(), image)


def lovasz_probabilities(x, t, image=False):
    return lovasz_per_unit(t, (t - probability(x)).abs(), image)


cases = []


def case(loss, options, channels, function, from_logits=True, truth=None, value_scale=1.0):
    """Stores value and gradient; from probabilities the gradient is with respect to them."""
    t = truth if truth is not None else (binary_truth if channels == 1 else one_hot)
    logits = grid(channels, 0.1) * value_scale
    x = logits.clone().requires_grad_()
    if from_logits:
        value = function(x, t)
    else:
        # Handing over log-odds (or log p) makes sigmoid (softmax) give back the probabilities, whose gradient is wanted.
        p = probability(logits).float().double()
        x = p.clone().requires_grad_()
        value = function(torch.log(x) - torch.log1p(-x) if channels == 1 else torch.log(x), t)
    (gradient,) = torch.autograd.grad(value, x)
    cases.append({
        "loss": loss, "options": {**options, "fromLogits": from_logits}, "shape": list(x.shape),
        "yTrue": t.reshape(-1).tolist(), "yPred": x.detach().reshape(-1).tolist(),
        "value": value.item(), "gradient": gradient.reshape(-1).tolist(),
    })


for channels in (1, 3):
    case("crossentropy", {}, channels, crossentropy)
    case("dice", {}, channels, dice)
    case("dice", {"smooth": 1e-5, "aggregation": "image"}, channels, lambda x, t: dice(x, t, 1e-5, False))
    case("bceDice", {"bceWeight": 0.25, "diceWeight": 2}, channels, lambda x, t: 0.25 * crossentropy(x, t) + 2 * dice(x, t))
    case("tversky", {}, channels, tversky)
    case("tversky", {"alpha": 0.5, "beta": 0.5, "smooth": 0.1, "aggregation": "image"}, channels, lambda x, t: tversky(x, t, 0.5, 0.5, 0.1, False))
    case("lovasz", {}, channels, lovasz_logits)
    case("lovasz", {"aggregation": "image"}, channels, lambda x, t: lovasz_logits(x, t, True))
    case("generalizedDice", {"smooth": 0}, channels, generalized)
    case("generalizedDice", {"smooth": 0, "aggregation": "image"}, channels, lambda x, t: generalized(x, t, False))

case("binaryCrossentropy", {}, 1, crossentropy)
case("binaryCrossentropy", {}, 1, crossentropy, False)
case("binaryCrossentropy", {}, 1, crossentropy, truth=binary_truth * 0.8 + 0.1)
case("binaryCrossentropy", {}, 3, lambda x, t: F.binary_cross_entropy_with_logits(x, t))
case("categoricalCrossentropy", {}, 3, crossentropy)
case("dice", {"includeBackground": False}, 3, lambda x, t: dice(x, t, background=False))
case("tversky", {"includeBackground": False}, 3, lambda x, t: tversky(x, t, background=False))
case("focal", {}, 1, lambda x, t: focal_binary(x, t, 2, 0.75, 0.25))
case("focal", {"gamma": 0.5, "alpha": [1, 3]}, 1, lambda x, t: focal_binary(x, t, 0.5, 1, 3))
case("focal", {"gamma": 0, "alpha": 0.5}, 1, lambda x, t: focal_binary(x, t, 0, 0.5, 0.5))
case("focal", {}, 3, lambda x, t: focal_categorical(x, t, 2, [1.0, 1.0, 1.0]))
case("focal", {"gamma": 1.5, "alpha": [0.2, 1, 3]}, 3, lambda x, t: focal_categorical(x, t, 1.5, [0.2, 1.0, 3.0]))

# From probabilities. Log p of softmaxed probabilities sums to one, so softmax leaves the values; its Jacobian projects
# the gradient, therefore several classes are written with p itself below.
case("dice", {}, 1, dice, False)
case("tversky", {}, 1, tversky, False)
case("generalizedDice", {"smooth": 0}, 1, generalized, False)
case("focal", {}, 1, lambda x, t: focal_binary(x, t, 2, 0.75, 0.25), False)
case("lovasz", {}, 1, lovasz_probabilities, False)


def case_p(loss, options, function):
    p = torch.softmax(grid(3, 0.1), -1).float().double().requires_grad_()
    value = function(p, one_hot)
    (gradient,) = torch.autograd.grad(value, p)
    cases.append({
        "loss": loss, "options": {**options, "fromLogits": False}, "shape": list(p.shape),
        "yTrue": one_hot.reshape(-1).tolist(), "yPred": p.detach().reshape(-1).tolist(),
        "value": value.item(), "gradient": gradient.reshape(-1).tolist(),
    })


case_p("categoricalCrossentropy", {}, lambda p, t: -(t * torch.log(p)).sum(-1).mean())
case_p("dice", {}, lambda p, t: DiceLoss(smooth_nr=1, smooth_dr=1, batch=True)(first(p), first(t)))
case_p("tversky", {}, lambda p, t: TverskyLoss(alpha=0.3, beta=0.7, smooth_nr=1, smooth_dr=1, batch=True)(first(p), first(t)))
case_p("generalizedDice", {"smooth": 0}, lambda p, t: GeneralizedDiceLoss(smooth_nr=0, smooth_dr=0, batch=True)(first(p), first(t)))
case_p("focal", {}, lambda p, t: -(t * (1 - p) ** 2 * torch.log(p)).sum(-1).mean())
case_p("lovasz", {}, lambda p, t: lovasz_per_unit(t, (t - p).abs(), False))

# Truth without one of the classes, and a mask without foreground.
absent = F.one_hot(labels % 2, 3).double()
case("generalizedDice", {"smooth": 0}, 3, generalized, truth=absent)
case("lovasz", {}, 3, lovasz_logits, truth=absent)
case("lovasz", {}, 1, lovasz_logits, truth=torch.zeros_like(binary_truth))
case("dice", {}, 1, dice, truth=torch.zeros_like(binary_truth))

# Logits at which float32 probabilities are 0 and 1; float64 would not be, so only losses of log p are compared.
case("crossentropy", {}, 1, crossentropy, value_scale=40.0)
case("crossentropy", {}, 3, crossentropy, value_scale=40.0)
case("lovasz", {}, 1, lovasz_logits, value_scale=40.0)


def compact(x):
    return [float(f"{v:.9g}") for v in x]


for entry in cases:
    entry["yTrue"], entry["yPred"], entry["gradient"] = (compact(entry[key]) for key in ("yTrue", "yPred", "gradient"))
Path(__file__).with_suffix(".json").write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
print(len(cases), "cases")
