"""An hour that is over, as detectors learn it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.baseline import HORIZONS_MIN, Baseline
from models.counts import HOUR_MIN, CumulativeCounts
from models.detector import HourClose, Rolling
from models.records import Float64

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
