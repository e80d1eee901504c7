"""A finding of a detector, with everything that is known of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from models.impersonation.findings import Reason
from models.records.evidence import AccountGroup, Defence, Evidence, NarrativeRecord

Phase = Literal["weak", "fired", "update"]

SOURCE_SILENT = "source_silent"  # kind of the signal that says that we are blind
RUMOUR, COORDINATION = "rumour", "coordination"
SIGHTS = (RUMOUR, COORDINATION)  # kinds of signals of what was seen, whether or not a figure rises


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """Ten minutes of a brand: mentions, and how many of them suspected groups posted."""

    start_ms: int
    mentions: int
    coordinated: int


class Impostor(msgspec.Struct, frozen=True, kw_only=True):
    """An account or domain that poses as a brand, with what was gathered of its sightings.

    ``score`` is 0 to 1 with 0.5 at the balanced line; it maps the sum of the points of
    ``likeness`` and ``intent``.  ``reasons`` say what makes it look like the brand, ``intents``
    what it asks people for, both with their points.  ``victims`` are the people it answered,
    ``complained`` those of them who had complained of the brand; ``accounts`` posted it;
    ``reach`` is the widest of one sighting.  ``unlisted`` counts further suspects of the brand of
    which nothing more is kept.
    """

    id: str
    kind: Literal["account", "domain"]
    platform: str | None
    account: str | None
    handle: str | None
    name: str | None
    domain: str | None
    urls: tuple[str, ...]
    score: float
    likeness: float
    intent: float
    reasons: tuple[Reason, ...]
    intents: tuple[Reason, ...]
    first_ms: int
    last_ms: int
    sightings: int
    last_hour: int
    last_day: int
    accounts: int
    victims: int
    complained: int
    reach: int
    followers: int | None
    created_ms: int | None
    earlier_handles: tuple[str, ...] = ()
    unlisted: int = 0


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One detector's finding about one brand in one window.

    ``surprise`` is minus the decimal logarithm of the chance of seeing at least ``observed`` on a
    usual day; ``score`` maps it to 0..1 with 0.5 at the balanced line; ``threshold`` is the least
    observation that reaches the brand's own line; ``return_h`` is how often, in hours, the brand
    itself rises so far, ``negative_estimate`` the negative share without the classifier's known
    errors (models/quantify.py); None where that is not known.  For shares, ``observed`` and
    ``expected`` are counts of negative mentions among ``total``.  ``intensity`` is the mean
    probability of negative of the negative mentions, ``usual_intensity`` that of the day before the
    window, ``reach_share`` the negative mentions' part of the reach (models/emphasis.py).
    Of kind rumour and coordination, ``score`` is that of what was seen, ``surprise`` 0, and
    ``observed`` counts all mentions of the window.
    ``narratives`` are what is said in the window, rumours first; ``told_share`` is what the rumour
    or group that the signal is about has of the window's posts, ``told_negative`` how much of it is
    negative (models/lookout.py).  ``bars`` are the hours up to the window's end,
    ``defence`` what advocates do in it; None where the brand has none that are known.
    ``groups`` are accounts that act together in the window and what is amplified in it,
    ``coordinated_share`` what the former posted of the mentions, or of the negative ones where
    these are counted (models/coordination/posts.py).  ``subject`` is what the finding is about
    where that is not the brand as a whole: the id of the ``impostor``.
    """

    id: str
    brand: str
    kind: str
    phase: Phase
    window_start_ms: int
    window_end_ms: int
    window_min: int
    at_ms: int
    observed: int
    expected: float
    lower: int
    upper: int
    surprise: float
    line: float
    score: float
    threshold: int
    total: int
    negative: int
    usual_negative_share: float
    authors: int
    reach: int
    history_h: int
    platforms: dict[str, int]
    languages: dict[str, int]
    terms: tuple[str, ...]
    topics: dict[str, float]
    evidence: tuple[Evidence, ...]
    return_h: float | None = None
    negative_estimate: float | None = None
    intensity: float | None = None
    usual_intensity: float | None = None
    reach_share: float | None = None
    groups: tuple[AccountGroup, ...] = ()
    coordinated_share: float | None = None
    narratives: tuple[NarrativeRecord, ...] = ()
    bars: tuple[Bar, ...] = ()
    defence: Defence | None = None
    told_share: float | None = None
    told_negative: float | None = None
    subject: str | None = None
    impostor: Impostor | None = None
