"""Changes to a series after which a detector ought to do as well as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import numpy as np

from benchmarks.quality.document import percent
from benchmarks.quality.nab import Series

_SEEDS = (0, 1)
_DAY_ROWS = 288  # of five minutes


def transforms(series: list[Series]) -> Iterator[tuple[str, list[list[Series]]]]:
    """Each change by name, with what it makes of the series, once for each seed."""
    for share in (0.5, 0.25):
        made = [_all(series, partial(thinned, share=share), seed) for seed in _SEEDS]
        yield f"thinned to {percent(share)} of the mentions", made
    yield "resampled to 15 minutes", [[resampled(s, 3) for s in series]]
    yield "first 5 days dropped", [[dropped(s, 5 * _DAY_ROWS) for s in series]]
    yield "three mentions for each", [[s._replace(values=3 * s.values) for s in series]]
    yield "as many again, evenly (Poisson)", [_all(series, background, _SEEDS[0])]


def _all(
    series: list[Series], change: Callable[[Series, np.random.Generator], Series], seed: int
) -> list[Series]:
    return [change(s, np.random.default_rng([seed, at])) for at, s in enumerate(series)]


def thinned(series: Series, rng: np.random.Generator, share: float) -> Series:
    """Each mention kept with a probability."""
    kept = rng.binomial(series.values.astype(np.int64), share)
    return series._replace(values=kept.astype(np.float64))


def resampled(series: Series, rows: int) -> Series:
    """Sums of so many rows each; a window keeps the sums that hold its ends."""
    count = len(series.values) // rows
    times = series.times[::rows][:count]
    at = {moment: min(row // rows, count - 1) for row, moment in enumerate(series.times)}

    def moved(moment: datetime) -> datetime:
        return times[at[moment]]

    return series._replace(
        times=times,
        values=series.values[: count * rows].reshape(count, rows).sum(axis=1),
        windows=[(moved(first), moved(last)) for first, last in series.windows],
    )


def dropped(series: Series, rows: int) -> Series:
    """Without the first rows, and without the windows that begin there."""
    begin = series.times[rows]
    return series._replace(
        times=series.times[rows:],
        values=series.values[rows:],
        windows=[window for window in series.windows if window[0] >= begin],
        labels=[moment for moment in series.labels if moment >= begin],
    )


def background(series: Series, rng: np.random.Generator) -> Series:
    """With mentions added that come at the mean rate of the series, whatever the hour."""
    added = rng.poisson(series.values.mean(), len(series.values))
    return series._replace(values=series.values + added)
