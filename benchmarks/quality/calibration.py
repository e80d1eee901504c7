"""Reliability diagrams: how often what was predicted with some confidence was so."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import beta

from benchmarks.quality.document import ROOT, table, verdict
from benchmarks.quality.labelled import LANGUAGES, Labelled, offence, sentiment
from benchmarks.quality.options import Options
from models.records import Bool, Float32, Float64, Int64
from models.sentiment.measure import BINS, calibration_error

IMAGES = ROOT / "docs" / "images"
_MOST_ECE = 0.05
_FEW = 10  # rows: of fewer, a share says nothing
_COLOURS = ("#1b5e8a", "#c8641e")


class Curve(NamedTuple):
    """Probabilities that something is so, and whether it was.

    Attributes
    ----------
    name : str
    p : float32[n]
    happened : bool[n]
    """

    name: str
    p: Float32
    happened: Bool


class Bins(NamedTuple):
    """Bins of probability that hold enough rows, float64 each.

    Attributes
    ----------
    predicted, observed
        Mean probability, and the share that was so.
    lower, upper
        Of the share, 95 % (Clopper and Pearson).
    """

    predicted: Float64
    observed: Float64
    lower: Float64
    upper: Float64


def run(options: Options) -> list[str]:
    """Draw the diagrams; the lines of the section."""
    heads = {"sentiment": _sentiment(options), "offensive": _offence(options)}
    rows = []
    for head, panels in heads.items():
        draw(IMAGES / f"reliability-{head}.png", panels)
        for language, curves in panels.items():
            for curve in curves:
                error = calibration_error(curve.p, curve.happened)
                reached = verdict(error <= _MOST_ECE)
                rows.append([language, curve.name, f"{len(curve.p):,}", f"{curve.p.mean():.3f}",
                             f"{curve.happened.mean():.3f}", f"**{error:.3f}**",
                             f"≤ {_MOST_ECE}", reached])  # fmt: skip
    columns = ["language", "probability", "n", "its mean", "was so", "ECE", "goal", "reached"]
    return [
        *table(columns, rows),
        "",
        "![Sentiment: reliability in Arabic and English](images/reliability-sentiment.png)",
        "",
        "![Offence: reliability in Arabic and English](images/reliability-offensive.png)",
    ]


def _sentiment(options: Options) -> dict[str, list[Curve]]:
    def curves(rows: Labelled) -> list[Curve]:
        top = Curve(
            "of the likeliest label", rows.p.max(axis=1), rows.p.argmax(axis=1) == rows.label
        )
        return [top, Curve("of negative", rows.p[:, 0], rows.label == 0)]

    return {language: curves(sentiment(options.data).of(language)) for language in LANGUAGES}


def _offence(options: Options) -> dict[str, list[Curve]]:
    rows = {language: offence(options.data).of(language) for language in LANGUAGES}
    return {name: [Curve("of offensive", r.p, r.label == 1)] for name, r in rows.items()}


def bins(p: Float32, happened: Bool) -> Bins:
    """Sum up probabilities in bins of equal width, as their calibration error does.

    Parameters
    ----------
    p : float32[n]
    happened : bool[n]
    """
    bin_of = _bin_of(p)
    count = np.bincount(bin_of, minlength=BINS)
    held = count >= _FEW
    n = count[held].astype(np.float64)
    yes = np.bincount(bin_of, weights=happened, minlength=BINS)[held]
    predicted = np.bincount(bin_of, weights=p.astype(np.float64), minlength=BINS)[held] / n
    lower = np.where(yes > 0, beta.ppf(0.025, yes, n - yes + 1), 0.0)
    upper = np.where(yes < n, beta.ppf(0.975, yes + 1, n - yes), 1.0)
    return Bins(predicted, yes / n, lower, upper)


def _bin_of(p: Float32) -> Int64:
    return np.minimum((p * BINS).astype(np.int64), BINS - 1)


def draw(path: Path, panels: dict[str, list[Curve]]) -> None:
    """Draw a panel for each language; same probabilities, same bytes."""
    figure = Figure(figsize=(8, 4.4), dpi=84, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(
        2, len(panels), sharex=True, sharey="row", height_ratios=(4, 1), squeeze=False
    )
    for (above, below), (language, curves) in zip(axes.T, panels.items()):
        _reliability(above, curves)
        above.set_title(language, fontsize=11)
        for curve, colour, shift in zip(curves, _COLOURS, (0.0, 0.4)):
            counts = np.bincount(_bin_of(curve.p), minlength=BINS) / len(curve.p)
            left = (np.arange(BINS) + 0.1 + shift) / BINS
            width = (0.8 if len(curves) == 1 else 0.4) / BINS
            below.bar(left, counts, width=width, align="edge", color=colour)
        below.set_xlabel("predicted probability")
        below.grid(alpha=0.25)
    axes[0, 0].set_ylabel("share that was so")
    axes[1, 0].set_ylabel("of all rows")
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Software": None}, pil_kwargs={"optimize": True})


def _reliability(axes: Axes, curves: list[Curve]) -> None:
    axes.plot((0, 1), (0, 1), color="0.6", linewidth=1, linestyle="--")
    for curve, colour in zip(curves, _COLOURS):
        found = bins(curve.p, curve.happened)
        reach = (found.observed - found.lower, found.upper - found.observed)
        error = calibration_error(curve.p, curve.happened)
        axes.errorbar(found.predicted, found.observed, yerr=reach, color=colour, marker="o",
                      markersize=4, linewidth=1.4, elinewidth=0.9, capsize=2,
                      label=f"{curve.name} (ECE {error:.3f})")  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.25)
    axes.legend(loc="upper left", fontsize=9, frameon=False)
