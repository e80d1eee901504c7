"""Cases: an alert with what is needed to go on with it, what it is about, and of which type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from alerts.records import Alert, Decision
from models.records import COORDINATION, RUMOUR, Signal

_COORDINATED_SHARE = 0.5  # of the negative mentions come from suspected groups
_RUMOUR_SHARE = 0.25  # of what is said is the rumour
_OUTAGE_SHARE = 0.25  # of the negative mentions speak of a failing service
FIGURES = frozenset(("volume", "negative_count", "negative_share"))
"""Kinds of signals that tell of a figure that rose."""

Key = tuple[str, str]
"""What a case is about: the brand, and the impostor or nothing."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An alert with what is needed to go on with it: the latest signal of each kind."""

    alert: Alert
    latest: dict[str, Signal]


def key_of(about: Signal | Alert) -> Key:
    """Which case a signal or alert belongs to."""
    return about.brand, about.subject or ""


@dataclass(slots=True)
class Outcome:
    """What a batch of signals changed: cases by alert id, decisions and news in order.

    ``news`` holds an alert each time something was added to its timeline: what is published.
    ``forgotten`` are impostors' cases to which nothing can be added any more.
    """

    cases: dict[str, Case] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    news: list[Alert] = field(default_factory=list)
    forgotten: list[Key] = field(default_factory=list)


def crisis_type(latest: Mapping[str, Signal], before: str | None = None) -> str:
    """Type of a crisis; it only becomes more specific."""
    negative = [s for s in latest.values() if s.kind in ("negative_count", "negative_share")]
    # who criticises is told by the figures where these rose, else by the group that was seen
    alone = COORDINATION in latest and not negative
    if (
        alone
        or before == "coordinated_criticism"
        or any((s.coordinated_share or 0.0) >= _COORDINATED_SHARE for s in negative)
    ):
        return "coordinated_criticism"
    rumour = latest.get(RUMOUR)
    main = rumour is not None and (
        not FIGURES & latest.keys() or (rumour.told_share or 0.0) >= _RUMOUR_SHARE
    )
    if main or before == "rumour":
        return "rumour"
    if before == "service_outage" or any(
        s.topics.get("outage", 0.0) >= _OUTAGE_SHARE for s in negative
    ):
        return "service_outage"
    return "negativity_spike" if negative or before == "negativity_spike" else "volume_spike"
