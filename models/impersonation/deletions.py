"""Words by what is left of them without a letter or two (W. Garbe, SymSpell, 2012)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import combinations
from typing import Generic, TypeVar

import numpy as np

from models.records import Int64

T = TypeVar("T")


def deletions(word: str, depth: int) -> set[str]:
    """The word with up to so many letters left out.

    Examples
    --------
    >>> sorted(deletions("abc", 1))
    ['ab', 'abc', 'ac', 'bc']
    """
    keys = {word}
    for size in range(max(len(word) - depth, 1), len(word)):
        keys.update(map("".join, combinations(word, size)))
    return keys


class DeletionTable(Generic[T]):
    """What was put under keys, in a tenth of a dict's memory.

    Keys are hashes, so something may be found that does not have the key: whoever asks compares.
    """

    def __init__(self, things: list[T], hashes: Int64, owners: Int64) -> None:
        order = np.argsort(hashes)
        self._things = things
        self._hashes = hashes[order] if len(order) else np.zeros(1, dtype=np.int64)
        self._owners = owners[order].astype(np.int32)  # none of a hash that nobody has

    def find(self, keys: Iterable[str]) -> list[T]:
        """What has one of the keys, each once, in the order in which it was put."""
        hashes = np.fromiter(map(hash, keys), dtype=np.int64)
        first = np.searchsorted(self._hashes, hashes)
        hit = np.flatnonzero(self._hashes.take(first, mode="clip") == hashes)
        last = np.searchsorted(self._hashes, hashes[hit], "right")
        owners: set[int] = set()
        for start, end in zip(first[hit].tolist(), last.tolist()):
            owners.update(self._owners[start:end].tolist())
        return [self._things[owner] for owner in sorted(owners)]


class Deletions(Generic[T]):
    """Gathers what becomes a `DeletionTable`.

    Examples
    --------
    >>> gathered = Deletions[str]()
    >>> gathered.put(deletions("paypal", 2), "paypal")
    >>> gathered.table().find(deletions("paipall", 2))
    ['paypal']
    """

    def __init__(self) -> None:
        self._things: list[T] = []
        self._hashes, self._owners = array("q"), array("q")

    def put(self, keys: Iterable[str], thing: T) -> None:
        """Put a thing under some keys."""
        before = len(self._hashes)
        self._hashes.extend(map(hash, keys))
        self._owners.extend([len(self._things)] * (len(self._hashes) - before))
        self._things.append(thing)

    def table(self) -> DeletionTable[T]:
        """All that was put."""
        hashes, owners = (np.array(a, dtype=np.int64) for a in (self._hashes, self._owners))
        return DeletionTable(self._things, hashes, owners)
