"""Detectors on rolling windows: when to look, how episodes begin, grow and end.

Two speeds that give the same answer.  For all brands at once an upper bound tells which may have
something (``_gate``); only those are walked observation by observation, so that a finding holds
what was known at its moment and does not depend on how the stream was cut into batches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.baseline import HORIZONS_MIN
from models.counts import CumulativeCounts
from models.detector import (
    HOUR_MS,
    MINUTE_MS,
    WEAK_LINE,
    Cells,
    Finding,
    HourClose,
    Rolling,
    Segment,
    windows,
)
from models.records import Bool, Float64, Int64, Phase

QUIET_MS = 30 * MINUTE_MS  # an episode ends when it has not been hot for so long
UPDATE_MS = 15 * MINUTE_MS  # a running episode reports so often
WEAK_MS = 6 * HOUR_MS  # a weak finding is noted once in so long
NEW_NORMAL_MS = 24 * HOUR_MS  # what lasts longer is learned after all
GROWTH = 1.5  # a running episode that has grown so much reports at once

_DAY_MS = HORIZONS_MIN[-1] * MINUTE_MS
LONG = 2  # horizons from here on outlast an episode

NONE, WEAK, FIRED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """Scores of points: ``surprise``, ``observed`` and ``expected`` are float64[horizons, p]."""

    surprise: Float64
    observed: Float64
    expected: Float64


@dataclass(frozen=True, slots=True)
class Points:
    """Moments at which a brand is looked at.

    Attributes
    ----------
    at : int64[p]
        Observations of the segment that had arrived.
    minute : int64[p]
        The minute with which the windows end.
    time_ms : int64[p]
        Event time of the moment.
    news : int64[p]
        0 for a tick that brought nothing new: it only matters to a running episode.
    total, negative : float64[horizons, p]
        Counts in the windows.
    """

    at: Int64
    minute: Int64
    time_ms: Int64
    news: Int64
    total: Float64
    negative: Float64


class WindowDetector(ABC):
    """Common part of the detectors that look at windows of 5 minutes, 1, 3 and 24 hours.

    Parameters
    ----------
    kind : str
        Name of the finding.
    lines : float64[brands]
        Surprise from which a finding fires, for each brand.
    on_arrival : bool
        Look whenever a mention arrives (counts only grow), not just at ticks (shares).
    """

    def __init__(self, kind: str, lines: Float64, *, on_arrival: bool) -> None:
        self.kind = kind
        self.lines = lines
        self._on_arrival = on_arrival
        n = len(lines)
        self._level = np.zeros(n, dtype=np.int64)
        self._since = np.zeros(n, dtype=np.int64)
        self._hot = np.zeros(n, dtype=np.int64)
        self._told = np.zeros(n, dtype=np.int64)
        self._told_observed = np.zeros((len(HORIZONS_MIN), n), dtype=np.int64)
        self._busy_hour = np.full(n, -1, dtype=np.int64)
        self._pending = np.full(n, -1, dtype=np.int64)  # earliest minute that waits for a tick

    # what a detector adds -------------------------------------------------------------------

    @abstractmethod
    def _bound(self, cells: Cells) -> Float64:
        """Upper bound of the surprise at any moment up to these counts; float64[horizons, n]."""

    @abstractmethod
    def _verdict(self, brand: int, points: Points) -> Verdict:
        """Score the points of one brand."""

    @abstractmethod
    def _details(self, brand: int, point: int, horizon: int, points: Points) -> dict[str, float]:
        """``lower``, ``upper``, ``threshold`` and ``usual_negative_share`` of a finding.

        And ``return_h``, where it is known.
        """

    @abstractmethod
    def learn(self, close: HourClose, mask: Bool) -> None:
        """Learn a closed hour."""

    @abstractmethod
    def history_h(self, brand: int) -> int:
        """Hours learned so far."""

    # the walk -------------------------------------------------------------------------------

    def observe(self, segment: Segment, rolling: Rolling) -> Iterator[Finding]:
        """Findings of a segment, in order of their moment."""
        findings: list[Finding] = []
        for brand in self._candidates(segment, rolling):
            findings.extend(self._episodes(brand, segment, rolling))
        findings.sort(key=lambda f: (f.at, f.brand))
        yield from findings

    def _candidates(self, segment: Segment, rolling: Rolling) -> list[int]:
        walk = (self._level == FIRED) | (self._pending >= 0)
        cells = rolling.cells(segment)
        if len(cells.brand):
            bound = self._bound(cells)
            # what was told already is told again only when it has become more, or late
            told = (self._level == WEAK) & (segment.end_ms - self._told < WEAK_MS)
            over = (self._since > 0) & (segment.end_ms - self._hot < _DAY_MS)
            bound[LONG:, over[cells.brand]] = 0.0
            need = np.where(told, self.lines, WEAK_LINE)
            walk[cells.brand[bound.max(axis=0) >= need[cells.brand]]] = True
        candidates: list[int] = np.flatnonzero(walk).tolist()
        return candidates

    def _episodes(self, brand: int, segment: Segment, rolling: Rolling) -> Iterator[Finding]:
        rows = np.flatnonzero(segment.brand == brand)
        news = self._news_points(brand, rows, segment)
        points = _known(brand, rows, news, segment, rolling)
        verdict = self._verdict(brand, points)
        line = self.lines[brand]
        if self._level[brand] == FIRED or verdict.surprise.max(initial=0.0) >= line:
            # an episode runs or begins: every tick counts
            last = (segment.tick_ms - 1) // MINUTE_MS
            ticks = np.stack([segment.tick_at, segment.tick_ms, last, np.zeros_like(last)])
            points = _known(brand, rows, np.concatenate([news, ticks], axis=1), segment, rolling)
            verdict = self._verdict(brand, points)
        yield from self._walk(brand, points, verdict)

    def _news_points(self, brand: int, rows: Int64, segment: Segment) -> Int64:
        """Where something new is known: at each arrival, or at the first tick that follows."""
        if self._on_arrival:
            return _arrival_points(rows, segment)
        minutes, waiting = segment.minute[rows], int(self._pending[brand])
        bounds = np.searchsorted(rows, segment.tick_at)
        fresh = np.diff(bounds, prepend=0) > 0
        if len(fresh) and waiting >= 0:
            fresh[0] = True
        points: list[tuple[int, int, int, int]] = []
        done = 0
        for tick in np.flatnonzero(fresh).tolist():
            at, tick_ms, upto = (int(a[tick]) for a in (segment.tick_at, segment.tick_ms, bounds))
            last = (tick_ms - 1) // MINUTE_MS
            first = min(_earliest(waiting, minutes[done:upto]), last)
            points.extend((at, tick_ms, minute, 1) for minute in range(first, last + 1))
            waiting, done = -1, upto
        self._pending[brand] = _earliest(waiting, minutes[done:])
        return np.array(points, dtype=np.int64).reshape(-1, 4).T

    def _walk(self, brand: int, points: Points, verdict: Verdict) -> Iterator[Finding]:
        line = float(self.lines[brand])
        best = np.argmax(verdict.surprise, axis=0)
        fresh = np.argmax(verdict.surprise[:LONG], axis=0)
        worth = (points.news > 0) & (verdict.surprise.max(axis=0, initial=0.0) >= WEAK_LINE)
        for p, (now, looks) in enumerate(zip(points.time_ms.tolist(), worth.tolist())):
            if not looks and self._level[brand] != FIRED:
                continue
            h = int(fresh[p] if self._was_told_of(brand, now) else best[p])
            top = float(verdict.surprise[h, p])
            phase = self._step(brand, top, line, now, verdict.observed[:, p], h)
            if phase:
                yield self._finding(brand, phase, p, h, points, verdict)

    def _was_told_of(self, brand: int, now: int) -> bool:
        """Whether the long windows hold an episode that is over: it must not fire again."""
        over = self._level[brand] != FIRED and self._since[brand] > 0
        return bool(over and now - self._hot[brand] < _DAY_MS)

    def _step(
        self, brand: int, top: float, line: float, now: int, observed: Float64, best: int
    ) -> Phase | None:
        """Move the brand's episode; the phase to report, if any."""
        if self._level[brand] == FIRED:
            if top >= WEAK_LINE:
                self._hot[brand] = now
            elif now - self._hot[brand] >= QUIET_MS:
                self._level[brand] = NONE
            self._busy_hour[brand] = now // HOUR_MS
            grown = observed[best] >= GROWTH * max(self._told_observed[best, brand], 1)
            due = now - self._told[brand] >= UPDATE_MS
            return (
                self._tell(brand, "update", now, observed)
                if top >= line and (due or grown)
                else None
            )
        if top >= line:
            self._level[brand], self._since[brand], self._hot[brand] = FIRED, now, now
            self._busy_hour[brand] = now // HOUR_MS
            return self._tell(brand, "fired", now, observed)
        if top >= WEAK_LINE and (self._level[brand] == NONE or now - self._told[brand] >= WEAK_MS):
            self._level[brand] = WEAK
            return self._tell(brand, "weak", now, observed)
        return None

    def _tell(self, brand: int, phase: Phase, now: int, observed: Float64) -> Phase:
        self._told[brand] = now
        self._told_observed[:, brand] = observed
        return phase

    def _finding(
        self, brand: int, phase: Phase, p: int, h: int, points: Points, verdict: Verdict
    ) -> Finding:
        details = self._details(brand, p, h, points)
        return Finding(
            at=int(points.at[p]),
            brand=brand,
            kind=self.kind,
            phase=phase,
            at_ms=int(points.time_ms[p]),
            minute=int(points.minute[p]),
            window_min=HORIZONS_MIN[h],
            observed=int(verdict.observed[h, p]),
            expected=float(verdict.expected[h, p]),
            lower=int(details["lower"]),
            upper=int(details["upper"]),
            surprise=float(verdict.surprise[h, p]),
            line=float(self.lines[brand]),
            threshold=int(details["threshold"]),
            total=int(points.total[h, p]),
            negative=int(points.negative[h, p]),
            usual_negative_share=float(details["usual_negative_share"]),
            history_h=self.history_h(brand),
            return_h=details.get("return_h"),
        )

    # episodes and state ---------------------------------------------------------------------

    def busy(self, hour: int) -> Bool:
        """Brands in an episode in that hour or later, unless it has become the new normal."""
        new_normal = (self._level == FIRED) & (self._hot - self._since >= NEW_NORMAL_MS)
        busy: Bool = (self._busy_hour >= hour) & ~new_normal
        return busy

    _STATE = ("_level", "_since", "_hot", "_told", "_told_observed", "_busy_hour", "_pending")

    def snapshot(self) -> dict[str, bytes]:
        """State of the episodes, as bytes by name."""
        return {name.strip("_"): getattr(self, name).tobytes() for name in self._STATE}

    def changes(self) -> dict[str, bytes]:
        """What of the snapshot may have changed since the last call."""
        return self.snapshot()

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        for name in self._STATE:
            if name.strip("_") in pieces:
                held = getattr(self, name)
                stored = np.frombuffer(pieces[name.strip("_")], dtype=held.dtype)
                setattr(self, name, stored.reshape(held.shape).copy())


def _earliest(waiting: int, minutes: Int64) -> int:
    """The earlier of a minute (or -1) and the first of some minutes; -1 if there is none."""
    if not len(minutes):
        return waiting
    return int(minutes.min()) if waiting < 0 else min(waiting, int(minutes.min()))


def _spans(first: Int64, last: Int64) -> tuple[Int64, Int64]:
    """Every minute from each ``first`` to its ``last``, and the index of the pair it is from."""
    counts = last - first + 1
    of = np.repeat(np.arange(len(first)), counts)
    return first[of] + np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts), of


def _arrival_points(rows: Int64, segment: Segment) -> Int64:
    """A point for each mention; for a late one, a point for each window that it may have raised.

    Returns
    -------
    int64[4, p]
        ``at``, ``time_ms``, ``minute`` and ``news`` of points.
    """
    times = segment.watermark_ms[rows]
    minute, of = _spans(segment.minute[rows], times // MINUTE_MS)
    return np.stack([rows[of] + 1, times[of], minute, np.ones_like(minute)])


def _known(brand: int, rows: Int64, found: Int64, segment: Segment, rolling: Rolling) -> Points:
    """Points in order of time, with the counts that were known at each."""
    at, time_ms, minute, news = found[:, np.lexsort(found[::-1])]
    minutes, prefix = segment.minute[rows], np.searchsorted(rows, at)
    every = np.ones(len(rows), dtype=np.int32)
    total = _counted(rolling.all, brand, minute, (minutes, every), prefix)
    negative = (minutes, segment.negative[rows])
    return Points(
        at,
        minute,
        time_ms,
        news,
        total,
        _counted(rolling.negative, brand, minute, negative, prefix),
    )


def _counted(
    counts: CumulativeCounts,
    brand: int,
    closing: Int64,
    brought: tuple[Int64, npt.NDArray[np.integer[Any]]],
    prefix: Int64,
) -> Float64:
    """Window counts when only the first ``prefix`` of the observations brought had arrived.

    Parameters
    ----------
    closing : int64[points]
        Minutes with which the windows end.
    brought : int64[rows], int[rows]
        Minute and weight of the brand's observations, in order of arrival.

    Returns
    -------
    float64[horizons, points]
    """
    minutes, weights = brought
    series = np.full(len(closing), brand, dtype=np.int64)
    result = windows(counts, series, closing)
    if not len(minutes):
        return result
    # take back what had not arrived: seen[j, x] = weight of observations j and later, minute < x
    first = int(minutes.min())
    span = int(minutes.max()) - first + 1
    seen = np.zeros((len(minutes) + 1, span + 1), dtype=np.int32)
    seen[np.arange(len(minutes)), minutes - first + 1] = weights
    seen = np.cumsum(seen[::-1], axis=0, dtype=np.int32)[::-1].cumsum(axis=1, dtype=np.int32)
    upto = np.clip(closing - first + 1, 0, span)
    for h, width in enumerate(HORIZONS_MIN):
        since = np.clip(closing - first + 1 - width, 0, span)
        result[h] -= seen[prefix, upto] - seen[prefix, since]
    return result
