"""The series of the Numenta Anomaly Benchmark, and its score at a threshold."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeVar

import numpy as np

from models.records import Float64
from streams.analyze import analyze_volume, read_series

PROFILES = ("standard", "low_FP")

T = TypeVar("T")
Span = tuple[datetime, datetime]
# what nab_score.py calls a file: times of the rows, their scores, windows that count as right
File = tuple[list[datetime], list[float], list[Span]]


class Series(NamedTuple):
    """Mentions of one company; windows begin and end at times of rows."""

    name: str
    times: list[datetime]
    values: Float64
    windows: list[Span]
    labels: list[datetime]


def read(folder: Path, nab: ModuleType) -> list[Series]:
    """Read the series of a folder with their windows and labelled moments."""
    windows = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    found = []
    for key in sorted(windows):
        path = folder / Path(key).name
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(read_series(lines, path.name))
        found.append(
            Series(
                path.stem.rpartition("_")[2],
                [nab.parse(stamp) for stamp, _ in rows],
                np.array([value for _, value in rows]),
                [(nab.parse(first), nab.parse(last)) for first, last in windows[key]],
                [nab.parse(moment) for moment in labels[key]],
            )
        )
    return found


def analysed(series: Series) -> File:
    """Score a series as ``nadhir analyze volume`` does with its default settings."""
    rows = zip((moment.isoformat() for moment in series.times), series.values.tolist())
    scores = [row.score for row in analyze_volume(rows, name=series.name)]
    return series.times, scores, series.windows


def score_at(files: Sequence[File], line: float | None, profile: str, nab: ModuleType) -> float:
    """NAB score, normalised, if every row that scores ``line`` or more is an alarm.

    Parameters
    ----------
    files : sequence of File
    line : float or None
        None: there is no alarm at all.
    profile : str
        A key of ``nab.PROFILES``.
    nab : module
        ``nab_score.py``, which weighs the rows.
    """
    hit, missed, false = nab.PROFILES[profile]
    total, windows = 0.0, 0
    for times, scores, spans in files:
        best: dict[int, float] = {}
        points, _ = nab.points(times, scores, spans, hit, false)
        for score, weighted, window in points:
            alarm = line is not None and score >= line
            if window is not None:
                worth = weighted if alarm else -missed
                best[window] = max(best.get(window, -missed), worth)
            elif alarm:
                total += weighted
        total += sum(best.values())
        windows += len(best)
    return float(100 * (total + missed * windows) / ((hit + missed) * windows))


def leave_one_out(
    files: Sequence[T],
    choose: Callable[[list[T]], float | None],
    score: Callable[[list[T], float | None], float],
) -> list[float]:
    """Score of each file at the line that the others choose.

    Parameters
    ----------
    files : sequence
    choose : callable
        Gives the line that suits some files best.
    score : callable
        Scores files at a line.
    """
    scores = []
    for at, one in enumerate(files):
        others = [*files[:at], *files[at + 1 :]]
        scores.append(score([one], choose(others)))
    return scores
