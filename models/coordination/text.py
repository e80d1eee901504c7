"""How much two texts have in common, of all that both tell."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from models.records import Float32, UInt32

_LEAST_COMMON, _MOST_BITS = 20.0, 8.0
_ALIKE = 0.4  # of what two texts tell, how much they must share


class Text(Struct, eq=False, gc=False):
    """A text: its words, ascending, how much each tells, and keys of near-duplicates."""

    words: UInt32
    bits: Float32
    bands: list[int]
    _weights: dict[int, float] | None = None
    _total: float = 0.0

    def equals(self, other: Text) -> bool:
        """Whether two texts have the same words; most that have not differ in a band."""
        return self.bands == other.bands and np.array_equal(self.words, other.words)

    def read(self) -> bool:
        """Make ready to be compared; whether it was not."""
        if self._weights is not None:
            return False
        self._weights = dict(zip(self.words.tolist(), self.bits.tolist()))
        self._total = sum(self._weights.values())
        return True

    def put_away(self) -> None:
        """Keep only what does not take much room."""
        self._weights = None

    def alike(self, other: Text) -> float:
        """How much of what two texts tell they share, or 0 if they are not near-duplicates."""
        mine, theirs = self._weights, other._weights
        assert mine is not None
        assert theirs is not None
        both = mine.keys() & theirs.keys()
        if len(both) * _MOST_BITS < _LEAST_COMMON:
            return 0.0
        common = sum(map(min, map(mine.__getitem__, both), map(theirs.__getitem__, both)))
        every = self._total + other._total - common
        return common / every if common >= max(_LEAST_COMMON, _ALIKE * every) else 0.0
