"""Records that travel between the packages.

Frozen structs; times are integer milliseconds since the Unix epoch, UTC (``_ms``), or aware
``datetime`` where a record is decoded straight from the wire.  Wire formats: docs/mention.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from models.impersonation.findings import Reason as Reason
from models.impersonation.findings import Suspect as Suspect

Kind = Literal["post", "reply", "repost", "quote", "review", "message"]
Sensitivity = Literal["sensitive", "balanced", "strict"]
Phase = Literal["weak", "fired", "update"]
Label = Literal["negative", "neutral", "positive"]
LABELS: tuple[Label, Label, Label] = ("negative", "neutral", "positive")

SOURCE_SILENT = "source_silent"  # kind of the signal that says that we are blind
RUMOUR, COORDINATION = "rumour", "coordination"
SIGHTS = (RUMOUR, COORDINATION)  # kinds of signals of what was seen, whether or not a figure rises
# surprise (minus log10 of the chance on a usual day) from which a finding fires
SURPRISE_LINES: dict[Sensitivity, float] = {"sensitive": 3.6, "balanced": 4.0, "strict": 6.5}
# score from which an impostor is told of
IMPOSTOR_LINES: dict[Sensitivity, float] = {"sensitive": 0.4, "balanced": 0.5, "strict": 0.65}

MAX_TEXT_CHARS = 20_000

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Author(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who posted a mention; everything the platform did not give is ``None``."""

    id: Id | None = None
    handle: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    followers: Count | None = None
    created_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    verified: bool | None = None
    bio: Annotated[str, msgspec.Meta(max_length=10_000)] | None = None
    url: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    avatar_phash: Annotated[str, msgspec.Meta(max_length=256)] | None = None


class Engagement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Counts at the moment of collection."""

    likes: Count = 0
    reposts: Count = 0
    replies: Count = 0
    views: Count = 0


class Mention(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One public post, as decoded from the wire (docs/mention.md)."""

    id: Id
    platform: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    published_at: Annotated[datetime, msgspec.Meta(tz=True)]
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)]
    lang: Annotated[str, msgspec.Meta(max_length=35)] | None = None
    kind: Kind = "post"
    author: Author | None = None
    url: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    in_reply_to: Id | None = None
    repost_of: Id | None = None
    rating: Annotated[float, msgspec.Meta(ge=1, le=5)] | None = None
    engagement: Engagement | None = None
    links: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=4096)], ...], msgspec.Meta(max_length=100)
    ] = ()
    media: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=256)], ...], msgspec.Meta(max_length=32)
    ] = ()
    country: Annotated[str, msgspec.Meta(max_length=64)] | None = None


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


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """A mention that could not be read: a stable reason code, a sentence, and the raw bytes."""

    reason: str
    detail: str
    source: str
    position: str
    raw: bytes


class Observations(msgspec.Struct, frozen=True, kw_only=True):
    """Mentions scored for brands, as columns: one row a (mention, brand) pair, in order of arrival.

    Attributes
    ----------
    brand : int64[n]
        Index into the brands of the stage; -1 for a mention that only tells how late it is, since
        the brand it is about is watched elsewhere.
    published_ms : int64[n]
    key : uint64[n]
        Hash of platform and id, by which a mention counts once.
    platform : list of str[n]
    label : int8[n]
        Index into ``LABELS``.
    negative, positive : float32[n]
        Probabilities.
    reach : int64[n]
        Followers and engagement: how many may have seen it.
    own : bool[n]
        Not counted: written by the brand itself, or here for its suspects alone, since the text
        does not speak of the brand.
    lang : list of str[n]
    mention : list of Mention[n], or of bytes[n]
        Whole, or what evidence shows of it (``models.evidence.packed``).
    suspects : dict of int to tuple of Suspect
        By row: the author or links of the mention that resemble the brand.
    """

    brand: Int64
    published_ms: Int64
    key: UInt64
    platform: list[str]
    label: npt.NDArray[np.int8]
    negative: Float32
    positive: Float32
    reach: Int64
    own: Bool
    lang: list[str]
    mention: list[Mention] | list[bytes]
    suspects: dict[int, tuple[Suspect, ...]] = {}

    def __len__(self) -> int:
        return len(self.brand)


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
