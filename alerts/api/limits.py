"""How often somebody may ask: a token bucket each, in memory, of bounded number."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_BUCKETS = 10_000


class Limits:
    """Buckets by key; each holds a minute's requests and fills at that rate.

    Parameters
    ----------
    per_min : int
    clock : callable
        Seconds, never going back.

    Examples
    --------
    >>> now = [0.0]
    >>> limits = Limits(2, lambda: now[0])
    >>> [limits.wait_s("amal") for _ in range(3)]
    [0, 0, 30]
    >>> now[0] = 30.0
    >>> limits.wait_s("amal")
    0
    """

    def __init__(self, per_min: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(per_min)
        self._per_s = per_min / 60
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # left, as of
        self._lock = threading.Lock()

    def wait_s(self, key: str) -> int:
        """Take one request; 0 if it may go on, else the seconds to wait."""
        now = self._clock()
        with self._lock:
            left, at = self._buckets.pop(key, (self._most, now))
            left = min(self._most, left + (now - at) * self._per_s)
            allowed = left >= 1
            self._buckets[key] = (left - 1 if allowed else left, now)
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)  # the one that asked the longest ago
        return 0 if allowed else max(1, round((1 - left) / self._per_s))
