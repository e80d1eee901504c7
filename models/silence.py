r"""A source that is silent where it should not be: blindness, which is not calm.

When nothing came of a brand for 5 minutes, an hour or three, the surprise is minus the decimal
logarithm of the chance of none, :math:`P(X = 0) = (1 + \alpha \mu)^{-1/\alpha}`, under the same
negative binomial as the counts (models/baseline.py).  A busy brand is missed within minutes, a
quiet one never: silence says nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.baseline import HORIZONS_MIN, Baseline
from models.detector import HOUR_MS, MINUTE_MS, Finding, Segment
from models.pieces import under, within
from models.records import SOURCE_SILENT, Bool, Float64, Int64, Phase

LOOK_MS = 5 * MINUTE_MS
UPDATE_MS = 15 * MINUTE_MS
_HOURS = "hours/"
_RECURS_H = 7 * 24
_WINDOWS = 3  # of a whole day nobody is silent who was not for three hours


class SourceSilent:
    """Looks every five minutes of event time for brands that have fallen silent.

    Parameters
    ----------
    baseline : Baseline
        What is expected of each brand; another detector teaches it.
    lines : float64[brands]
        Surprise from which silence is told.
    """

    kind = SOURCE_SILENT

    def __init__(self, baseline: Baseline, lines: Float64) -> None:
        self._baseline = baseline
        self._lines = lines
        n = len(lines)
        self._last = np.zeros(n, dtype=np.int64)  # event time of the latest mention; 0: none yet
        self._told = np.zeros(n, dtype=np.int64)  # 0: it speaks
        self._since = np.zeros(n, dtype=np.int64)  # of the latest silence
        self._until = np.zeros(n, dtype=np.int64)
        self._looked = np.zeros(n, dtype=np.int64)
        self._hours = np.zeros((24, n), dtype=np.int64)  # the latest silent hour, by time of day
        self._dirty: set[int] = set()

    @property
    def silent(self) -> Bool:
        """Which brands are silent now."""
        silent: Bool = self._told > 0
        return silent

    def unlearned(self, hour: int, counts: Float64) -> Bool:
        """Tell an hour's counts; of which brands nothing is to be learned of it.

        They were silent in a part of it, and not at the same time of a day of the week before: what
        recurs, such as a night, or lasts, such as a fall for good, is usual and must be learned.
        """
        began, end = self._since < (hour + 1) * HOUR_MS, self._until > hour * HOUR_MS
        silent = began & (end | self.silent)
        recurs = self._recurs(hour)
        unlearned: Bool = silent & ~recurs
        silent |= recurs & (counts == 0)  # as usual, so it was not told
        if silent.any():
            self._hours[hour % 24, silent] = hour
            self._dirty.add(hour % 24)
        return unlearned

    def _recurs(self, hour: int) -> Bool:
        """Which brands were silent at that time on a day of the week before."""
        before = self._hours[hour % 24]
        recurs: Bool = (before > 0) & (before < hour) & (hour - before <= _RECURS_H)
        return recurs

    def observe(self, segment: Segment) -> Iterator[Finding]:
        """Findings of a segment, in order of their moment."""
        done = 0
        for at, tick_ms in zip(segment.tick_at.tolist(), segment.tick_ms.tolist()):
            if tick_ms // LOOK_MS <= int(self._looked.max(initial=0)):
                continue
            self._hear(segment, done, at)
            done = at
            self._looked[:] = tick_ms // LOOK_MS
            yield from self._look(at, tick_ms)
        self._hear(segment, done, len(segment.brand))

    def _hear(self, segment: Segment, first: int, last: int) -> None:
        brand, times = segment.brand[first:last], segment.watermark_ms[first:last]
        ended = np.unique(brand[self._told[brand] > 0])
        for each in ended.tolist():
            self._until[each] = times[brand == each][0]
        self._told[ended] = 0
        np.maximum.at(self._last, brand, times)

    def _look(self, at: int, now_ms: int) -> Iterator[Finding]:
        waits = (self._last > 0) & (now_ms - self._last >= LOOK_MS)
        hour = now_ms // HOUR_MS
        # what recurs need not end at the same minute
        usual = self._recurs(hour) | self._recurs((now_ms - HOUR_MS // 2) // HOUR_MS)
        quiet = np.flatnonzero(waits & ~usual)
        if not len(quiet):
            return
        minute = np.full(len(quiet), now_ms // MINUTE_MS - 1)
        expected, surprise = self._surprise(minute, quiet, now_ms)
        best = surprise.argmax(axis=0)
        top = surprise.max(axis=0)
        for i in np.flatnonzero(top >= self._lines[quiet]).tolist():
            brand, phase = int(quiet[i]), self._phase(int(quiet[i]), now_ms)
            if phase:
                mean, seen = float(expected[best[i], i]), float(top[i])
                yield self._finding(at, now_ms, brand, phase, int(best[i]), mean, seen)

    def _surprise(self, minute: Int64, brand: Int64, now_ms: int) -> tuple[Float64, Float64]:
        """Expected counts and surprise of none, by window; nought where it spoke since."""
        every = self._baseline.expected(minute, brand)
        alpha = self._baseline.alpha(brand, every)[:_WINDOWS]
        expected = every[:_WINDOWS]
        surprise = np.log1p(alpha * expected) / alpha / np.log(10)
        width = np.array(HORIZONS_MIN[:_WINDOWS])[:, None] * MINUTE_MS
        long_enough = now_ms - self._last[brand] >= width
        known = self._baseline.known(brand)[:_WINDOWS]
        return expected, np.where(long_enough & known, surprise, 0.0)

    def _phase(self, brand: int, now_ms: int) -> Phase | None:
        if not self._told[brand]:
            self._since[brand], self._told[brand] = self._last[brand], now_ms
            return "fired"
        if now_ms - self._told[brand] < UPDATE_MS:
            return None
        self._told[brand] = now_ms
        return "update"

    def _finding(
        self, at: int, now_ms: int, brand: int, phase: Phase, window: int, mean: float, top: float
    ) -> Finding:
        return Finding(
            at=at,
            brand=brand,
            kind=self.kind,
            phase=phase,
            at_ms=now_ms,
            minute=now_ms // MINUTE_MS - 1,
            window_min=HORIZONS_MIN[window],
            observed=0,
            expected=mean,
            lower=0,
            upper=0,
            surprise=top,
            line=float(self._lines[brand]),
            threshold=0,
            total=0,
            negative=0,
            usual_negative_share=0.0,
            history_h=int(self._baseline.hours[brand]),
        )

    _STATE = ("last", "told", "since", "until", "looked")

    def snapshot(self) -> dict[str, bytes]:
        """All state, as bytes by name."""
        rows = {str(row): hours.tobytes() for row, hours in enumerate(self._hours)}
        return self._small() | under(_HOURS, rows)

    def changes(self) -> dict[str, bytes]:
        """What of the snapshot may have changed since the last call."""
        rows, self._dirty = sorted(self._dirty), set()
        changed = {str(row): self._hours[row].tobytes() for row in rows}
        return self._small() | under(_HOURS, changed)

    def _small(self) -> dict[str, bytes]:
        return {name: getattr(self, f"_{name}").tobytes() for name in self._STATE}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        for name in self._STATE:
            if name in pieces:
                setattr(self, f"_{name}", np.frombuffer(pieces[name], dtype=np.int64).copy())
        for row, blob in within(_HOURS, pieces).items():
            self._hours[int(row)] = np.frombuffer(blob, dtype=np.int64)
