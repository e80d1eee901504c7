"""How much is said of a brand."""

from __future__ import annotations

import msgspec


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """How much was said of a brand: mentions and negative ones of each step, the last ending now.

    Examples
    --------
    >>> talk = Talk(until_ms=0, step_min=30, mentions=(4, 0), negative=(1, 0))
    >>> talk.shares
    (0.25, None)
    """

    until_ms: int
    step_min: int
    mentions: tuple[int, ...]
    negative: tuple[int, ...]

    @property
    def shares(self) -> tuple[float | None, ...]:
        """The negative share of each step; None where nothing was said."""
        return tuple(n / all_ if all_ else None for n, all_ in zip(self.negative, self.mentions))
