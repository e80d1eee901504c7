"""How much texts have in common, of all that they tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from models.records import Float32, UInt64

_LEAST_COMMON = 20.0  # bits
_BYTES = 4  # of a word
_ALIKE = 0.4  # of what two texts tell, how much they must share


class Text(Struct, eq=False, gc=False):
    """What a text says.

    Attributes
    ----------
    words : bytes
        uint32 each, ascending.
    bits : bytes
        How much each word tells, float32 each.
    tells : float
        Bits, in all.
    """

    words: bytes  # thousands are held, and an array takes more room and time than what is in it
    bits: bytes
    tells: float

    def alike(self, other: Text) -> float:
        """The same as `alike` of one pair, to the last digit; quicker for less than five."""
        mine = dict(self._told())
        common = 0.0
        for word, bits in other._told():
            if word in mine:
                common += min(mine[word], bits)
        every = self.tells + other.tells - common
        return common / every if common >= max(_LEAST_COMMON, _ALIKE * every) else 0.0

    def _told(self) -> Iterator[tuple[int, float]]:
        return zip(memoryview(self.words).cast("I"), memoryview(self.bits).cast("f"))


def alike(pairs: Sequence[tuple[Text, Text]]) -> list[float]:
    """How much of what two texts tell they share, of each pair; 0 if they are no near-duplicates.

    What a word tells is what it told when its text came.
    """
    mine, theirs = zip(*pairs)
    places = np.arange(len(pairs), dtype=np.uint64) << np.uint64(32)
    one, other = _words(mine, places), _words(theirs, places)
    at = one.searchsorted(other)
    at[at == len(one)] = 0
    shared = (one[at] == other).nonzero()[0]
    at, pair = at[shared], (other[shared] >> np.uint64(32)).astype(np.int64)
    bits, other_bits = _bits(mine), _bits(theirs)
    common = np.bincount(pair, np.minimum(bits[at], other_bits[shared]), len(pairs))
    every = np.array([a.tells + b.tells for a, b in pairs]) - common
    found = common / every
    found[common < np.maximum(_LEAST_COMMON, _ALIKE * every)] = 0.0
    shares: list[float] = found.tolist()
    return shares


def _words(texts: Sequence[Text], places: UInt64) -> UInt64:
    """The words of some texts, each behind the place of its text."""
    words = [text.words for text in texts]
    found: UInt64 = places.repeat([len(each) // _BYTES for each in words])
    found |= np.frombuffer(b"".join(words), np.uint32)
    return found


def _bits(texts: Sequence[Text]) -> Float32:
    return np.frombuffer(b"".join([text.bits for text in texts]), np.float32)
