"""How a brand's mentions are spread over a day, and whether something is spread otherwise.

What many people say of their own accord, such as a greeting or a question with set words, comes at
the pace of all mentions.  What is done together comes at once: a scan statistic (J. Naus, *JASA*
60, 1965) tells how likely as many of its times fall into so short a stretch by chance.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from operator import sub

import numpy as np

from models.coordination.chance import within
from models.records import Float64, Int64

_BUCKET_MS = 600_000
_MOST_NEW = 4096


class Pace:
    """Counts of mentions in ten minutes each, of the latest ``span_ms``.

    Examples
    --------
    >>> pace = Pace(86_400_000)
    >>> for minute in range(1440):
    ...     pace.count(60_000 * minute)
    >>> at_once = [60_000 * (600 + i) for i in range(8)]
    >>> day = [150 * at for at in range(0, 500_000, 60_000)]
    >>> first, second = pace.chances(np.array(at_once + day), [8, len(day)])
    >>> first < 1e-9 < second
    True
    """

    def __init__(self, span_ms: int) -> None:
        self._span = span_ms // _BUCKET_MS
        self._counts = np.zeros(self._span, dtype=np.int64)  # a ring, by bucket
        self._before = self._counts  # mentions before each bucket
        self._first: int | None = None
        self._last = 0
        self._held = 0
        self._new = array("q")  # times that are not counted yet

    def count(self, at_ms: int) -> None:
        """Count a mention."""
        self._new.append(at_ms)
        if len(self._new) >= _MOST_NEW:
            self._settle()

    def _settle(self) -> None:
        """Count what came since."""
        if not self._new:
            return
        buckets = np.array(self._new) // _BUCKET_MS
        self._new = array("q")
        if self._first is None:
            self._first = int(buckets[0])
        last = max(self._last, int(buckets.max()))
        self._counts[np.arange(max(self._last, last - self._span) + 1, last + 1) % self._span] = 0
        self._last = last
        inside = buckets[buckets > last - self._span] % self._span
        self._counts += np.bincount(inside, minlength=self._span)
        self._held = int(self._counts.sum())
        order = np.arange(last - self._span + 1, last + 1) % self._span
        self._before = np.empty_like(self._counts)
        self._before[order] = np.cumsum(self._counts[order]) - self._counts[order]

    def chances(self, times_ms: Int64, sizes: Sequence[int]) -> list[float]:
        """How likely times lie as close somewhere if they are spread as all mentions are.

        Parameters
        ----------
        times_ms : int64[n]
            Of one thing after the other; ascending for each.
        sizes : sequence of int
            How many times each thing has.
        """
        self._settle()
        if self._first is None:
            return [1.0] * len(sizes)
        places, whole = self._places(times_ms).tolist(), self._whole()
        of, most, many, stretch = [], [], [], []
        end = 0
        for thing, size in enumerate(sizes):
            at, end = places[end : end + size], end + size
            close = size
            while close >= 2:
                of.append(thing)
                most.append(size)
                many.append(close)
                stretch.append(max(min(map(sub, at[close - 1 :], at)), 1.0) / whole)
                close //= 2
        chances = np.ones(len(sizes))
        if of:
            sized, needed = np.array(most), np.array(many)
            # of those after one of them, one less and more in a stretch as short
            found = sized * within(np.array(stretch), sized - 1, needed - 1)
            np.minimum.at(chances, of, found)
        least: list[float] = chances.tolist()
        return least

    def _places(self, times_ms: Int64) -> Float64:
        """How many mentions lie before each."""
        bucket, after_ms = np.divmod(times_ms, _BUCKET_MS)
        inside = (bucket > self._last - self._span) & (bucket <= self._last)
        at = bucket % self._span
        found: Float64 = (self._before[at] + self._counts[at] * after_ms / _BUCKET_MS) * inside
        return found

    def _whole(self) -> float:
        """A day's mentions; what was not seen of it counts as the rest."""
        first = max(self._last - self._span + 1, self._first or 0)
        return max(1.0, self._held * self._span / (self._last - first + 1))
