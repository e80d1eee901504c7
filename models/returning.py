"""Accounts that come back on another day, remembered in a fixed number of bits.

Bloom filters of the days gone by, of this week and the last (B. Bloom, *Space/Time Trade-offs in
Hash Coding with Allowable Errors*, CACM 13, 1970).
"""

from __future__ import annotations

_FILTER_BITS = 17
_FILTER_DAYS = 7


class Returning:
    """Which accounts there were on earlier days of this week or the last; never too few.

    Takes 48 KiB.  Of a thousand accounts a day about one in a hundred is wrongly taken for one that
    came back, of three thousand one in ten, of ten
    thousand every second.

    Parameters
    ----------
    bits : int
        Binary logarithm of a filter's bits; two fewer take a quarter of the room, for a quarter of
        the accounts.

    Examples
    --------
    >>> seen = Returning()
    >>> [seen.back(7, day) for day in (1, 1, 2, 30)]
    [False, False, True, False]
    """

    def __init__(self, bits: int = _FILTER_BITS) -> None:
        self._day = 0
        self._turned = 0
        self._mask = (1 << bits) - 1
        self._today, self._week, self._last = (bytearray(1 << bits - 3) for _ in range(3))

    def snapshot(self) -> tuple[int, int, bytes, bytes, bytes]:
        """All that is remembered."""
        return self._day, self._turned, bytes(self._today), bytes(self._week), bytes(self._last)

    def restore(self, stored: tuple[int, int, bytes, bytes, bytes]) -> None:
        """Take up a snapshot of a filter of the same size."""
        self._day, self._turned = stored[:2]
        self._today, self._week, self._last = map(bytearray, stored[2:])

    def back(self, key: int, day: int) -> bool:
        """Whether an account was there on an earlier day; it is there now."""
        if day > self._day:
            self._turn(day)
        one, other = key & self._mask, key >> 32 & self._mask
        at, bit, to, mark = one >> 3, 1 << (one & 7), other >> 3, 1 << (other & 7)
        self._today[at] |= bit
        self._today[to] |= mark
        week, last = self._week, self._last
        return bool((week[at] & bit and week[to] & mark) or (last[at] & bit and last[to] & mark))

    def _turn(self, day: int) -> None:
        size = len(self._today)
        both = int.from_bytes(self._week, "big") | int.from_bytes(self._today, "big")
        self._week, self._today = bytearray(both.to_bytes(size, "big")), bytearray(size)
        self._day = day
        if day - self._turned >= _FILTER_DAYS:
            long_ago = day - self._turned >= 2 * _FILTER_DAYS
            self._last = bytearray(size) if long_ago else self._week
            self._week, self._turned = bytearray(size), day
