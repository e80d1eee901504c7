"""One impostor of one brand, as its sightings add up: bounded, and told when it has grown.

Distinct accounts are counted by the least of their hashes (bottom-k, Cohen & Kaplan, PODC 2007),
exactly up to `_DISTINCT` of them; posts are the first three and the three with the widest reach.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from models.impersonation.copied import is_copied, same_picture
from models.impersonation.findings import Reason, Suspect, score_of
from models.impersonation.impostor import WEIGHTS
from models.impersonation.intent import WEIGHTS as INTENT_WEIGHTS
from models.records import Evidence

WATCHED = 0.35  # least score of what is kept at all
_TELL_AGAIN_MS = 6 * 3_600_000  # well within the time for which an impostor's alert stays open
_GROWTH = 1.5
_DISTINCT = 64
_MOST_INTENT = 1.5  # points; what a text asks for must not stand for a likeness
_LIKE = 0.6  # points of likeness from which what a text asks for counts
_FIRST, _WIDEST = 3, 3
_MOST_HANDLES, _MOST_URLS = 5, 5
_BUCKET_MS = 600_000
_DAY_BUCKETS, _HOUR_BUCKETS = 144, 6


class Profile(msgspec.Struct, frozen=True, array_like=True):
    """What an official account shows of itself."""

    who: str
    seen_ms: int
    biography: str | None
    avatar: str | None


class Judged(msgspec.Struct, frozen=True, array_like=True):
    """What the sightings of an impostor come to: points in two parts, and why."""

    score: float
    likeness: float
    intent: float
    reasons: tuple[Reason, ...]
    intents: tuple[Reason, ...]


class Sighted(msgspec.Struct, array_like=True):
    """What is kept of one impostor; made, grown and stored by `SightingStore`."""

    id: str
    kind: Literal["account", "domain"]
    who: str
    first_ms: int
    last_ms: int
    sightings: int = 0
    points: float = -1.0
    reasons: tuple[Reason, ...] = ()
    intents: dict[str, Reason] = {}
    handle: str | None = None
    name: str | None = None
    account: str | None = None
    platform: str | None = None
    followers: int | None = None
    created_ms: int | None = None
    biography: str | None = None
    avatar: str | None = None
    handles: list[str] = []
    urls: list[str] = []
    posters: list[int] = []
    victims: list[int] = []
    complainers: list[int] = []
    reach: int = 0
    buckets: dict[int, int] = {}
    posts: list[Evidence] = []
    fired: bool = False
    weak: bool = False
    told_ms: int = 0
    told_sightings: int = 0
    told_victims: int = 0
    told_score: float = 0.0

    def add(
        self, suspect: Suspect, post: Evidence, poster: int, created_ms: int | None, angry: bool
    ) -> None:
        """Take one sighting in; ``angry`` says that it answers somebody who complained."""
        at_ms = post.published_ms
        newest = not self.sightings or at_ms >= self.last_ms
        self.first_ms, self.last_ms = min(self.first_ms, at_ms), max(self.last_ms, at_ms)
        self.sightings += 1
        if suspect.points > self.points:
            self.points, self.reasons = suspect.points, suspect.reasons
        for reason in suspect.intents:
            self.intents.setdefault(reason.code, reason)
        if suspect.kind == "account" and newest:
            self._note_account(suspect, post, created_ms)
        if suspect.url and suspect.url not in self.urls and len(self.urls) < _MOST_URLS:
            self.urls.append(suspect.url)
        note(self.posters, poster)
        if suspect.victim is not None:
            note(self.victims, suspect.victim)
            if angry:
                note(self.complainers, suspect.victim)
        self.reach = max(self.reach, post.reach)
        bucket = at_ms // _BUCKET_MS
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        if len(self.buckets) > _DAY_BUCKETS:
            del self.buckets[min(self.buckets)]
        self.posts = _shown([*self.posts, post])

    def _note_account(self, suspect: Suspect, post: Evidence, created_ms: int | None) -> None:
        if post.handle and post.handle not in self.handles and len(self.handles) < _MOST_HANDLES:
            self.handles.append(post.handle)
        self.handle, self.name, self.account = post.handle, post.name, post.author_id
        self.platform, self.followers, self.created_ms = post.platform, post.followers, created_ms
        self.biography, self.avatar = suspect.biography, suspect.avatar

    def judge(self, profiles: Sequence[Profile]) -> Judged:
        """Add up what speaks for an impostor."""
        reasons = [*self.reasons, *self._compared(profiles)]
        likeness = round(
            max(self.points, 0.0) + sum(r.weight for r in reasons[len(self.reasons) :]), 2
        )
        intents = list(self.intents.values())
        if intents and self.complainers:
            code = "replies_to_complainer"
            intents.append(Reason(code, INTENT_WEIGHTS[code]))
        intent = round(min(sum(r.weight for r in intents), _MOST_INTENT), 2)
        points = likeness + (intent if likeness >= _LIKE else 0.0)
        return Judged(score_of(points), likeness, intent, _ordered(reasons), _ordered(intents))

    def _compared(self, profiles: Sequence[Profile]) -> list[Reason]:
        """Reasons that only memory gives: the brand's own profile, and earlier handles."""
        if self.kind != "account":
            return []
        found = []
        if any(same_picture(self.avatar, known.avatar) for known in profiles):
            found.append("avatar_copied")
        if any(is_copied(self.biography, known.biography) for known in profiles):
            found.append("biography_copied")
        reasons = [Reason(code, WEIGHTS[code]) for code in found]
        if len(self.handles) > 1:
            earlier = next(h for h in self.handles if h != self.handle)
            reasons.append(Reason("renamed", WEIGHTS["renamed"], earlier[:80]))
        return reasons

    def is_due(self, judged: Judged, now_ms: int) -> bool:
        """Whether an impostor that was told of has grown so much that it is told of again."""
        if self.sightings == self.told_sightings:
            return False
        return (
            self.sightings >= _GROWTH * self.told_sightings
            or distinct(self.victims) >= _GROWTH * max(self.told_victims, 1)
            or judged.score >= self.told_score + 0.05
            or now_ms - self.told_ms >= _TELL_AGAIN_MS
        )

    def note_told(self, judged: Judged, now_ms: int) -> None:
        """Remember what was told."""
        self.told_ms, self.told_sightings = now_ms, self.sightings
        self.told_victims, self.told_score = distinct(self.victims), judged.score

    def lately(self, now_ms: int) -> tuple[int, int]:
        """Sightings of the last hour and of the last 24."""
        now = now_ms // _BUCKET_MS
        hour = sum(n for at, n in self.buckets.items() if at > now - _HOUR_BUCKETS)
        return hour, sum(n for at, n in self.buckets.items() if at > now - _DAY_BUCKETS)

    @property
    def rank(self) -> tuple[bool, float, int, int, str]:
        """What is kept when there are too many: the higher, the longer."""
        return self.fired, self.points, self.sightings, self.last_ms, self.id


def note(held: list[int], key: int) -> None:
    """Count a hash among distinct ones.

    Examples
    --------
    >>> held = []
    >>> for key in (5, 9, 5): note(held, key)
    >>> distinct(held)
    2
    """
    if key in held or (len(held) == _DISTINCT and key > held[-1]):
        return
    insort(held, key)
    del held[_DISTINCT:]


def distinct(held: Sequence[int]) -> int:
    """How many hashes were counted, estimated where only the least are held."""
    if len(held) < _DISTINCT:
        return len(held)
    return round((_DISTINCT - 1) * 2.0**64 / max(held[-1], 1))


def _shown(posts: list[Evidence]) -> list[Evidence]:
    if len(posts) <= _FIRST + _WIDEST:
        return posts
    in_time = sorted(posts, key=lambda p: (p.published_ms, p.id))
    widest = sorted(in_time[_FIRST:], key=lambda p: (-p.reach, p.published_ms, p.id))
    return [*in_time[:_FIRST], *widest[:_WIDEST]]


def _ordered(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda r: (-r.weight, r.code)))
