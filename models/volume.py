"""Spikes in a count: mentions, or negative mentions, against their seasonal expectation.

The surprise of a window is minus the decimal logarithm of the chance that the negative binomial
with the baseline's mean and dispersion gives at least as many (models/baseline.py); the largest of
the three horizons counts.  High is abnormal.  Counts only grow, so a finding may come in the middle
of a minute.
"""

from __future__ import annotations

import numpy as np

from models.baseline import Baseline, Calendar, interval, surprise, threshold
from models.detector import WEAK_COUNT, HourClose
from models.records import Bool, Float64, Int64
from models.windows import Points, Verdict, WindowDetector

_GATE_RATIO = 1.3  # no count below this multiple of its expectation is ever a finding


class CountSpike(WindowDetector):
    """Negative-binomial test of counts over 5 minutes, an hour and a day.

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

    def _gate(
        self, brand: Int64, minute: Int64, total: Float64, negative: Float64, calm: Float64
    ) -> Bool:
        counts = negative if self._negative_only else total
        possible: Bool = np.any(counts >= WEAK_COUNT, axis=0)
        at = np.flatnonzero(possible)
        expected = self.baseline.expected(minute[at], brand[at])
        enough = (counts[:, at] >= WEAK_COUNT) & (counts[:, at] >= _GATE_RATIO * expected)
        enough &= self.baseline.known(brand[at])
        # a standard deviation is a cheap bound; the exact tail is for the walk
        spread = np.sqrt(expected + self.baseline.alpha(brand[at]) * expected**2)
        possible[at] = np.any(enough & (counts[:, at] >= expected + 2.0 * spread), axis=0)
        return possible

    def _verdict(self, brand: int, points: Points) -> Verdict:
        observed = points.negative if self._negative_only else points.total
        series = np.full(len(points.at), brand, dtype=np.int64)
        expected = self.baseline.expected(points.minute, series)
        alpha = self.baseline.alpha(series)
        enough = (observed >= WEAK_COUNT) & (observed >= _GATE_RATIO * expected)
        enough &= self.baseline.known(series)
        far = observed >= expected + 2.0 * np.sqrt(expected + alpha * expected**2)
        enough &= far
        scores = np.zeros_like(observed)
        # a day's count stays high long after the event: it says something while the hour does too
        enough[2] &= far[1] & (observed[1] >= _GATE_RATIO * expected[1])
        scores[enough] = surprise(observed[enough], expected[enough], alpha[enough])
        return Verdict(scores, observed, expected)

    def _details(self, brand: int, point: int, horizon: int, points: Points) -> dict[str, float]:
        series = np.array([brand])
        expected = self.baseline.expected(points.minute[point : point + 1], series)[horizon, 0]
        alpha = float(self.baseline.alpha(series)[horizon, 0])
        lower, upper = interval(float(expected), alpha)
        least = threshold(float(expected), alpha, float(self.lines[brand]))
        negative, total = self._share[:, brand]
        return {
            "lower": lower,
            "upper": upper,
            "threshold": max(least, int(np.ceil(_GATE_RATIO * expected)), WEAK_COUNT),
            "usual_negative_share": float((negative + 2.0) / (total + 10.0)),
        }

    def history_h(self, brand: int) -> int:
        """Hours learned so far."""
        return int(self.baseline.hours[brand])

    def learn(self, close: HourClose, mask: Bool) -> None:
        """Learn a closed hour, for the brands in ``mask``."""
        negative_only = self._negative_only
        self.baseline.learn(
            close.hour,
            close.negatives if negative_only else close.counts,
            close.negative_fives if negative_only else close.fives,
            close.negative_day if negative_only else close.day,
            mask,
        )
        learned = np.stack([close.negatives, close.counts])[:, mask]
        self._share[:, mask] = self._share[:, mask] * 0.5 ** (1 / 336) + learned

    def snapshot(self) -> dict[str, bytes]:
        """Episodes and baseline, as bytes by name."""
        held = {f"baseline_{k}": v for k, v in self.baseline.snapshot().items()}
        return super().snapshot() | held | {"share": self._share.tobytes()}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        super().restore(pieces)
        prefix = "baseline_"
        self.baseline.restore(
            {k.removeprefix(prefix): v for k, v in pieces.items() if k.startswith(prefix)}
        )
        if "share" in pieces:
            self._share = np.frombuffer(pieces["share"]).reshape(self._share.shape).copy()
