"""How many mentions to take at a time, so that scoring stays short whatever the model costs."""

from __future__ import annotations

_FIRST = 64
_TARGET_MS = 1_000


class Pace:
    """Grows while scoring is quick, shrinks when it was slow; changes no result.

    A loop that takes too much cannot stop, store or answer its broker meanwhile: the shipped model
    reads 4,096 mentions in milliseconds, a transformer may need minutes.

    Parameters
    ----------
    largest : int
        The most to take, however fast it goes.

    Attributes
    ----------
    most : int
        How many to take next.

    Examples
    --------
    >>> pace = Pace(4096)
    >>> pace.took(64, 2_000)
    >>> pace.most
    32
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self.most = min(_FIRST, largest)

    def took(self, count: int, duration_ms: int) -> None:
        """Learn how long ``count`` of them took."""
        if duration_ms > _TARGET_MS:
            self.most = max(1, min(self.most, count) * _TARGET_MS // duration_ms)
        elif count >= self.most and duration_ms < _TARGET_MS // 2:
            self.most = min(self._largest, 2 * self.most)
