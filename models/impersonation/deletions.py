"""Words by what is left of them without a letter or two (W. Garbe, SymSpell, 2012)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from typing import Generic, TypeVar

import numpy as np

from models.records import Int64, UInt64

T = TypeVar("T")
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
_INVERSE = pow(_BASE, -1, 1 << 64)
_BITS_A_HASH = 8  # one in so many is looked up in vain
_PADS = 2  # letters of no weight at a word's end: to leave them out leaves nothing out


def deletions(word: str) -> set[str]:
    """The word itself, and with each letter left out.

    Examples
    --------
    >>> sorted(deletions("abc"))
    ['ab', 'abc', 'ac', 'bc']
    """
    return {word, *map("".join, combinations(word, len(word) - 1))} if len(word) > 1 else {word}


class DeletionTable(Generic[T]):
    """What has a word, by every form of it with up to two letters left out.

    Forms are hashed by polynomials, whose prefix sums leave letters out of all words at once.
    Something may be found by a hash alone: whoever asks compares.

    Parameters
    ----------
    things : iterable of (str, T)
        Each with its word.

    Examples
    --------
    >>> DeletionTable([("paypal", 1), ("netflix", 2)]).find(["paipall", "nettlex", "xyz"])
    [[1], [2], []]
    """

    def __init__(self, things: Iterable[tuple[str, T]]) -> None:
        put = list(things)
        self._things = [thing for _, thing in put]
        hashes, owners = _forms([word for word, _ in put])
        order = np.lexsort((owners, hashes))
        hashes, owners = hashes[order], owners[order]
        new = np.ones(len(hashes), dtype=np.bool_)
        new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        self._hashes, self._owners = hashes[new], owners[new].astype(np.int32)
        size = max(10, (_BITS_A_HASH * len(self._hashes)).bit_length())
        self._shift = np.uint64(64 - size)
        self._table = np.zeros(1 << size, dtype=np.bool_)  # rules out most, and fits a cache
        self._table[self._hashes >> self._shift] = True

    def find(self, words: Sequence[str]) -> list[list[T]]:
        """Of each word what shares a form with it, each once, in the order in which it was put."""
        if not words or not len(self._hashes):
            return [[] for _ in words]
        hashes, askers = _forms(words)
        likely = np.flatnonzero(self._table[hashes >> self._shift])
        hashes, askers = hashes[likely], askers[likely]
        first = np.searchsorted(self._hashes, hashes)
        hit = np.flatnonzero(self._hashes.take(first, mode="clip") == hashes)
        starts = first[hit]
        counts = np.searchsorted(self._hashes, hashes[hit], "right") - starts
        at = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        pairs = np.repeat(askers[hit], counts) * len(self._things) + self._owners[at]
        found: list[list[T]] = [[] for _ in words]
        for pair in np.unique(pairs).tolist():
            asker, owner = divmod(pair, len(self._things))
            found[asker].append(self._things[owner])
        return found


def _forms(words: Sequence[str]) -> tuple[UInt64, Int64]:
    """Hashes of what is left of the words, and the index of the word of each.

    Letters before the first one left out keep their powers of the base, those after it go one
    down, and those after the second two.
    """
    width = max(map(len, words), default=0) + _PADS
    padded = "".join(word.ljust(width, "\0") for word in words)
    encoded = padded.encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(encoded, dtype=np.uint32).reshape(len(words), width)
    sums = np.zeros((len(words), width + 1), dtype=np.uint64)
    np.cumsum(codes * _powers(width), axis=1, out=sums[:, 1:])
    sizes = [len(word) for word in words]
    counts = [len(_pairs(size)[0]) for size in sizes]
    owners = np.repeat(np.arange(len(words)), counts)
    rows = owners * (width + 1)
    one = rows + np.concatenate([_pairs(size)[0] for size in sizes] or [owners])
    two = rows + np.concatenate([_pairs(size)[1] for size in sizes] or [owners])
    flat, once = sums.ravel(), np.uint64(_INVERSE)
    after = flat[rows + width] - flat[two + 1]
    hashes: UInt64 = flat[one] + (flat[two] - flat[one + 1] + after * once) * once
    return hashes, owners


@cache
def _pairs(size: int) -> tuple[Int64, Int64]:
    """Which two letters are left out of a word of so many, pads among them."""
    first, second = np.triu_indices(size + _PADS, 1)
    return first, second


@cache
def _powers(count: int) -> UInt64:
    return np.cumprod(np.array([1] + [_BASE] * (count - 1), dtype=np.uint64), dtype=np.uint64)
