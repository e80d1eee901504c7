"""Things and who shared them, as columns: what is computed of a whole window at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np

from models.coordination.trace import ACCOUNT, ALIKE, FIRST_MS, TIMES, WIDTH, Trace
from models.records import Bool, Int64

HOUR_MS = 3_600_000


class Table:
    """Things and who shared them, an entry for each account of each thing.

    Entries stand in the order of the things, and of one thing in that of time.

    Parameters
    ----------
    traces : sequence of Trace
        The things; a trace may stand for several, runs of it.
    of : int64[n]
        The thing of each entry, ascending.
    rows : int64[n, WIDTH]
        What a trace keeps of each account.
    """

    def __init__(self, traces: Sequence[Trace], of: Int64, rows: Int64) -> None:
        self.traces, self.of, self.rows = traces, of, rows
        self._index: tuple[Int64, Int64] | None = None
        self.sizes = np.bincount(of, minlength=len(traces))
        self.whole = self.sizes  # in the table that this one was taken from

    @classmethod
    def of_entries(cls, parts: Sequence[tuple[Trace, Sequence[int]]]) -> Table:
        """What some accounts did with some things.

        Parameters
        ----------
        parts : sequence of (Trace, sequence of int)
            A thing, and which of its entries they are, in order of time.
        """
        sizes = [len(trace.rows) // WIDTH for trace, _ in parts]
        begins = accumulate(sizes, initial=0)
        at = [begin + i for (_, entries), begin in zip(parts, begins) for i in entries]
        of = np.repeat(np.arange(len(parts)), [len(entries) for _, entries in parts])
        rows = np.frombuffer(b"".join([trace.rows for trace, _ in parts]), np.int64)
        rows = rows.reshape(-1, WIDTH)[np.array(at, dtype=np.int64)]
        return cls([trace for trace, _ in parts], of, rows)

    def __len__(self) -> int:
        return len(self.traces)

    def _indexed(self) -> tuple[Int64, Int64]:
        if self._index is None:
            self._index = np.unique(self.rows[:, ACCOUNT], return_inverse=True)
        return self._index

    @property
    def known(self) -> Int64:
        """Accounts, ascending; of a table taken from another one, perhaps more than its own."""
        return self._indexed()[0]

    @property
    def who(self) -> Int64:
        """The place of each entry's account in ``known``."""
        return self._indexed()[1]

    @property
    def first_ms(self) -> Int64:
        """When the account of each entry shared the thing first."""
        return self.rows[:, FIRST_MS]

    def of_accounts(self, members: Iterable[int]) -> Bool:
        """Which entries are of some accounts."""
        inside = np.zeros(len(self.known) + 1, dtype=np.bool_)
        some = np.fromiter(members, np.int64)
        at = np.searchsorted(self.known, some)
        at[np.append(self.known, -1)[at] != some] = len(self.known)
        inside[at] = True
        found: Bool = inside[self.who]
        return found

    def shared(self, entries: Bool) -> Table:
        """What at least two of some entries share, with these alone."""
        kept = np.bincount(self.of[entries], minlength=len(self)) > 1
        taken = np.flatnonzero(entries & kept[self.of])
        of = (np.cumsum(kept) - 1)[self.of[taken]]
        table = self.taken(taken, of, np.flatnonzero(kept).tolist())
        table.whole = self.sizes[kept]
        return table

    def taken(self, entries: Int64, of: Int64, things: Sequence[int]) -> Table:
        """Some entries, as those of other things."""
        traces = [self.traces[at] for at in things]
        table = Table(traces, of, self.rows[entries])
        if self._index is not None:
            table._index = self.known, self.who[entries]
        return table

    def posts(self) -> Int64:
        """How often each thing was shared."""
        return np.bincount(self.of, self.rows[:, TIMES], len(self)).astype(np.int64)

    def likest(self) -> Int64:
        """Of each account, how much its likest copy has in common with the first."""
        best = np.zeros(len(self.known), dtype=np.int64)
        np.maximum.at(best, self.who, self.rows[:, ALIKE])
        return best

    def gaps_ms(self) -> Int64:
        """Time between those who shared the same thing one after the other."""
        gaps: Int64 = np.diff(self.first_ms)[self.of[1:] == self.of[:-1]]
        return gaps

    def densest(self) -> Int64:
        """The most accounts of each thing within an hour."""
        at = _places(self.of, self.first_ms)
        most: Int64 = np.maximum.reduceat(densest_of(at), np.cumsum(self.sizes) - self.sizes)
        return most


def densest_of(times_ms: Int64) -> Int64:
    """How many of some times, ascending, lie in the hour that ends with each."""
    return np.arange(1, len(times_ms) + 1) - np.searchsorted(times_ms, times_ms - HOUR_MS)


def _places(of: Int64, at_ms: Int64) -> Int64:
    """Moments of different things so far apart that they cannot be taken for one thing's."""
    began_ms = int(at_ms.min())
    return of * (int(at_ms.max()) - began_ms + HOUR_MS + 1) + (at_ms - began_ms)
