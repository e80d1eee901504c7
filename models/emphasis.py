"""How strongly negative mentions speak, and how far: what a plain share of them leaves out.

Exact sums by minute over all counted mentions, whole numbers, so that neither order nor cut of the
stream changes them.  They tell of a finding; none fires by them, since one account with many
followers would be enough.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.counts import DAY_MIN, MinuteSums
from models.records import Int64, Observations

SLOTS = 4
_NEGATIVES, _STRENGTH, _REACH, _NEGATIVE_REACH = range(SLOTS)
_PARTS = 10_000  # a probability of 1
_LEAST = 20  # negative mentions of which the usual intensity is taken
_MINUTE_MS = 60_000


class Emphasis(NamedTuple):
    """Of the mentions in a window; None where nothing is known.

    Attributes
    ----------
    intensity : float
        Mean probability of negative of the negative mentions, 0.5 to 1.
    usual_intensity : float
        That of the brand's negative mentions in the day before the window, at least 20 of them;
        not known for windows of a day.
    reach_share : float
        Reach of the negative mentions over that of all: the negative share weighted by reach.
    """

    intensity: float | None = None
    usual_intensity: float | None = None
    reach_share: float | None = None


class EmphasisSums:
    """Sums for a number of brands.

    Parameters
    ----------
    brands : int
    """

    def __init__(self, brands: int) -> None:
        self._sums = MinuteSums(brands * SLOTS)

    def add(self, observations: Observations, rows: Int64) -> None:
        """Take in some observations."""
        minute = observations.published_ms[rows] // _MINUTE_MS
        series = observations.brand[rows] * SLOTS
        reach = observations.reach[rows]
        self._sums.add_amounts(minute, series + _REACH, reach)
        bad = observations.label[rows] == 0
        minute, series, reach = minute[bad], series[bad], reach[bad]
        strength = np.rint(_PARTS * observations.negative[rows[bad]].astype(np.float64))
        for slot, amounts in (
            (_NEGATIVES, np.ones(len(reach), dtype=np.int64)),
            (_STRENGTH, strength.astype(np.int64)),
            (_NEGATIVE_REACH, reach),
        ):
            self._sums.add_amounts(minute, series + slot, amounts)

    def window(self, brand: int, minute: int, width_min: int) -> Emphasis:
        """What the ``width_min`` minutes that end with ``minute`` hold."""
        if self._sums.now is None:
            return Emphasis()
        here = self._of(brand, minute, width_min)
        usual = None
        if width_min < DAY_MIN:
            before = self._of(brand, minute - width_min, DAY_MIN)
            usual = _ratio(before[_STRENGTH], _PARTS * before[_NEGATIVES], _PARTS * _LEAST)
        return Emphasis(
            _ratio(here[_STRENGTH], _PARTS * here[_NEGATIVES]),
            usual,
            _ratio(here[_NEGATIVE_REACH], here[_REACH]),
        )

    def _of(self, brand: int, minute: int, width_min: int) -> list[int]:
        held: list[int] = self._sums.window(
            minute, brand * SLOTS + np.arange(SLOTS), width_min
        ).tolist()
        return held

    def changes(self) -> list[tuple[str, bytes | None]]:
        """Pieces to store since the last call."""
        return self._sums.changes()

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up stored pieces."""
        self._sums.restore(pieces)


def _ratio(part: int, whole: int, least: int = 1) -> float | None:
    return round(part / whole, 4) if whole >= least else None
