"""Rolling counts per minute, for all brands at once.

``CumulativeCounts`` keeps running totals by minute, so that any window is one subtraction;
``MinuteCounts`` keeps plain counts for series that are read seldom (brand by platform), and
``MinuteSums`` sums of amounts.
Rows are minutes modulo the ring's length; unsigned arithmetic may wrap, differences stay right.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from models.records import Int64, UInt32

Cells = npt.NDArray[np.unsignedinteger[Any]]

HOUR_MIN = 60
DAY_MIN = 1440
RING_MIN = DAY_MIN + 2 * HOUR_MIN  # a day's window, and room for what arrives late


class _Ring:
    """Rows of all series by minute; what is stored are the plain counts of single minutes."""

    cell: ClassVar[type[np.unsignedinteger[Any]]] = np.uint32

    def __init__(self, series: int) -> None:
        self.rows: Cells = np.zeros((RING_MIN, series), dtype=self.cell)
        self.now: int | None = None  # the latest minute that has a row
        self._dirty: set[int] = set()

    def _slots(self, first: int, last: int) -> list[slice]:
        """Where the rows of some minutes (at most a ring's worth) lie, in order."""
        start = first % RING_MIN
        stop = start + last - first + 1
        if stop <= RING_MIN:
            return [slice(start, stop)]
        return [slice(start, RING_MIN), slice(0, stop - RING_MIN)]

    def _mark(self, slots: list[slice]) -> None:
        for part in slots:
            self._dirty.update(range(part.start, part.stop))

    @property
    def series(self) -> int:
        """Number of series counted."""
        return int(self.rows.shape[1])

    def changes(self) -> list[tuple[str, bytes | None]]:
        """Counts of the minutes that changed since the last call, by slot."""
        pieces: list[tuple[str, bytes | None]] = [
            (str(slot), _packed(self._counts(slot))) for slot in sorted(self._dirty)
        ]
        if self.now is not None:
            pieces.append(("now", np.int64(self.now).tobytes()))
        self._dirty.clear()
        return pieces

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up stored counts."""
        for name, blob in pieces.items():
            if name == "now":
                self.now = int(np.frombuffer(blob, dtype=np.int64)[0])
            else:
                series, counts = np.frombuffer(blob, dtype=self.cell).reshape(2, -1)
                self.rows[int(name), series] = counts

    def _counts(self, slot: int) -> Cells:
        """What was counted in the minute of a slot."""
        counts: Cells = self.rows[slot]
        return counts

    def advance(self, minute: int) -> None:
        """Open rows up to ``minute``."""
        if self.now is None:
            self.now = minute
            self._dirty.add(minute % RING_MIN)
        if minute <= self.now:
            return
        fresh = self._fresh_row()
        slots = self._slots(max(self.now, minute - RING_MIN) + 1, minute)
        for part in slots:
            self.rows[part] = fresh
        self._mark(slots)
        self.now = minute

    def _fresh_row(self) -> Cells:
        """What a new minute begins with."""
        return np.zeros(self.series, dtype=self.cell)


class CumulativeCounts(_Ring):
    """Running totals per minute and series.

    Examples
    --------
    >>> counts = CumulativeCounts(2)
    >>> counts.add(np.array([100, 100, 103]), np.array([0, 0, 0]))
    >>> counts.window(np.array([103]), np.array([0]), 5).tolist()
    [3]
    """

    def _fresh_row(self) -> Cells:
        assert self.now is not None
        latest: Cells = self.rows[self.now % RING_MIN].copy()
        return latest

    def add(self, minutes: Int64, series: Int64) -> None:
        """Count one mention for each pair; minutes older than the ring are not counted."""
        if not len(minutes):
            return
        self.advance(int(minutes.max()))
        assert self.now is not None
        first = max(int(minutes.min()), self.now - RING_MIN + 1)
        span = self.now - first + 1
        at = (minutes - first) * self.series + series
        inc = np.bincount(at[at >= 0], minlength=span * self.series)
        inc = np.cumsum(inc.reshape(span, self.series), axis=0, dtype=np.uint32)
        done = 0
        for part in self._slots(first, self.now):
            self.rows[part] += inc[done : done + part.stop - part.start]
            done += part.stop - part.start
        self._dirty.update((np.unique(minutes[minutes >= first]) % RING_MIN).tolist())

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up stored counts; the totals begin anew with the oldest minute."""
        super().restore(pieces)
        if self.now is not None:
            order = np.arange(self.now + 1, self.now + 1 + RING_MIN) % RING_MIN
            self.rows[order] = np.cumsum(self.rows[order], axis=0, dtype=np.uint32)

    def advance(self, minute: int) -> None:
        """Open rows up to ``minute``."""
        before = self.now
        super().advance(minute)
        if self.now != before:
            self._dirty.add((minute + 1) % RING_MIN)  # stored as nought, whenever that is

    def _counts(self, slot: int) -> Cells:
        assert self.now is not None
        # of the oldest minute the total before it is gone; no window is so long that it matters
        if slot == (self.now + 1) % RING_MIN:
            return np.zeros(self.series, dtype=np.uint32)
        counts: Cells = self.rows[slot] - self.rows[slot - 1]
        return counts

    def total(self, minutes: Int64, series: Int64) -> UInt32:
        """Running totals at the end of each minute (present or past)."""
        assert self.now is not None
        totals: UInt32 = self.rows[np.minimum(minutes, self.now) % RING_MIN, series]
        return totals

    def window(self, minutes: Int64, series: Int64, width_min: int) -> UInt32:
        """Counts in the ``width_min`` minutes that end with each minute."""
        return self.total(minutes, series) - self.total(minutes - width_min, series)

    def row(self, minute: int) -> UInt32:
        """Running totals of every series at the end of a minute."""
        assert self.now is not None
        totals: UInt32 = self.rows[min(minute, self.now) % RING_MIN]
        return totals


class MinuteCounts(_Ring):
    """Plain counts per minute and series."""

    def add(self, minutes: Int64, series: Int64) -> None:
        """Count one mention for each pair; minutes older than the ring are not counted."""
        self._add(minutes, series, np.ones(len(minutes), dtype=np.int64))

    def _add(self, minutes: Int64, series: Int64, amounts: Int64) -> None:
        if not len(minutes):
            return
        self.advance(int(minutes.max()))
        assert self.now is not None
        young = minutes > self.now - RING_MIN
        slots = minutes[young] % RING_MIN
        at = slots * self.series + series[young]
        np.add.at(self.rows.reshape(-1), at, amounts[young].astype(self.cell))
        self._dirty.update(np.unique(slots).tolist())

    def window(self, minute: int, series: Int64, width_min: int) -> Int64:
        """Counts of some series in the ``width_min`` minutes that end with ``minute``."""
        assert self.now is not None
        last = min(minute, self.now)
        first = max(minute - width_min + 1, self.now - RING_MIN + 1)
        slots = np.arange(first, last + 1) % RING_MIN
        counts: Int64 = self.rows[np.ix_(slots, series)].sum(axis=0, dtype=np.int64)
        return counts


class MinuteSums(MinuteCounts):
    """Sums of amounts per minute and series, wide enough for reach.

    Examples
    --------
    >>> sums = MinuteSums(1)
    >>> sums.add_amounts(np.array([100, 102]), np.array([0, 0]), np.array([7_000_000_000, 5]))
    >>> sums.window(102, np.array([0]), 5).tolist()
    [7000000005]
    """

    cell = np.uint64

    def add_amounts(self, minutes: Int64, series: Int64, amounts: Int64) -> None:
        """Add amounts, none below nought; minutes older than the ring are left out."""
        self._add(minutes, series, amounts)


def _packed(counts: Cells) -> bytes:
    """The series that have counts, then their counts: of many brands few speak in a minute."""
    series = np.flatnonzero(counts)
    return np.concatenate([series.astype(counts.dtype), counts[series]]).tobytes()


def moved(piece: bytes, move: dict[int, int], slots: int = 1, *, sums: bool = False) -> bytes:
    """A stored minute for another list of brands, each with ``slots`` series.

    Parameters
    ----------
    move : dict of int to int
        New index of each old brand that stays.
    sums : bool
        The minute is one of ``MinuteSums``.
    """
    cell = (MinuteSums if sums else MinuteCounts).cell
    pairs = np.frombuffer(piece, dtype=cell).reshape(2, -1).T.tolist()
    stay = [(move[at // slots] * slots + at % slots, n) for at, n in pairs if at // slots in move]
    return np.array(sorted(stay), dtype=cell).reshape(-1, 2).T.tobytes()
