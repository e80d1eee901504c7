"""Spikes in a count: mentions, or negative mentions, against their seasonal expectation.

The surprise of a window is minus the decimal logarithm of the chance that the negative binomial
with the baseline's mean and dispersion gives at least as many (models/baseline.py); the largest of
the horizons counts.  High is abnormal.  Counts only grow, so a finding may come in the middle
of a minute.
"""

from __future__ import annotations

import numpy as np

from models.baseline import Baseline, Calendar, interval, surprise, threshold
from models.detector import WEAK_COUNT, Cells, HourClose
from models.records import Bool, Float64, Int64
from models.windows import LONG, Points, Verdict, WindowDetector

_BASELINE = "baseline_"
_LEAST_RATIO = 1.3  # no count below this multiple of its expectation is ever a finding


class CountSpike(WindowDetector):
    """Negative-binomial test of counts over 5 minutes, 1, 6 and 24 hours.

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
        return {
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
        return self._small() | _named(self.baseline.snapshot())

    def changes(self) -> dict[str, bytes]:
        """What of the snapshot may have changed since the last call."""
        return self._small() | _named(self.baseline.changes())

    def _small(self) -> dict[str, bytes]:
        return super().snapshot() | {"share": self._share.tobytes()}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        super().restore(pieces)
        self.baseline.restore(
            {k.removeprefix(_BASELINE): v for k, v in pieces.items() if k.startswith(_BASELINE)}
        )
        if "share" in pieces:
            self._share = np.frombuffer(pieces["share"]).reshape(self._share.shape).copy()


def _named(pieces: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{_BASELINE}{name}": blob for name, blob in pieces.items()}
