"""How much two texts have in common, of all that both tell."""

from __future__ import annotations

from msgspec import Struct

from models.records import Float32, UInt32

_LEAST_COMMON = 20.0  # bits
_ALIKE = 0.4  # of what two texts tell, how much they must share
_ROUNDING = 1e-6


class Text(Struct, eq=False, gc=False):
    """A text: its words, ascending, how much each tells, and keys of near-duplicates.

    Attributes
    ----------
    tells : float
        How much it tells in all, but for rounding.
    """

    words: UInt32
    bits: Float32
    bands: list[int]
    tells: float
    _weights: dict[int, float] | None = None
    _total: float = 0.0

    def equals(self, other: Text) -> bool:
        """Whether two texts have the same words; most that have not differ in a band."""
        return self.bands == other.bands and self.words.tobytes() == other.words.tobytes()

    def read(self) -> bool:
        """Make ready to be compared; whether it was not."""
        if self._weights is not None:
            return False
        self._weights = dict(zip(self.words.tolist(), self.bits.tolist()))
        return True

    def put_away(self) -> None:
        """Keep only what does not take much room."""
        self._weights = None

    def common(self, other: Text) -> set[int]:
        """The words that two texts share; none where these are too few for near-duplicates."""
        mine, theirs = self._weights, other._weights
        assert mine is not None
        both = mine.keys() & (other.words.tolist() if theirs is None else theirs.keys())
        most = sum(map(mine.__getitem__, both)) + _ROUNDING
        if most < _LEAST_COMMON or most < _ALIKE * (self.tells + other.tells - most):
            return set()
        return both

    def alike(self, other: Text, both: set[int]) -> float:
        """How much of what two texts tell they share, or 0 if they are not near-duplicates."""
        mine, theirs = self._weights, other._weights
        assert mine is not None
        assert theirs is not None
        common = sum(map(min, map(mine.__getitem__, both), map(theirs.__getitem__, both)))
        every = self._whole(mine) + other._whole(theirs) - common
        return common / every if common >= max(_LEAST_COMMON, _ALIKE * every) else 0.0

    def _whole(self, weights: dict[int, float]) -> float:
        if not self._total:
            self._total = sum(weights.values())
        return self._total
