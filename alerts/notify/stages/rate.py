"""A limit on messages to a receiver; what is above it becomes one summary."""

from __future__ import annotations

_HOUR_MS = 3_600_000


class Rate:
    """A token bucket: so many messages an hour, all of them at once if need be.

    What finds no token waits for the next one, and everything that waits then goes out as one
    message.  The bucket is in memory: it is full after a restart.

    Parameters
    ----------
    per_hour : int

    Examples
    --------
    >>> rate = Rate(2)
    >>> [rate.take(0), rate.take(0), rate.take(0)]
    [True, True, False]
    >>> rate.next_ms(0)
    1800000
    """

    name = "rate limit"

    def __init__(self, per_hour: int) -> None:
        self._per_hour = per_hour
        self._tokens = float(per_hour)
        self._at_ms: int | None = None

    def available(self, now_ms: int) -> int:
        """How many messages may go out now."""
        if self._at_ms is not None and now_ms > self._at_ms:
            gained = (now_ms - self._at_ms) * self._per_hour / _HOUR_MS
            self._tokens = min(float(self._per_hour), self._tokens + gained)
        self._at_ms = max(now_ms, self._at_ms or now_ms)
        return int(self._tokens + 1e-9)

    def take(self, now_ms: int) -> bool:
        """Count a message, if there is room for one."""
        if self.available(now_ms) < 1:
            return False
        self._tokens -= 1
        return True

    def next_ms(self, now_ms: int) -> int:
        """When there is room for the next message."""
        lacking = max(1 - self._tokens, 0) if self.available(now_ms) < 1 else 0
        return now_ms + -(-int(lacking * _HOUR_MS) // self._per_hour)
