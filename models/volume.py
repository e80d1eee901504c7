"""Spikes in a count: mentions, or negative mentions, against their seasonal expectation.

The surprise of a window is minus the decimal logarithm of the chance that the negative binomial
with the baseline's mean and dispersion gives at least as many (models/baseline.py); the largest of
the horizons counts.  High is abnormal.  Counts only grow, so a finding may come in the middle
of a minute.  Beside it a finding says how often the brand itself rises so far (models/rarity.py).
"""

from __future__ import annotations

import numpy as np

from models.baseline import (
    HISTORY_H,
    HORIZONS_MIN,
    Baseline,
    interval,
    surprise,
    threshold,
)
from models.calendar import Calendar
from models.detector import WEAK_COUNT, Cells, HourClose
from models.pieces import under, within
from models.rarity import BLOCK_H, Rarity, excess, return_hours
from models.records import Bool, Float64, Int64
from models.windows import LONG, Points, Verdict, WindowDetector

_BASELINE, _RARITY = "baseline_", "rarity_"
_HOURS = np.array(HORIZONS_MIN)[:, None] / 60
_LEAST_RATIO = 1.3  # no count below this multiple of its expectation is ever a finding


class CountSpike(WindowDetector):
    """Negative-binomial test of counts over 5 minutes, 1, 3 and 24 hours.

    Parameters
    ----------
    kind : {"volume", "negative_count"}
        Which counts are tested.
    calendar : Calendar
    lines : float64[brands]
        Surprise from which a finding fires.

    Examples
    --------
    >>> spike = CountSpike("volume", Calendar(["UTC"], [(5, 6)]), np.array([6.5]))
    >>> spike.history_h(0)
    0
    """

    def __init__(self, kind: str, calendar: Calendar, lines: Float64) -> None:
        super().__init__(kind, lines, on_arrival=True)
        self.baseline = Baseline(calendar, len(lines))
        self._negative_only = kind == "negative_count"
        self._share = np.zeros((2, len(lines)))
        self._rarity = Rarity(len(HORIZONS_MIN), len(lines))

    def _bound(self, cells: Cells) -> Float64:
        counts = cells.negative if self._negative_only else cells.total
        bound = np.zeros_like(counts)
        at = np.flatnonzero((counts[:LONG] >= WEAK_COUNT).any(axis=0))
        if len(at):
            at = at[self._loud(counts[:LONG, at], cells.minute[at], cells.brand[at])]
        expected = self.baseline.expected(cells.minute[at], cells.brand[at])
        bound[:, at], _ = self._surprise(counts[:, at], expected, cells.brand[at])
        return bound

    def _loud(self, counts: Float64, minute: Int64, brand: Int64) -> Bool:
        """Where a short window exceeds its expectation; without that no long one says anything."""
        least = _LEAST_RATIO * self.baseline.expected_short(minute, brand)
        five, hour = counts >= np.maximum(least, WEAK_COUNT)
        loud: Bool = five | hour
        return loud

    def _verdict(self, brand: int, points: Points) -> Verdict:
        observed = points.negative if self._negative_only else points.total
        series = np.full(len(points.minute), brand, dtype=np.int64)
        expected = self.baseline.expected(points.minute, series)
        scores, far = self._surprise(observed, expected, series)
        # long counts stay high after the event: they say something while the hour does too
        scores[LONG:, ~(far[1] & (observed[1] >= WEAK_COUNT))] = 0.0
        return Verdict(scores, observed, expected)

    def _surprise(
        self, observed: Float64, expected: Float64, series: Int64
    ) -> tuple[Float64, Bool]:
        """Surprise by horizon, nought where it cannot matter; and what lies two deviations off."""
        alpha = self.baseline.alpha(series, expected)
        far = observed >= expected + 2.0 * np.sqrt(expected + alpha * expected**2)
        far &= observed >= _LEAST_RATIO * expected
        enough = far & (observed >= WEAK_COUNT) & self.baseline.known(series)
        scores = np.zeros_like(observed)
        scores[enough] = surprise(observed[enough], expected[enough], alpha[enough])
        return scores, far

    def _details(self, brand: int, point: int, horizon: int, points: Points) -> dict[str, float]:
        series = np.array([brand])
        every = self.baseline.expected(points.minute[point : point + 1], series)
        alpha = float(self.baseline.alpha(series, every)[horizon, 0])
        expected = float(every[horizon, 0])
        lower, upper = interval(expected, alpha)
        least = threshold(expected, alpha, float(self.lines[brand]))
        negative, total = self._share[:, brand]
        known: dict[str, float] = {}
        if self._rarity.known(brand):
            observed = points.negative if self._negative_only else points.total
            z = excess(observed[:, [point]], every, self.baseline.level()[brand] * _HOURS)
            decades = float(self._rarity.score(z, series).max())
            known["return_h"] = round(return_hours(decades), 1)
        return known | {
            "lower": lower,
            "upper": upper,
            "threshold": max(least, int(np.ceil(_LEAST_RATIO * expected)), WEAK_COUNT),
            "usual_negative_share": float((negative + 2.0) / (total + 10.0)),
        }

    def history_h(self, brand: int) -> int:
        """Hours learned so far."""
        return int(self.baseline.hours[brand])

    def learn(self, close: HourClose, mask: Bool) -> None:
        """Learn a closed hour, for the brands in ``mask``."""
        negative_only = self._negative_only
        fives = close.negative_fives if negative_only else close.fives
        peaks = close.negative_peaks if negative_only else close.peaks
        self._see(close.hour, peaks, mask)
        self.baseline.learn(close.hour, fives, peaks[2], peaks[3], mask)
        learned = np.stack([close.negatives, close.counts])[:, mask]
        self._share[:, mask] = self._share[:, mask] * 0.5 ** (1 / 336) + learned

    def _see(self, hour: int, peaks: Float64, mask: Bool) -> None:
        """Take in how far a closed hour rose, before its counts are expected."""
        # what is expected of a brand that has just begun says nothing yet
        at = np.flatnonzero(mask & (self.baseline.hours >= HISTORY_H[0]))
        ends = np.full(len(at), hour * 60 + 59)
        expected = self.baseline.expected(ends, at)
        if len(at):
            expected[0] = self.baseline.rate(hour)[at] / 12
        usual = self.baseline.level()[at] * _HOURS
        self._rarity.turn(hour // BLOCK_H)
        self._rarity.see(excess(peaks[:, at], expected, usual), at)

    def snapshot(self) -> dict[str, bytes]:
        """Episodes, baseline and rarity, as bytes by name."""
        learned = under(_BASELINE, self.baseline.snapshot())
        return self._small() | learned | under(_RARITY, self._rarity.snapshot())

    def changes(self) -> dict[str, bytes]:
        """What of the snapshot may have changed since the last call."""
        learned = under(_BASELINE, self.baseline.changes())
        return self._small() | learned | under(_RARITY, self._rarity.changes())

    def _small(self) -> dict[str, bytes]:
        return super().snapshot() | {"share": self._share.tobytes()}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        super().restore(pieces)
        self.baseline.restore(within(_BASELINE, pieces))
        self._rarity.restore(within(_RARITY, pieces))
        if "share" in pieces:
            self._share = np.frombuffer(pieces["share"]).reshape(self._share.shape).copy()
