"""Sentiment and offence on labelled mentions that were not learnt from."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.quality.document import percent, table, verdict
from benchmarks.quality.labelled import LANGUAGES, Labelled, offence, sentiment, spread
from benchmarks.quality.options import Options
from models.records import LABELS
from models.sentiment.measure import measure, measure_offence

# source, figure, least value, what others reach
_GOALS = (
    ("umsab-ar", "macro_f1", 0.60, "–"),
    ("arsas-test", "macro_f1", 0.78, "–"),
    ("tweeteval-test", "macro_recall", 0.64,
     "SVM 0.629, FastText 0.629, RoBERTa-base 0.713 (100 times slower)"),
)  # fmt: skip
_MOST_ECE = 0.05
_SHOWN = {"macro_f1": "macro-F1", "macro_recall": "macro-recall"}


def run(options: Options) -> list[str]:
    """Measure; the lines of the section."""
    rows, offensive = sentiment(options.data), offence(options.data)
    return [
        *table(["goal", "Nadhir", "reached", "published, others"], _goals(rows, offensive)),
        "",
        "Sentiment, by source:",
        "",
        *_by_source(rows),
        "",
        "Offensive language:",
        "",
        *_offence(offensive),
    ]


def _goals(rows: Labelled, offensive: Labelled) -> list[list[str]]:
    shown = []
    for source, name, least, peers in _GOALS:
        some = rows.where(rows.source == source)
        value = _figure(some, name)
        error = spread(some, partial(_figure, name=name))
        shown.append([f"{source}: {_SHOWN[name]} ≥ {least:.2f}", f"**{value:.3f}** ± {error:.3f}",
                      verdict(value >= least), peers])  # fmt: skip
    for language in LANGUAGES:
        for head, error in (
            ("sentiment", measure(rows.of(language).p, rows.of(language).label)["ece"]),
            ("offence", _offence_of(offensive.of(language))["ece"]),
        ):
            goal = f"{language}, {head}: calibration error ≤ {_MOST_ECE:.2f}"
            shown.append([goal, f"**{error:.3f}**", verdict(error <= _MOST_ECE), "–"])
    return shown


def _figure(rows: Labelled, name: str) -> float:
    return measure(rows.p, rows.label)[name]


def _offence_of(rows: Labelled) -> dict[str, float]:
    return measure_offence(rows.p, rows.label)


def _by_source(rows: Labelled) -> list[str]:
    shown = []
    for language in LANGUAGES:
        some = rows.of(language)
        for source in np.unique(some.source).tolist():
            shown.append([language, source, *_row(some.where(some.source == source))])
        shown.append([language, "all", *_row(some)])
    recall = f"recall {' / '.join(LABELS)}"
    head = ["language", "source", "n", "macro-F1", "macro-recall", "accuracy", "ECE", recall]
    return table(head, shown)


def _row(rows: Labelled) -> list[str]:
    figures = measure(rows.p, rows.label)
    hit = rows.p.argmax(axis=1) == rows.label
    recall = [f"{hit[rows.label == k].mean():.2f}" for k in range(len(LABELS))]
    names = ("macro_f1", "macro_recall", "accuracy", "ece")
    return [f"{figures['n']:,}", *(f"{figures[name]:.3f}" for name in names), " / ".join(recall)]


def _offence(rows: Labelled) -> list[str]:
    shown = []
    for language in LANGUAGES:
        some = rows.of(language)
        figures = _offence_of(some)
        error = spread(some, lambda again: _offence_of(again)["macro_f1"])
        source = str(some.source[0]).partition("-")[0]
        f1 = f"{figures['macro_f1']:.3f} ± {error:.3f}"
        others = (f"{figures[name]:.3f}" for name in ("auc", "ece", "precision", "recall"))
        shown.append([language, source, f"{figures['n']:,}", percent(figures["offensive"]),
                      f1, *others])  # fmt: skip
    head = ["language", "source", "n", "offensive", "macro-F1", "AUC", "ECE",
            "precision at 0.5", "recall at 0.5"]  # fmt: skip
    return table(head, shown)
