"""What people wrote and who they are, as signals and alerts show it."""

from __future__ import annotations

import msgspec

from models.records.mention import Kind
from models.records.observations import Label


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A mention kept as evidence: what a responder needs to see, text cut to 400 characters."""

    id: str
    platform: str
    published_ms: int
    text: str
    lang: str
    label: Label
    negative: float
    reach: int
    author_id: str | None = None
    handle: str | None = None
    name: str | None = None
    followers: int | None = None
    url: str | None = None
    kind: Kind = "post"


class GroupPost(msgspec.Struct, frozen=True, kw_only=True):
    """A post of a group's account, as evidence: who, when and what."""

    id: str
    account: str
    published_ms: int
    text: str


class GroupTrace(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a group's accounts share, and two of their posts side by side.

    ``kind`` is text, link, tag, tags, media, repost or reply; ``differs`` are the words that only
    one of the two posts has, for each of them.
    """

    kind: str
    shown: str
    accounts: int
    mentions: int
    first_ms: int
    last_ms: int
    posts: tuple[GroupPost, ...]
    differs: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


class AccountGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts that act together around a brand, or that amplify one thing.

    ``kind`` is coordination or amplification; ``score`` 0 to 1 with 0.5 at the balanced line;
    ``parts`` what it adds up, in log-odds; ``facts`` figures behind these; ``innocent`` the code of
    the innocent explanation that fits best; ``share`` of the mentions between first and last.
    """

    id: str
    kind: str
    score: float
    accounts: tuple[str, ...]
    mentions: tuple[str, ...]
    first_ms: int
    last_ms: int
    found_ms: int
    share: float
    innocent: str
    parts: dict[str, float]
    facts: dict[str, float]
    evidence: tuple[GroupTrace, ...]


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """An account that was among the first to say something, and how many follow it."""

    account: str
    platform: str
    handle: str | None
    followers: int | None
    mention: str
    published_ms: int
    text: str


class NarrativeText(msgspec.Struct, frozen=True, kw_only=True):
    """What is often said in a narrative; ``id`` is the first mention that said it."""

    id: str
    text: str
    times: int


class NarrativeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is being said about a brand, by many.

    ``kind`` is narrative or rumour; ``score`` 0 to 1 says how much it is a rumour, with 0.5 at the
    balanced line; ``parts`` what it adds up, in log-odds; speeds are mentions an hour: now, on
    average of the day before, and at the highest.  ``claims``, ``questions`` and ``denials`` count
    mentions that pass a claim on, ask whether it is true, and deny it; ``sources`` those by or with
    a link to the brand or known news; ``negative_share`` is None where labels are not known.
    ``sampled_h`` is set where it was found in a sample of the latest posts, of so many hours:
    counts and speeds are then those of the sample, and before is what it knows of these hours.
    """

    id: str
    kind: str
    score: float
    first_ms: int
    last_ms: int
    found_ms: int | None
    mentions: int
    accounts: int
    speed_now: float
    speed_before: float
    speed_peak: float
    languages: dict[str, int]
    platforms: dict[str, int]
    negative_share: float | None
    claims: int
    questions: int
    denials: int
    complaints: int
    sources: int
    terms: tuple[str, ...]
    texts: tuple[NarrativeText, ...]
    carriers: tuple[Carrier, ...]
    parts: dict[str, float]
    sampled_h: float | None = None


class Advocate(msgspec.Struct, frozen=True, kw_only=True):
    """An account that supports the brand, with what speaks for it.

    ``days`` of the latest 28 had a supportive mention; ``positive_share`` is of its mentions that
    were not neutral, ``answers`` are critical threads that it answered, where these are counted.
    """

    account: str
    platform: str
    handle: str | None
    followers: int | None
    days: int
    supportive: int
    positive_share: float
    answers: int
    first_ms: int
    last_ms: int


class Defence(msgspec.Struct, frozen=True, kw_only=True):
    """Critical threads of a window and how many of them an advocate answered.

    ``active`` advocates spoke in the window, of which ``advocates`` are the steadiest.
    """

    threads: int
    answered: int
    active: int
    advocates: tuple[Advocate, ...]
