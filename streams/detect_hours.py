"""An hour that is over, as detectors learn it, and the latest one, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.baseline import HORIZONS_MIN, Baseline
from models.counts import HOUR_MIN, CumulativeCounts
from models.detector import MINUTE_MS, HourClose, Rolling
from models.records import Bool, Float64, Int64

_BLIND_EXPECTED = 20.0  # an hour in which so many were expected and none came is blindness


def hour_close(rolling: Rolling, baseline: Baseline, hour: int) -> HourClose:
    """What detectors learn of an hour that is over.

    Parameters
    ----------
    rolling : Rolling
        Counts by minute.
    baseline : Baseline
        Of the volume: where much was expected and nothing came, nobody listened.
    hour : int
        Since the epoch.
    """
    whole, negative = (
        _parts(counts, (hour + 1) * HOUR_MIN - 1) for counts in (rolling.all, rolling.negative)
    )
    expected = baseline.rate(hour).sum()
    return HourClose(
        hour=hour,
        counts=whole.fives.sum(axis=0),
        negatives=negative.fives.sum(axis=0),
        fives=whole.fives,
        negative_fives=negative.fives,
        peaks=whole.peaks,
        negative_peaks=negative.peaks,
        blind=not whole.fives.any() and expected >= _BLIND_EXPECTED,
    )


class LatestHour(NamedTuple):
    """Counts of each brand in the 60 minutes up to the last whole one, and what was expected."""

    mentions: Int64
    negative: Int64
    expected: Float64


@dataclass(frozen=True, slots=True)
class BrandFigures:
    """How brands stand, as columns.

    Attributes
    ----------
    brands : tuple of str
    hour : LatestHour
    usual_share : float64[n]
        Usual negative share.
    silent : bool[n]
        Nothing comes though it should.
    """

    brands: tuple[str, ...]
    hour: LatestHour
    usual_share: Float64
    silent: Bool


def hour_until(rolling: Rolling, baseline: Baseline, now_ms: int) -> LatestHour:
    """The latest hour of event time ``now_ms``, of brands of which something was counted."""
    series = np.arange(rolling.all.series)
    minute = np.full(len(series), now_ms // MINUTE_MS - 1)
    return LatestHour(
        mentions=rolling.all.window(minute, series, HOUR_MIN).astype(np.int64),
        negative=rolling.negative.window(minute, series, HOUR_MIN).astype(np.int64),
        expected=baseline.expected_short(minute, series)[1],
    )


class _Parts(NamedTuple):
    """Counts of an hour in five minutes each, and the largest windows that end in it."""

    fives: Float64
    peaks: Float64


def _parts(counts: CumulativeCounts, last: int) -> _Parts:
    totals = np.stack([counts.row(last - k) for k in range(64, -1, -1)])
    fives = np.diff(totals[4::5], axis=0)
    five = (totals[5:] - totals[:-5]).max(axis=0)
    marks = [counts.row(last - 5 * k) - counts.row(last - 5 * k - HOUR_MIN) for k in range(12)]
    three, day = (counts.row(last) - counts.row(last - width) for width in HORIZONS_MIN[2:])
    peaks = np.stack([five, np.max(marks, axis=0), three, day])
    return _Parts(fives.astype(np.float64), peaks.astype(np.float64))
