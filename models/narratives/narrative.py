"""What is known of one narrative: who said it, when, how, and how fast it goes.

Everything is bounded: accounts are counted by their smallest hashes (Z. Bar-Yossef et al.,
*Counting Distinct Elements in a Data Stream*, RANDOM 2002), times in bins, texts by the most said.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import NamedTuple

from models.narratives.claims import Stance
from models.narratives.clusters import Vector

HOUR_MS = 3_600_000
BIN_MS = 600_000
HOUR_BINS, DAY_BINS = 6, 144
MOST_FIRSTS = 10
_MOST_TEXTS = 12
_MOST_NAMES = 16  # of languages and platforms; others are counted together
_MOST_KEYS = 16
_MINIMA = 128
_OTHER = "other"
_HASHES = 1 << 32


class Post(NamedTuple):
    """A mention as a narrative takes it in."""

    id: str
    platform: str
    account: str  # empty if it is not known
    account_hash: int  # below 2**32
    handle: str | None
    followers: int | None
    at_ms: int
    text: str
    lang: str
    stance: int
    negative: bool | None
    official: bool
    news: bool
    key: bytes  # the same for texts of the same words
    vector: Vector
    own: bool  # written by the brand


class Distinct:
    """Estimates how many different hashes it was given; exact up to 128, then within about 9 %.

    Examples
    --------
    >>> seen = Distinct()
    >>> for h in (7, 7, 9):
    ...     seen.add(h)
    >>> seen.count
    2
    """

    __slots__ = ("_least",)

    def __init__(self) -> None:
        self._least: list[int] = []

    def add(self, hashed: int) -> None:
        """Take in a hash below 2**32."""
        least = self._least
        if len(least) >= _MINIMA:
            if hashed >= least[-1]:
                return
            if hashed in least:
                return
            least.pop()
        elif hashed in least:
            return
        insort(least, hashed)

    def absorb(self, other: Distinct) -> None:
        """Count what another one was given, too."""
        self._least = sorted({*self._least, *other._least})[:_MINIMA]

    @property
    def count(self) -> int:
        """How many there were."""
        if len(self._least) < _MINIMA:
            return len(self._least)
        return round((_MINIMA - 1) * _HASHES / max(self._least[-1], 1))


class Pace:
    """Counts by ten minutes, of somewhat more than the latest day."""

    __slots__ = ("_bins", "first_ms")

    def __init__(self, first_ms: int) -> None:
        self.first_ms = first_ms
        self._bins: dict[int, int] = {}

    def add(self, at_ms: int, times: int = 1) -> None:
        """Count a mention, or some of the same time."""
        bins, at = self._bins, at_ms // BIN_MS
        if at_ms < self.first_ms:
            self.first_ms = at_ms
        bins[at] = bins.get(at, 0) + times
        if len(bins) > 2 * DAY_BINS:
            latest = max(bins)
            self._bins = {b: n for b, n in bins.items() if b > latest - DAY_BINS - HOUR_BINS}
            if len(self._bins) > 2 * DAY_BINS:  # all of them in the future of what came before
                self._bins = {at: times}

    def absorb(self, other: Pace) -> None:
        """Count what another one counted, too."""
        self.first_ms = min(self.first_ms, other.first_ms)
        for at, count in other._bins.items():
            self._bins[at] = self._bins.get(at, 0) + count

    def now(self, now_ms: int) -> int:
        """Mentions in the hour that ends now."""
        last = now_ms // BIN_MS
        get = self._bins.get
        return sum([get(b, 0) for b in range(last - HOUR_BINS + 1, last + 1)])

    def fastest(self) -> int:
        """Mentions in the fastest hour that is remembered."""
        bins = self._bins
        return max((sum([bins.get(b + i, 0) for i in range(HOUR_BINS)]) for b in bins), default=0)

    def before(self, now_ms: int) -> tuple[int, float]:
        """Mentions in the day before that hour, and how many hours of it are known (at least 1)."""
        last = now_ms // BIN_MS - HOUR_BINS
        count = sum([n for b, n in self._bins.items() if last - DAY_BINS < b <= last])
        known_h = (last + 1 - self.first_ms // BIN_MS) / HOUR_BINS
        return count, min(max(known_h, 1.0), DAY_BINS / HOUR_BINS)


@dataclass(slots=True)
class Said:
    """A text and how often it was said."""

    post: Post
    times: int = 1


@dataclass(slots=True)
class Narrative:
    """What is being said about a brand, by many or by few.

    Attributes
    ----------
    stances : list of int
        Mentions by `Stance`; the brand's own are not among them.
    official, news : int
        Mentions by the brand or with a link to it, and from known news.
    firsts, claimants : list of Post
        The earliest mentions, and the earliest that pass the claim on.
    rise : tuple of float
        Parts of the score for the highest speed so far, against its own past and the brand's.
    rumour_ms : int or None
        When it was first marked a rumour.
    """

    id: str
    pace: Pace
    last_ms: int
    mentions: int = 0
    labelled: int = 0
    negative: int = 0
    official: int = 0
    news: int = 0
    own: int = 0
    clusters: int = 1
    stances: list[int] = field(default_factory=lambda: [0] * len(Stance))
    accounts: Distinct = field(default_factory=Distinct)
    languages: dict[str, int] = field(default_factory=dict)
    platforms: dict[str, int] = field(default_factory=dict)
    keys: dict[int, int] = field(default_factory=dict)
    texts: dict[bytes, Said] = field(default_factory=dict)
    firsts: list[Post] = field(default_factory=list)
    claimants: list[Post] = field(default_factory=list)
    rise: tuple[float, float] = (0.0, 0.0)
    rumour_ms: int | None = None
    next_look: int = 8

    @property
    def first_ms(self) -> int:
        """When it was first said."""
        return self.pace.first_ms

    @property
    def counted(self) -> int:
        """Mentions that are not the brand's own."""
        return self.mentions - self.own

    def add(self, post: Post) -> None:
        """Take in a mention."""
        self.mentions += 1
        if post.at_ms > self.last_ms:
            self.last_ms = post.at_ms
        self.pace.add(post.at_ms)
        self.official += post.official
        self.news += post.news
        _count(self.languages, post.lang)
        _count(self.platforms, post.platform)
        if post.own:
            self.own += 1
            return
        self.stances[post.stance] += 1
        self.accounts.add(post.account_hash)
        if post.negative is not None:
            self.labelled += 1
            self.negative += post.negative
        self._hear(post)
        _early(self.firsts, post)
        if post.stance in (Stance.HEARSAY, Stance.CLAIM):
            _early(self.claimants, post)

    def note(self, keys: list[int]) -> None:
        """Count links, hashtags and numbers."""
        for key in keys:
            self.keys[key] = self.keys.get(key, 0) + 1
        if len(self.keys) > 2 * _MOST_KEYS:
            kept = sorted(self.keys.items(), key=lambda item: -item[1])[:_MOST_KEYS]
            self.keys = dict(kept)

    def absorb(self, other: Narrative) -> None:
        """Go on as one narrative with another."""
        self.pace.absorb(other.pace)
        self.last_ms = max(self.last_ms, other.last_ms)
        for name in ("mentions", "labelled", "negative", "official", "news", "own", "clusters"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.stances = [a + b for a, b in zip(self.stances, other.stances)]
        self.accounts.absorb(other.accounts)
        for mine, theirs in ((self.languages, other.languages), (self.platforms, other.platforms)):
            for name, count in theirs.items():
                _count(mine, name, count)
        for key, count in other.keys.items():
            self.keys[key] = self.keys.get(key, 0) + count
        self.note([])
        for said in other.texts.values():
            self._hear(said.post, said.times)
        for post in other.firsts:
            _early(self.firsts, post)
        for post in other.claimants:
            _early(self.claimants, post)
        self.rise = max(self.rise[0], other.rise[0]), max(self.rise[1], other.rise[1])
        if other.rumour_ms is not None:
            self.rumour_ms = min(self.rumour_ms or other.rumour_ms, other.rumour_ms)

    def _hear(self, post: Post, times: int = 1) -> None:
        said = self.texts.get(post.key)
        if said is not None:
            said.times += times
            return
        if len(self.texts) >= _MOST_TEXTS:
            least = min(self.texts, key=lambda key: self.texts[key].times)
            del self.texts[least]
        self.texts[post.key] = Said(post, times)


def _count(counts: dict[str, int], name: str, times: int = 1) -> None:
    if name not in counts and len(counts) >= _MOST_NAMES:
        name = _OTHER
    counts[name] = counts.get(name, 0) + times


def _early(posts: list[Post], post: Post) -> None:
    """Keep the earliest, each account once."""
    if len(posts) >= MOST_FIRSTS and post.at_ms >= posts[-1].at_ms:
        return
    for i, known in enumerate(posts):
        if known.account_hash == post.account_hash and known.account == post.account:
            if known.at_ms <= post.at_ms:
                return
            del posts[i]
            break
    insort(posts, post, key=lambda p: (p.at_ms, p.id))
    del posts[MOST_FIRSTS:]
