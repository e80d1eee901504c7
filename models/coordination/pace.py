"""How a brand's mentions are spread over a day, and whether something is spread otherwise.

What many people say of their own accord, such as a greeting or a question with set words, comes at
the pace of all mentions.  What is done together comes at once: a scan statistic (J. Naus, *JASA*
60, 1965) tells how likely as many of its times fall into so short a stretch by chance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import sub

import numpy as np

from models.coordination.chance import within

_BUCKET_MS = 600_000
_NEVER_MS = -1 << 62


class Pace:
    """Counts of mentions in ten minutes each, of the latest ``span_ms``.

    Examples
    --------
    >>> pace = Pace(86_400_000)
    >>> for minute in range(1440):
    ...     pace.count(60_000 * minute)
    >>> at_once = [60_000 * (600 + i) for i in range(8)]
    >>> day = [150 * at for at in range(0, 500_000, 60_000)]
    >>> first, second = pace.chances(at_once + day, [8, len(day)])
    >>> first < 1e-9 < second
    True
    """

    def __init__(self, span_ms: int) -> None:
        self._span = span_ms // _BUCKET_MS
        self._counts: deque[int] = deque([0] * self._span, self._span)  # up to the last
        self._first: int | None = None
        self._last = 0
        self._began_ms = _NEVER_MS  # the last

    def count(self, at_ms: int) -> None:
        """Count a mention."""
        if self._began_ms <= at_ms < self._began_ms + _BUCKET_MS:
            self._counts[-1] += 1
            return
        bucket = at_ms // _BUCKET_MS
        if self._first is None:
            self._first = bucket
        if bucket > self._last:
            self._counts.extend([0] * min(bucket - self._last, self._span))
            self._last, self._began_ms = bucket, bucket * _BUCKET_MS
        after = bucket - self._last - 1
        if after >= -self._span:
            self._counts[after] += 1

    def chances(self, times_ms: Iterable[int], sizes: Sequence[int]) -> list[float]:
        """How likely times lie as close somewhere if they are spread as all mentions are.

        Parameters
        ----------
        times_ms : iterable of int
            Of one thing after the other; ascending for each.
        sizes : sequence of int
            How many times each thing has.
        """
        if self._first is None:
            return [1.0] * len(sizes)
        places, whole = self._places(times_ms), self._whole()
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

    def _places(self, times_ms: Iterable[int]) -> list[float]:
        """How many mentions lie before each."""
        counts = list(self._counts)
        before, began = [0, *accumulate(counts)], self._last - self._span + 1
        places = []
        for at_ms in times_ms:
            bucket, after_ms = divmod(at_ms, _BUCKET_MS)
            at = bucket - began
            inside = 0 <= at < self._span
            places.append(before[at] + counts[at] * after_ms / _BUCKET_MS if inside else 0.0)
        return places

    def _whole(self) -> float:
        """A day's mentions; what was not seen of it counts as the rest."""
        first = max(self._last - self._span + 1, self._first or 0)
        return max(1.0, sum(self._counts) * self._span / (self._last - first + 1))
