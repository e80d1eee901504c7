"""Which of the texts that are held a new one is a near-duplicate of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from models.coordination.held import Held
from models.coordination.text import Text, alike
from models.coordination.traces import BANDS
from models.records import Int64, UInt64

_SAME = 0.7
_PLACES = 8  # at least, for each key
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


class _Met(Struct, eq=False, gc=False):
    """What a text that is not held yet shares keys with.

    Attributes
    ----------
    same : int
        The number of a text with the same words; 0 if there is none.
    numbers : iterable of int
        Of texts, in the order of its keys.
    shares : dict
        How much it has in common with texts, as far as that is known.
    """

    said: Text
    same: int
    numbers: Iterable[int]
    shares: dict[Text, float]


class Copies:
    """Texts by the keys of near-duplicates that they have.

    Each key has its place, and the latest text has the place: of two keys in one, the elder is
    forgotten.  Texts are numbered as they come and go in that order.  They are read several at a
    time, then held one by one.

    Parameters
    ----------
    capacity : int
        How many texts are held at most.
    """

    def __init__(self, capacity: int) -> None:
        room = 1 << (_PLACES * BANDS * capacity - 1).bit_length()
        self._last_place = np.uint64(room - 1)
        # half of a key, and half of the number of the text that has it
        self._places: UInt64 = np.zeros(room, np.uint64)
        self._held: dict[int, Held] = {}
        self._read: deque[_Met | None] = deque()
        self._last = self._gone = 0  # numbers

    def __len__(self) -> int:
        return int(np.count_nonzero(self._alive(self._places)))

    def read(self, texts: Sequence[Text], bands: UInt64) -> None:
        """Compare texts with those that are held, and with those of them that come before."""
        if self._read:  # a turn that an error cut off
            self._last -= len(self._read)
            self._read.clear()
        first = self._last + 1
        met = self._met(bands.reshape(-1), first).reshape(-1, BANDS)
        self._last += len(texts)
        read: list[_Met] = []
        for said, numbers in zip(texts, met.tolist()):
            if any(numbers):
                one = _Met(said, 0, dict.fromkeys(filter(None, numbers)), {})
                self._read.append(one)
                if not self._expect(one, texts, first):
                    read.append(one)
            else:
                self._read.append(None)
        pairs = [(one.said, other) for one in read for other in one.shares]
        if pairs:
            shares = iter(alike(pairs))
            for one in read:
                one.shares = dict(zip(one.shares, shares))

    def _expect(self, one: _Met, texts: Sequence[Text], first: int) -> bool:
        """Find out which texts one is to be compared with; none if there is the same."""
        for number in one.numbers:
            if number >= first:
                other = texts[number - first]
            else:
                held = self._held[number]
                other = _text(held)
                if held.trace is not None and held.trace.text is not None:
                    one.shares[held.trace.text] = 0.0
            if one.said.words == other.words:
                one.same = number
                one.shares = {}
                return True
            one.shares[other] = 0.0
        return False

    def _met(self, keys: UInt64, first: int) -> Int64:
        """The number of the text that each key finds, 0 for none; then they have their places."""
        at = (keys & self._last_place).astype(np.int64)
        there = self._places[at]
        met = np.where((there ^ keys) >> _HALF == 0, self._alive(there), 0)
        numbers = np.arange(first, first + len(keys) // BANDS).repeat(BANDS)
        # those that come to the place of one before them, as if they came one by one
        order = at.argsort(kind="stable")
        ordered = at[order]
        again = (ordered[1:] == ordered[:-1]).nonzero()[0]
        if len(again):
            one, before = order[again + 1], order[again]
            found = ((keys[one] ^ keys[before]) >> _HALF == 0) & (numbers[one] != numbers[before])
            met[one] = np.where(found, numbers[before], 0)
        # of several the last stays
        self._places[at] = (keys & ~_LOW) | (numbers.astype(np.uint64) & _LOW)
        return met

    def _alive(self, there: UInt64) -> Int64:
        """The numbers of the texts that have some places; 0 where these are not held any more."""
        age = ((there - np.uint64(self._gone)) & _LOW).astype(np.int64)
        held = (age > 0) & (age <= self._last - self._gone) & (there != 0)
        return np.where(held, self._gone + age, 0)

    def hold(self, held: Held) -> tuple[Held | None, float]:
        """Hold the next of the texts that were read.

        Returns
        -------
        (Held or None, float)
            The near-duplicate that has most in common with it, and how much that is.
        """
        met = self._read.popleft()
        found = self._likest(met) if met else (None, 0.0)
        self._held[self._last - len(self._read)] = held
        return found

    def let_go(self) -> None:
        """Forget the text that was held first."""
        self._gone += 1
        del self._held[self._gone]

    def _likest(self, met: _Met) -> tuple[Held | None, float]:
        same = self._held.get(met.same)
        if same is not None:
            return same, 1.0
        best, most = None, 0.0
        for number in met.numbers:
            other = self._held.get(number)
            if other is None:
                continue
            share = _share(met, _text(other))
            if share < _SAME and other.trace is not None and other.trace.text is not None:
                # a chain of changes would join what is different
                share = _share(met, other.trace.text)
            if share > most:
                best, most = other, share
        return best, most


def _share(met: _Met, other: Text) -> float:
    """How much is in common; a trace may just have begun, and the same text just gone."""
    share = met.shares.get(other)
    if share is None:
        share = met.shares[other] = met.said.alike(other)
    return share


def _text(held: Held) -> Text:
    assert held.said is not None  # it has keys
    return held.said
