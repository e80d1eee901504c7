"""One order of event time out of many partitions, whichever worker read which, and when.

An observation waits until every partition of mentions has come as far: until it has brought
something later, or was seen empty a little after the observation was scored.  A partition whose
reader died says neither, so its mentions are waited for and cannot come too late.  What is
released is sorted by time, so that the stage sees the same stream however it was cut and mixed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.impersonation.findings import Suspect
from models.language import LANGUAGES
from models.records import Int64, Observations
from streams.kafka.packing import ROW, Record, Rows

_NEVER = np.iinfo(np.int64).min
_MARK = -1
_HELD = np.dtype(
    [
        *ROW.descr,
        ("scored_ms", "<i8"),
        ("arrived_ms", "<i8"),
        ("offset", "<i8"),
        ("at", "<i8"),
    ]
)


class Merge:
    """Observations of one partition of brands, held back until their order is known.

    Parameters
    ----------
    brands : sequence of str
        Ids of the brands, by index in what is released.
    partitions : int
        Partitions of mentions.
    settle_ms : int
        So long after an observation was scored a partition must have been empty to be done with.
    most : int
        Observations held at most; then the earliest half goes on whatever may still come.
    """

    def __init__(
        self, brands: Sequence[str], partitions: int, settle_ms: int, most: int = 200_000
    ) -> None:
        self._index = {brand: i for i, brand in enumerate(brands)}
        self._settle_ms = settle_ms
        self._most = most
        self._high = np.full(partitions, _NEVER)
        self._empty = np.full(partitions, _NEVER)
        self._rows: Rows = np.empty(0, dtype=_HELD)
        self._new: list[Rows] = []  # added since the last release
        self._platforms: list[str] = []
        self._evidence: list[bytes] = []
        self._suspects: dict[int, tuple[Suspect, ...]] = {}  # as few mentions have, by "at"
        self._last = -1
        # of what was released last: when it came, in the same order
        self.arrived_ms: Int64 = np.empty(0, dtype=np.int64)
        self.unknown = 0  # observations of brands that are not watched here
        self.forced = 0  # observations that went on before their order was known

    def __len__(self) -> int:
        """Observations and marks that are held."""
        return len(self._rows) + sum(map(len, self._new))

    @property
    def done(self) -> int:
        """Offset up to which nothing is held any more; -1 before the first record."""
        least = self._last + 1
        for rows in (self._rows, *self._new):
            least = int(rows["offset"].min(initial=least))
        return least - 1

    def add(self, offset: int, record: Record) -> None:
        """Take in the record at an offset."""
        self._last = max(self._last, offset)
        index = np.array([self._index.get(b, _MARK) for b in record.brands], dtype=np.int64)
        brand = index[record.rows["brand"]] if len(index) else np.empty(0, dtype=np.int64)
        known = np.flatnonzero(brand != _MARK)
        self.unknown += len(brand) - len(known)
        marks = [mark for each in record.slices for mark in each.marks]
        rows = np.zeros(len(known) + len(marks), dtype=_HELD)
        for name in ROW.names or ():
            rows[name][: len(known)] = record.rows[name][known]
        rows["brand"][: len(known)] = brand[known]
        rows["at"][: len(known)] = len(self._evidence) + np.arange(len(known))
        rows["brand"][len(known) :] = _MARK
        rows["published_ms"][len(known) :] = marks
        rows["scored_ms"], rows["offset"] = record.scored_ms, offset
        rows["arrived_ms"] = record.arrived_ms or record.scored_ms
        names = record.rows["platform"][known].tolist()
        self._platforms += [record.platforms[i] for i in names]
        if record.suspects:
            first = len(self._evidence)
            for i, row in enumerate(known.tolist()):
                if row in record.suspects:
                    self._suspects[first + i] = record.suspects[row]
        self._evidence += [record.evidence[i] for i in known.tolist()]
        self._new.append(rows)
        for each in record.slices:
            if each.high_ms is not None:
                self._high[each.partition] = max(self._high[each.partition], each.high_ms)
            if each.empty_ms is not None:
                self._empty[each.partition] = max(self._empty[each.partition], each.empty_ms)

    def skip(self, offset: int) -> None:
        """Pass over a record that could not be read."""
        self._last = max(self._last, offset)

    @property
    def empty_ms(self) -> int:
        """By the clock, when every partition was last seen empty."""
        return int(self._empty.min())

    def release(self) -> Observations | None:
        """What may go on now, in order; ``None`` if nothing may."""
        if not len(self):
            return None
        self._rows = np.concatenate([self._rows, *self._new])
        self._new.clear()
        # a mark comes before what it announces
        rows = self._rows[np.lexsort([self._rows[c] for c in ("key", "brand", "published_ms")])]
        order = np.ones(len(rows), dtype=np.bool_)
        for high, empty in zip(self._high, self._empty):
            order &= (rows["published_ms"] < high) | (rows["scored_ms"] + self._settle_ms <= empty)
        upto = len(rows) if order.all() else int(np.argmin(order))
        if len(rows) - upto > self._most:
            self.forced += len(rows) // 2 - upto
            upto = len(rows) // 2
        if not upto:
            return None
        released = self._observations(rows[:upto])
        self.arrived_ms = rows["arrived_ms"][:upto].copy()
        self._keep(rows[upto:])
        return released

    def _observations(self, rows: Rows) -> Observations:
        here = (rows["brand"] != _MARK).tolist()
        at = rows["at"].tolist()
        return Observations(
            brand=rows["brand"].astype(np.int64),
            published_ms=rows["published_ms"].copy(),
            key=rows["key"].copy(),
            platform=[self._platforms[i] if real else "" for i, real in zip(at, here)],
            label=rows["label"].copy(),
            negative=rows["negative"].copy(),
            positive=rows["positive"].copy(),
            reach=rows["reach"].copy(),
            own=rows["own"].copy(),
            lang=[LANGUAGES[code] for code in rows["lang"].tolist()],
            mention=[self._evidence[i] if real else b"" for i, real in zip(at, here)],
            suspects={
                row: self._suspects[i]
                for row, (i, real) in enumerate(zip(at, here))
                if real and i in self._suspects
            }
            if self._suspects
            else {},
        )

    def _keep(self, rows: Rows) -> None:
        real = np.flatnonzero(rows["brand"] != _MARK)
        at: Int64 = rows["at"][real]
        self._platforms = [self._platforms[i] for i in at.tolist()]
        self._evidence = [self._evidence[i] for i in at.tolist()]
        if self._suspects:
            held = self._suspects
            self._suspects = {j: held[i] for j, i in enumerate(at.tolist()) if i in held}
        rows["at"][real] = np.arange(len(real))
        self._rows = rows
