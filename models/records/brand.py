"""What is watched, and how sensitively."""

from __future__ import annotations

from typing import Literal

import msgspec

Sensitivity = Literal["sensitive", "balanced", "strict"]
ListName = Literal["allow", "block"]
# surprise (minus log10 of the chance on a usual day) from which a finding fires
SURPRISE_LINES: dict[Sensitivity, float] = {"sensitive": 3.6, "balanced": 4.0, "strict": 6.5}
# score from which an impostor is told of
IMPOSTOR_LINES: dict[Sensitivity, float] = {"sensitive": 0.4, "balanced": 0.5, "strict": 0.65}


class OfficialAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account the brand itself runs, where its platform id is known."""

    platform: str
    id: str
    handle: str | None = None
    name: str | None = None


class Holiday(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which the usual week does not hold; ``first`` and ``last`` are ISO dates."""

    name: str
    first: str
    last: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An account, by handle or by platform and id, or a domain that somebody has judged.

    Exactly one of ``handle``, ``account`` and ``domain`` is given.
    """

    owner: str
    reason: str
    handle: str | None = None
    platform: str | None = None
    account: str | None = None
    domain: str | None = None
    until_ms: int | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a brand's lists that was made while Nadhir ran, not in its configuration."""

    brand: str
    list: ListName
    listed: Listed


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched.  Built from the configuration; all strings as the user wrote them."""

    id: str
    names: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    accounts: tuple[OfficialAccount, ...] = ()
    domains: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("ar", "en")
    timezone: str = "UTC"
    weekend: tuple[int, ...] = (4, 5)  # Monday is 0; Friday and Saturday
    holidays: tuple[Holiday, ...] = ()
    sensitivity: Sensitivity = "balanced"
    help_url: str | None = None  # where customers learn more
    support_handle: str | None = None  # where customers get help
    allies: tuple[str, ...] = ()  # who never makes a group suspect (models.coordination.allies)
    allow: tuple[Listed, ...] = ()  # never flagged as impostors
    block: tuple[Listed, ...] = ()  # always flagged
