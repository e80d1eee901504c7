"""How much texts have in common, of all that they tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from models.records import Float32, UInt32

_LEAST_COMMON = 20.0  # bits
_ALIKE = 0.4  # of what two texts tell, how much they must share


class Text(Struct, eq=False, gc=False):
    """A text: its words, ascending, how much each tells, and how much it tells in all."""

    words: UInt32
    bits: Float32
    tells: float

    def equals(self, other: Text) -> bool:
        """Whether two texts have the same words."""
        one, two = self.words, other.words
        return len(one) == len(two) and one.tobytes() == two.tobytes()

    def alike(self, other: Text) -> float:
        """The same as `alike` of one pair, to the last digit; quicker for less than five."""
        mine = dict(zip(self.words.tolist(), self.bits.tolist()))
        common = 0.0
        for word, bits in zip(other.words.tolist(), other.bits.tolist()):
            if word in mine:
                common += min(mine[word], bits)
        every = self.tells + other.tells - common
        return common / every if common >= max(_LEAST_COMMON, _ALIKE * every) else 0.0


def alike(pairs: Sequence[tuple[Text, Text]]) -> list[float]:
    """How much of what two texts tell they share, of each pair; 0 if they are no near-duplicates.

    What a word tells is what it told when its text came.
    """
    mine, theirs = zip(*pairs)
    places = np.arange(len(pairs), dtype=np.uint64) << np.uint64(32)
    many, others = ([len(text.words) for text in side] for side in (mine, theirs))
    one = places.repeat(many)
    one |= np.concatenate([text.words for text in mine])
    other = places.repeat(others)
    other |= np.concatenate([text.words for text in theirs])
    at = one.searchsorted(other)
    at[at == len(one)] = 0
    shared = (one[at] == other).nonzero()[0]
    at, pair = at[shared], (other[shared] >> np.uint64(32)).astype(np.int64)
    bits, other_bits = (np.concatenate([text.bits for text in side]) for side in (mine, theirs))
    common = np.bincount(pair, np.minimum(bits[at], other_bits[shared]), len(pairs))
    every = np.array([a.tells + b.tells for a, b in pairs]) - common
    found = common / every
    found[common < np.maximum(_LEAST_COMMON, _ALIKE * every)] = 0.0
    shares: list[float] = found.tolist()
    return shares
