"""How a brand's mentions are spread over a day, and whether something is spread otherwise.

What many people say of their own accord, such as a greeting or a question with set words, comes at
the pace of all mentions.  What is done together comes at once: a scan statistic (J. Naus, *JASA*
60, 1965) tells how likely as many of its times fall into so short a stretch by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import sub

from scipy.special import betainc

_BUCKET_MS = 600_000


class Pace:
    """Counts of mentions in ten minutes each, of the latest ``span_ms``.

    Examples
    --------
    >>> pace = Pace(86_400_000)
    >>> for minute in range(1440):
    ...     pace.count(60_000 * minute)
    >>> at_once = [60_000 * (600 + i) for i in range(8)]
    >>> pace.chance(at_once) < 1e-9 < pace.chance([150 * at for at in range(0, 500_000, 60_000)])
    True
    """

    def __init__(self, span_ms: int) -> None:
        self._span = span_ms // _BUCKET_MS
        self._counts: dict[int, int] = {}
        self._first: int | None = None
        self._last = 0
        self._held = 0
        self._before: dict[int, int] | None = None  # mentions before each bucket

    def count(self, at_ms: int) -> None:
        """Count a mention."""
        bucket = at_ms // _BUCKET_MS
        if bucket > self._last:
            self._forget(bucket)
        if self._first is None:
            self._first = bucket
        if bucket > self._last - self._span:
            self._counts[bucket] = self._counts.get(bucket, 0) + 1
            self._held += 1
            self._before = None

    def _forget(self, last: int) -> None:
        self._last = last
        for bucket in [b for b in self._counts if b <= last - self._span]:
            self._held -= self._counts.pop(bucket)

    def chance(self, times_ms: Sequence[int]) -> float:
        """How likely times lie as close somewhere if they are spread as all mentions are.

        Parameters
        ----------
        times_ms : sequence of int
            Ascending.
        """
        most = len(times_ms)
        if most < 2 or self._first is None:
            return 1.0
        at = [self._place(at_ms) for at_ms in times_ms]
        chance, many = 1.0, most
        while many >= 2:
            stretch = max(min(map(sub, at[many - 1 :], at)), 1.0) / self._whole()
            # of those after one of them, many - 1 and more in a stretch as short
            chance = min(chance, most * float(betainc(many - 1, most - many + 1, stretch)))
            many //= 2
        return chance

    def _place(self, at_ms: int) -> float:
        """How many mentions lie before."""
        bucket, within = divmod(at_ms, _BUCKET_MS)
        if self._before is None:
            self._before = {}
            before = 0
            for each in range(self._last - self._span, self._last + 1):
                self._before[each] = before
                before += self._counts.get(each, 0)
        here = self._counts.get(bucket, 0)
        return self._before.get(bucket, 0) + here * within / _BUCKET_MS

    def _whole(self) -> float:
        """A day's mentions; what was not seen of it counts as the rest."""
        first = max(self._last - self._span + 1, self._first or 0)
        return max(1.0, self._held * self._span / (self._last - first + 1))
