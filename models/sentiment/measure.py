"""How good probabilities are on labelled rows."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from models.records import Bool, Float32, Float64, Int64

BINS = 15


def measure(probabilities: Float32, label: Int64) -> dict[str, float]:
    """Macro-F1, macro-recall, accuracy, and the expected calibration error of the top label.

    The macro averages are over the classes that occur among the labels.
    """
    top, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    hit = top == label
    f1, recall = [], []
    for k in np.unique(label):
        true = float((hit & (label == k)).sum())
        recall.append(true / float((label == k).sum()))
        f1.append(2 * true / float((label == k).sum() + (top == k).sum()))
    figures = {"macro_f1": np.mean(f1), "macro_recall": np.mean(recall), "accuracy": hit.mean(),
               "ece": calibration_error(confidence, hit)}  # fmt: skip
    return _rounded(len(label), figures)


def measure_offence(p: Float32, label: Int64) -> dict[str, float]:
    """Macro-F1, precision and recall at 0.5, area under the ROC curve, and calibration error.

    The calibration error is that of the probability to be offensive, not of the top label: where
    most rows are decent, the latter flatters.

    Examples
    --------
    >>> p = np.array([0.9, 0.8, 0.3, 0.1], dtype=np.float32)
    >>> measure_offence(p, np.array([1, 0, 1, 0]))["auc"]
    0.75
    """
    offensive, said = label == 1, p >= 0.5
    right = float((said & offensive).sum())
    decent_right = float((~said & ~offensive).sum())
    f1 = [2 * right / max(float(said.sum() + offensive.sum()), 1.0),
          2 * decent_right / max(float((~said).sum() + (~offensive).sum()), 1.0)]  # fmt: skip
    figures = {
        "offensive": offensive.mean(),
        "macro_f1": np.mean(f1),
        "auc": _auc(p, offensive),
        "ece": calibration_error(p, offensive),
        "precision": right / max(float(said.sum()), 1.0),
        "recall": right / max(float(offensive.sum()), 1.0),
    }
    return _rounded(len(label), figures)


def calibration_error(p: Float32, happened: Bool) -> float:
    """Expected calibration error over equal-width bins of ``p`` (C. Guo et al., ICML 2017)."""
    bin_of = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    gap = np.bincount(bin_of, weights=happened - p.astype(np.float64), minlength=BINS)
    return float(np.abs(gap).sum() / len(p))


def _auc(p: Float32, happened: Bool) -> float:
    """Chance that an offensive row gets more than a decent one; ties count half."""
    ranks: Float64 = rankdata(p)
    yes = float(happened.sum())
    no = len(p) - yes
    if not yes or not no:
        return 0.5
    return float((ranks[happened].sum() - yes * (yes + 1) / 2) / (yes * no))


def _rounded(count: int, figures: dict[str, float]) -> dict[str, float]:
    return {"n": count} | {name: round(float(value), 4) for name, value in figures.items()}
