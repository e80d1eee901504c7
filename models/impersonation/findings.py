"""What a detector of impersonation says of an account or link: brand, score, named reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log2
from typing import Literal

import msgspec

BALANCED = 0.5  # the score from which a finding counts at sensitivity ``balanced``


class Reason(msgspec.Struct, frozen=True):
    """One thing that speaks for impersonation (or, with a negative weight, against it).

    Attributes
    ----------
    code : str
        Stable; docs/models/impersonation.md lists them.
    weight : float
        Points: one alone, or as many in sum, are the balanced line.
    what : str
        What it was seen in.
    """

    code: str
    weight: float
    what: str = ""


class Suspect(msgspec.Struct, frozen=True, array_like=True):
    """What one mention says of an account or link that resembles a brand.

    Attributes
    ----------
    kind : {"account", "domain", "official"}
        ``official`` is no suspect but the profile of the brand's own account.
    who : str
        Platform and id (or handle) of an account, or a domain.
    points : float
        How much it is like the brand.
    reasons, intents : tuple of Reason
        Why, and what the text asks for.
    url : str or None
        The link as it was written.
    answered : int or None
        Key of the mention that this one replies to.
    victim : int or None
        Hash of the account that it addresses.
    biography, avatar : str or None
        Of an account, to be compared with the brand's own.
    """

    kind: Literal["account", "domain", "official"]
    who: str
    points: float = 0.0
    reasons: tuple[Reason, ...] = ()
    intents: tuple[Reason, ...] = ()
    url: str | None = None
    answered: int | None = None
    victim: int | None = None
    biography: str | None = None
    avatar: str | None = None


class Finding(msgspec.Struct, frozen=True):
    """The brand that is most likely imitated, or None; how sure; why."""

    brand: str | None = None
    score: float = 0.0
    reasons: tuple[Reason, ...] = ()


NOTHING = Finding()


def score_of(points: float) -> float:
    """Map points to 0..1: none gives 0, one 0.5, each further one halves what is missing.

    Examples
    --------
    >>> score_of(0), score_of(1), score_of(2), score_of(-1)
    (0.0, 0.5, 0.75, 0.0)
    """
    return round(1.0 - float(2.0 ** -max(points, 0.0)), 4)


def points_of(score: float) -> float:
    """Points that `score_of` maps to a score below 1.

    Examples
    --------
    >>> points_of(0.75), points_of(score_of(1.3))
    (2.0, 1.3)
    """
    return round(-log2(max(1.0 - score, 1e-4)), 2)


class Tally:
    """Reasons gathered for one brand; of a kind the weightiest counts."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = weights
        self.reasons: dict[str, Reason] = {}

    def add(self, code: str, what: str = "", factor: float = 1.0) -> None:
        """Note a reason; said twice, the weightier one is kept."""
        weight = round(self._weights[code] * factor, 3)
        if code not in self.reasons or abs(self.reasons[code].weight) < abs(weight):
            self.reasons[code] = Reason(code, weight, what[:80])

    def copy(self) -> Tally:
        """A tally with the same reasons, to be added to."""
        other = Tally(self._weights)
        other.reasons = dict(self.reasons)
        return other

    def points(self, best_of: Iterable[str] = ()) -> float:
        """Sum of the weights, where of the codes in ``best_of`` only the weightiest counts."""
        shared = frozenset(best_of)
        best = max((r.weight for r in self.reasons.values() if r.code in shared), default=0.0)
        return best + sum(r.weight for r in self.reasons.values() if r.code not in shared)

    def shown(self) -> tuple[Reason, ...]:
        """Reasons, the weightiest first."""
        return tuple(sorted(self.reasons.values(), key=lambda r: (-r.weight, r.code)))
