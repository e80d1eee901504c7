"""Alarms on simulated series in which nothing happens, at the line that means once in two weeks."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.document import table
from benchmarks.quality.options import Options
from benchmarks.quality.volume import LINE
from models.calendar import Calendar
from models.records import Float64
from models.series import DAY_S, HOUR_S, SeriesDetector

_WIDTH_S = 300
_RATES = (0.3, 3.0, 30.0)  # mentions in five minutes
_DISPERSIONS = (0.0, 0.1, 0.5)  # variance of the gamma factor that each hour has
_SERIES = 4
_DAYS = 28


def run(options: Options) -> list[str]:
    """Measure; the lines of the section."""
    del options
    counts = np.array([[_alarms(rate, alpha) for alpha in _DISPERSIONS] for rate in _RATES])
    weeks = _SERIES * _DAYS / 14  # in pairs
    rows = [
        [f"{rate:g}", *(f"{count / weeks:.2f}" for count in row)]
        for rate, row in zip(_RATES, counts)
    ]
    in_all = counts.sum() / weeks / counts.size
    return [
        *table(["mentions in 5 minutes", *(f"dispersion {a:g}" for a in _DISPERSIONS)], rows),
        "",
        f"Alarms in two weeks, {_SERIES} series of {_DAYS} days a figure, from their first row on. "
        f"Mean: **{in_all:.2f}**; the score promises 1.",
    ]


def _alarms(rate: float, alpha: float) -> int:
    """Alarms in all series of a rate and dispersion."""
    return sum(_alarms_of(simulated(seed, rate, alpha)) for seed in range(_SERIES))


def _alarms_of(values: Float64) -> int:
    detector = SeriesDetector(Calendar(["UTC"], [(5, 6)]), float(_WIDTH_S))
    scores = (detector.step(float(_WIDTH_S * row), v).score for row, v in enumerate(values))
    return sum(score >= LINE for score in scores)


def simulated(seed: int, rate: float, alpha: float) -> Float64:
    """Counts with a day, a week and, if ``alpha`` is not nought, hours that are busier than others.

    Parameters
    ----------
    seed : int
    rate : float
        Mean of a weekday.
    alpha : float
        Variance of the factor, gamma distributed with mean 1, that all rows of an hour share.
    """
    rng = np.random.default_rng([seed, round(10 * rate), round(10 * alpha)])
    at_s = np.arange(_DAYS * DAY_S // _WIDTH_S) * _WIDTH_S
    hour, weekend = at_s / HOUR_S % 24, at_s // DAY_S % 7 >= 5
    mean = rate * (1 + 0.6 * np.sin(2 * np.pi * (hour - 8) / 24)) * np.where(weekend, 0.7, 1.0)
    if alpha:
        mean *= rng.gamma(1 / alpha, alpha, _DAYS * 24)[at_s // HOUR_S]
    return rng.poisson(mean).astype(np.float64)
