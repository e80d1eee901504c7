"""From raw scores to probabilities: scale and biases, fitted by log-loss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import optimize

from models.records import Float32, Float64, Int64
from models.sentiment.design import Design
from models.sentiment.model import softmax
from models.sentiment.rows import Rows

Weights = npt.NDArray[np.float16]
Theta = tuple[float, ...]  # scale, then a bias for each label but the base


def scores(design: Design, weights: Weights) -> Float64:
    """Score of each text for each label but the base, float64[n, labels - 1]."""
    return np.asarray(design.counts @ weights.astype(np.float64))


def probabilities(
    design: Design, weights: Weights, arabic: Theta, latin: Theta, base: int
) -> Float32:
    """Return what prediction would, float32[n, labels], for texts that are counted already."""
    score = scores(design, weights)
    by_script = (_logits(score, arabic, base), _logits(score, latin, base))
    logits = np.where(design.arabic[:, None], *by_script)
    return softmax(logits.astype(np.float32))


def fit_theta(
    score: Float64, label: Int64, weight: Float64, base: int, caution: float = 1.0
) -> Theta:
    """Fit scale and biases by weighted log-loss, then multiply all of them by ``caution``."""
    biases = score.shape[1]
    if not len(label):
        return (1.0, *[0.0] * biases)

    def loss(theta: Float64) -> float:
        logits = _logits(score, tuple(theta), base)
        logits -= logits.max(axis=1, keepdims=True)
        nll = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(label)), label]
        return float((weight * nll).sum() / weight.sum())

    # bounds: a handful of rows must neither switch the scores off nor make them certain
    limits = ((0.25, 4.0), *[(-5.0, 5.0)] * biases)
    begin = np.array([1.0, *[0.0] * biases])
    found = optimize.minimize(loss, begin, method="L-BFGS-B", bounds=limits)
    return tuple(round(caution * float(value), 4) for value in found.x)


def even_classes(rows: Rows, source_weight: Mapping[str, float]) -> Float64:
    """Weights that even out the classes within each source; they keep its size times its weight."""
    weight = np.ones(len(rows.label))
    for source in np.unique(rows.source):
        at = rows.source == source
        sizes = np.bincount(rows.label[at])
        share = at.sum() / np.maximum(sizes, 1) / np.count_nonzero(sizes)
        weight[at] = share[rows.label[at]] * source_weight.get(str(source), 1.0)
    return weight


def _logits(score: Float64, theta: Theta, base: int) -> Float64:
    over_base = theta[0] * score + np.array(theta[1:])
    return np.insert(over_base, base, 0.0, axis=1)
