"""Volume alone on five real series: NAB scores, how robust they are, labelled moments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from types import ModuleType

import numpy as np

from benchmarks.quality.document import percent, table, verdict
from benchmarks.quality.nab import (
    PROFILES,
    File,
    Series,
    analysed,
    leave_one_out,
    read,
    score_at,
)
from benchmarks.quality.options import Options
from benchmarks.quality.transforms import transforms

LINE = 0.5  # the score that is an alarm: what comes once in two weeks
_GOAL = {"standard": 86.0, "low_FP": 80.0}
_PEERS = {
    "ARTime": {"standard": 83.8, "low_FP": 73.8},
    "contextOSE": {"standard": 81.2, "low_FP": 80.9},
    "Gaussian window": {"standard": 61.6, "low_FP": 39.9},
}
_SHOWN = {"standard": "standard", "low_FP": "low false positives"}
_TOLD = ((1, 3), (24, 3))  # hours before and after a labelled moment
_GOAL_TOLD = 0.9


def run(options: Options) -> list[str]:
    """Measure; the lines of the section."""
    nab = options.nab_score()
    series = read(options.data / "volume", nab)
    files = [analysed(each) for each in series]
    return [
        *_profiles(files, nab),
        "",
        *_left_out(series, files, nab),
        "",
        *_moments(series, files),
        "",
        *_transformed(series, files, nab),
    ]


def _best(files: Sequence[File], profile: str, nab: ModuleType) -> tuple[float, float | None]:
    score, line = nab.score(files, profile)
    return float(score), None if line is None else float(line)


def _best_line(files: Sequence[File], profile: str, nab: ModuleType) -> float | None:
    return _best(files, profile, nab)[1]


def _profiles(files: list[File], nab: ModuleType) -> list[str]:
    rows = []
    for profile in PROFILES:
        score, line = _best(files, profile, nab)
        peers = [f"{peer[profile]:.1f}" for peer in _PEERS.values()]
        goal = f"≥ {_GOAL[profile]:.0f}"
        shown = "–" if line is None else f"{line:.3f}"
        fixed = score_at(files, LINE, profile, nab)
        reached = verdict(score >= _GOAL[profile])
        rows.append([_SHOWN[profile], f"**{score:.1f}**", *peers, goal, reached, shown,
                     f"{fixed:.1f}"])  # fmt: skip
    head = ["NAB profile", "Nadhir", *_PEERS, "goal", "reached", "at score", f"Nadhir at {LINE}"]
    return table(head, rows)


def _left_out(series: list[Series], files: list[File], nab: ModuleType) -> list[str]:
    rows = []
    for profile in PROFILES:
        scores = leave_one_out(
            files,
            partial(_best_line, profile=profile, nab=nab),
            partial(score_at, profile=profile, nab=nab),
        )
        own = [_best([file], profile, nab)[0] for file in files]
        shown = (f"{score:.1f} ({best:.1f})" for score, best in zip(scores, own))
        rows.append([_SHOWN[profile], *shown, f"**{np.mean(scores):.1f}** ({np.mean(own):.1f})"])
    head = ["line chosen on the other four (on itself)", *(s.name for s in series), "mean"]
    return table(head, rows)


def _moments(series: list[Series], files: list[File]) -> list[str]:
    lags = [lag for one, file in zip(series, files) for lag in _lags_h(one, file)]
    alarms = sum(score >= LINE for _, scores, _ in files for score in scores)
    days = sum((s.times[-1] - s.times[0]).total_seconds() for s in series) / 86_400
    rows = []
    for before, after in _TOLD:
        told = sum(any(-before <= lag <= after for lag in each) for each in lags)
        reached = verdict(told >= _GOAL_TOLD * len(lags)) if before == _TOLD[0][0] else ""
        goal = f"≥ {percent(_GOAL_TOLD)}" if reached else "–"
        share = f"{told} of {len(lags)} ({percent(told / len(lags))})"
        rows.append([f"{before} h before to {after} h after", share, goal, reached or "–"])
    return [
        *table(["labelled moments with an alarm", "alerted", "goal", "reached"], rows),
        "",
        f"Alarms (score {LINE} and more): {alarms} in {days:.0f} days of series, "
        f"{14 * alarms / days:.1f} in two weeks of one.",
    ]


def _lags_h(series: Series, file: File) -> list[list[float]]:
    """For each labelled moment, hours from it to every alarm."""
    alarms = [at for at, score in zip(file[0], file[1]) if score >= LINE]
    hour = timedelta(hours=1)
    return [[(alarm - moment) / hour for alarm in alarms] for moment in series.labels]


def _transformed(series: list[Series], files: list[File], nab: ModuleType) -> list[str]:
    rows = [_transform_row("as they are", [files], nab)]
    for name, made in transforms(series):
        rows.append(_transform_row(name, [[analysed(s) for s in some] for some in made], nab))
    shown = [_SHOWN[profile] for profile in PROFILES]
    return table(["five series", *shown, *(f"{name}, at {LINE}" for name in shown)], rows)


def _transform_row(name: str, variants: list[list[File]], nab: ModuleType) -> list[str]:
    """Scores at the best line and at the fixed one, averaged over seeds."""
    best = [np.mean([_best(files, p, nab)[0] for files in variants]) for p in PROFILES]
    fixed = [np.mean([score_at(files, LINE, p, nab) for files in variants]) for p in PROFILES]
    seeds = f" (mean of {len(variants)})" if len(variants) > 1 else ""
    return [name + seeds, *(f"{score:.1f}" for score in (*best, *fixed))]
