"""A series of counts, row by row: expectation, interval, and how rare each value is.

The expectation is the pipeline's (models/baseline.py), the score a return period
(models/rarity.py) of the row, of half an hour and of six hours, whichever is rarest.  One pass, no
look-ahead: each row is scored before it is learned.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from models.baseline import HISTORY_H, HORIZONS_MIN, Baseline, interval, surprise
from models.calendar import Calendar
from models.rarity import BLOCK_H, RARE, Rarity, excess
from models.records import Bool, Float64
from models.telling import Telling

HOUR_S, DAY_S = 3600, 86_400
_WINDOWS_MIN = (30, 360)
_BLIND_EXPECTED = 20.0  # when so many were expected and none came, nobody listened
_CHANCE = 2.0  # decades of surprise: what one usual window in a hundred exceeds is never an alarm
_RECURS_H = 7 * 24
_BACKLOG_S = HOUR_S  # what was missed may come so long after


class Scored(NamedTuple):
    """What was expected of a row, where it usually lies (95 %), and its score (0 to 1)."""

    expected: float
    lower: int
    upper: int
    score: float


class _Sliding:
    """Sum of the values of a span that ends with the last one.

    Never of more rows than it holds: when clocks go back an hour's rows come twice.
    """

    def __init__(self, span_s: float, width_s: float) -> None:
        self.total = 0.0
        self._span_s = span_s
        self._rows = max(1, round(span_s / width_s))
        self._held: deque[tuple[float, float]] = deque()

    def add(self, at_s: float, value: float) -> float:
        self._held.append((at_s, value))
        self.total += value
        while self._held[0][0] <= at_s - self._span_s or len(self._held) > self._rows:
            self.total -= self._held.popleft()[1]
        return self.total


class SeriesDetector:
    """Spikes and rises of one series of counts in equal intervals.

    Parameters
    ----------
    calendar : Calendar
        Of one series.
    width_s : float
        Length of an interval.

    Notes
    -----
    The score is ``s / (s + RARE)`` with s decades of rarity: 0.5 is what comes once in two weeks.
    For a day after an alarm only what worsens or begins anew scores again (models/telling.py).

    Examples
    --------
    >>> detector = SeriesDetector(Calendar(["UTC"], [(5, 6)]), 3600.0)
    >>> usual = [detector.step(3600.0 * h, 10.0 + h % 3).score for h in range(24 * 7)]
    >>> max(usual) < 0.5 < detector.step(3600.0 * 24 * 7, 90.0).score
    True
    """

    def __init__(self, calendar: Calendar, width_s: float) -> None:
        self.last_s = -math.inf
        self._baseline = Baseline(calendar, 1)
        self._width_min = width_s / 60
        longer = [w for w in _WINDOWS_MIN if w > self._width_min]
        self._windows_min = np.array([self._width_min, *longer])
        # the horizon of the baseline whose scatter a window has
        longest = len(HORIZONS_MIN) - 1
        self._like = [min(int(np.searchsorted(HORIZONS_MIN, w - 1)), longest)
                      for w in self._windows_min]  # fmt: skip
        self._rarity = Rarity(len(self._windows_min), 1)
        self._parts = max(1, round(HOUR_S / width_s))
        self._sums = [_Sliding(60 * w, width_s) for w in self._windows_min[1:].tolist()]
        self._three, self._day = _Sliding(3 * HOUR_S, width_s), _Sliding(DAY_S, width_s)
        self._hour: int | None = None
        self._in_hour: list[float] = []
        self._whole = False  # the first hour is seen in part
        self._telling = Telling((60 * self._windows_min).tolist())
        self._silent, self._silent_s = 0.0, -math.inf  # expected since the last value above nought
        self._silent_hours: dict[int, int] = {}  # the latest silent hour, by time of day
        self._recurs = False

    @property
    def blind(self) -> bool:
        """Whether the series is silent where it should not be.

        A silence that lasts a day, or was there at this time on a day of the week before, is usual.
        """
        return self._silent >= _BLIND_EXPECTED and not self._recurs

    def step(self, at_s: float, value: float) -> Scored:
        """Score a value, then take it in.

        Parameters
        ----------
        at_s : float
            Seconds since the epoch at which the interval begins; never before the last one.
        value : float
            Mentions in the interval.
        """
        self._turn(at_s)
        self.last_s = at_s
        expected = self._expected(at_s)
        value = self._listen(at_s, value, float(expected[0]))
        self._three.add(at_s, value)
        self._day.add(at_s, value)
        self._in_hour.append(value)
        observed = np.array([value, *(each.add(at_s, value) for each in self._sums)])
        usual = self._baseline.level() * self._windows_min / 60
        z = excess(observed, expected, usual)[:, None]
        one = np.zeros(1, dtype=np.int64)
        rarity = np.where(
            self._beyond_chance(observed, expected), self._rarity.score(z, one)[:, 0], 0
        )
        news = self._telling.news(rarity.tolist(), at_s)
        score = news / (news + RARE)
        if self._baseline.hours[0] >= HISTORY_H[0] and not self.blind:
            self._rarity.see(z, one)
        mean = float(expected[0])
        alpha = self._baseline.alpha(one, np.full((4, 1), mean))
        lower, upper = interval(mean, float(alpha[0, 0]))
        return Scored(round(mean, 3), lower, upper, round(score, 5))

    def _listen(self, at_s: float, value: float, expected: float) -> float:
        """The value, less what a silence before it held back."""
        if value == 0:
            self._silent += expected
            self._silent_s = at_s
            if self._silent >= _BLIND_EXPECTED:
                self._silent_hours[int(at_s // HOUR_S) % 24] = int(at_s // HOUR_S)
            return value
        if not self.blind:
            self._silent = 0.0
            return value
        backlog = min(max(value - expected, 0.0), self._silent)
        self._silent -= backlog
        if at_s - self._silent_s >= _BACKLOG_S:
            self._silent = 0.0
        return value - backlog

    def _expected(self, at_s: float) -> Float64:
        """Expected counts of the windows that end with this row."""
        minute = np.array([int((at_s + self._width_min * 60) // 60) - 1])
        one = np.zeros(1, dtype=np.int64)
        five, hour = self._baseline.expected_short(minute, one)[:, 0]
        six = float(self._baseline.expected_hours(minute, one, 6)[0])
        row = five * self._width_min / 5 if self._width_min < 60 else hour * self._width_min / 60
        longer = {30: hour / 2, 360: six}
        return np.array([row, *(longer[w] for w in self._windows_min[1:].astype(int).tolist())])

    def _beyond_chance(self, observed: Float64, expected: Float64) -> Bool:
        """Which windows a usual hour does not give, as far as is known of a young series, too."""
        every = np.full((4, len(expected)), expected)
        alpha = self._baseline.alpha(np.zeros(len(expected), dtype=np.int64), every)[self._like]
        alpha = alpha[np.arange(len(expected)), np.arange(len(expected))]
        beyond: Bool = surprise(observed, expected, alpha) >= _CHANCE
        return beyond

    def _turn(self, at_s: float) -> None:
        """Learn the hour that is over."""
        hour = int(at_s // HOUR_S)
        if hour != self._hour:
            self._recurs = hour - self._silent_hours.get(hour % 24, -_RECURS_H) < _RECURS_H
        self._rarity.turn(hour // BLOCK_H)
        if self._hour is None:
            self._hour = hour
        if hour == self._hour:
            return
        if self._whole and len(self._in_hour) >= self._parts and not self.blind:
            self._baseline.learn(
                self._hour,
                np.array(self._in_hour[: self._parts])[:, None],
                np.array([self._three.total]),
                np.array([self._day.total]),
                np.array([True]),
            )
        self._whole = True
        self._hour, self._in_hour = hour, []
