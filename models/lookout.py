"""Rumours, and groups that act together, that make no figure rise: looked for every ten minutes.

What is looked at is final (older than the allowed lateness), so it is the same however the stream
was cut; what was told is remembered, so that it is told as new once and then as going on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from models.buckets import BUCKET_MS, Sample
from models.coordination.detector import LINE
from models.coordination.posts import KEPT_HOURS, LOOK_MS, Found, PostStore, find
from models.coordination.traces import hash64
from models.evidence import HOUR_MS
from models.narratives.heard import Listener, marks_of, same
from models.narratives.narrative import Pace
from models.records import (
    COORDINATION,
    RUMOUR,
    SIGHTS,
    AccountGroup,
    Brand,
    Int64,
    NarrativeRecord,
    Phase,
    UInt64,
)
from models.watching import Watch

_MOST_TOLD = 8  # of a brand and kind
_KEPT_MS = KEPT_HOURS * HOUR_MS


@dataclass(frozen=True, slots=True)
class Sight:
    """Something that was seen around a brand.

    Attributes
    ----------
    id : str
        The same each time it is seen.
    posts : Sample
        What it consists of.
    share : float
        Of the posts of the latest hour that are its.
    """

    brand: int
    kind: str
    phase: Phase
    id: str
    until_ms: int
    score: float
    posts: Sample
    share: float
    accounts: int
    rumour: NarrativeRecord | None = None
    group: AccountGroup | None = None
    bars: tuple[tuple[int, float], ...] = ()


class _Told(msgspec.Struct, frozen=True, array_like=True):
    """What was told, and by what it is known again: keys of posts, or hashes of accounts."""

    kind: str
    id: str
    last_ms: int
    marks: bytes
    rise: tuple[float, float] = (0.0, 0.0)

    @property
    def known(self) -> UInt64:
        return np.frombuffer(self.marks, dtype=np.uint64)


_Stored = dict[str, list[_Told]]  # by id of the brand
_PACK = msgspec.msgpack.Encoder().encode


class Lookout:
    """Looks at what `PostStore` holds.

    Parameters
    ----------
    brands : sequence of Brand
    posts : PostStore
    """

    def __init__(self, brands: Sequence[Brand], posts: PostStore) -> None:
        self._brands = brands
        self._posts = posts
        self._watch = Watch(brands)
        self._looked: int | None = None  # ten minutes, up to and with these
        self._told: dict[int, list[_Told]] = {}
        self._changed = False

    def start(self, final_ms: int) -> None:
        """Tell before when there is nothing to look for, or all was looked at."""
        if self._looked is None:
            self._looked = final_ms // BUCKET_MS - 1

    def look(self, final_ms: int, before: Callable[[int, int], Pace]) -> list[Sight]:
        """Look at what has become final; ``before`` tells a brand's pace until a time."""
        assert self._looked is not None
        last = final_ms // BUCKET_MS - 1
        if last <= self._looked:
            return []
        # after a long gap there is nothing to look at
        turns = range(LOOK_MS // BUCKET_MS)
        near = {at + later for at in self._posts.buckets for later in turns}
        due = sorted(at for at in near if self._looked < at <= last)
        self._looked = last
        if due:
            self._watch.read(self._posts.buckets, last)
        return [sight for at in due for sight in self._look(at, before)]

    def _look(self, at: int, before: Callable[[int, int], Pace]) -> list[Sight]:
        until_ms = (at + 1) * BUCKET_MS
        self._forget(until_ms)
        goes_on = {
            kind: {b for b, told in self._told.items() if any(t.kind == kind for t in told)}
            for kind in SIGHTS
        }
        turn = until_ms % LOOK_MS == 0  # groups, and what goes on, are looked at less often
        claims, shared = set(self._watch.claims(at)) - goes_on[RUMOUR], set[int]()
        if turn:
            claims |= goes_on[RUMOUR]
            shared = set(self._watch.shared(at)) | goes_on[COORDINATION]
        found: list[Sight] = []
        for brand, posts in self._posts.samples(claims | shared, at):
            if posts.rows["published_ms"][-1] < until_ms - LOOK_MS:
                continue
            if brand in claims:
                found += self._rumours(brand, posts, until_ms, before(brand, until_ms - _KEPT_MS))
            if brand in shared:
                found += self._groups(brand, posts, until_ms)
        return found

    def _rumours(self, brand: int, posts: Sample, until_ms: int, pace: Pace) -> list[Sight]:
        heard = Listener(posts, self._brands[brand], pace, until_ms - _KEPT_MS, until_ms)
        told = [t for t in self._told.get(brand, ()) if t.kind == RUMOUR]
        sights = []
        for each in heard.rumours([(t.known, t.rise) for t in told]):
            phase, name = self._tell(brand, RUMOUR, each.found.id, until_ms, each.marks, each.rise)
            record = msgspec.structs.replace(each.found, id=name)
            sights.append(
                Sight(
                    brand, RUMOUR, phase, name, until_ms, record.score, posts.take(each.rows),
                    _late_share(posts, each.rows, until_ms), record.accounts, rumour=record,
                )
            )  # fmt: skip
        return sights

    def _groups(self, brand: int, posts: Sample, until_ms: int) -> list[Sight]:
        found = find(posts, until_ms, self._brands[brand].allies)
        sights = []
        for group in found.groups:
            if group.kind != "coordination" or group.score < LINE:
                continue
            if group.last_ms < until_ms - HOUR_MS:  # it has stopped
                continue
            accounts = np.array([hash64(a) for a in group.accounts], dtype=np.uint64)
            marks = marks_of(accounts)
            phase, name = self._tell(brand, COORDINATION, group.id, until_ms, marks)
            rows = _rows_of(found, posts, group)
            sights.append(
                Sight(
                    brand, COORDINATION, phase, name, until_ms, group.score, posts.take(rows),
                    _late_share(posts, rows, until_ms), len(group.accounts),
                    group=found.shown_as(group, name), bars=found.bars(),
                )
            )  # fmt: skip
        return sights

    def _tell(
        self,
        brand: int,
        kind: str,
        name: str,
        at_ms: int,
        marks: UInt64,
        rise: tuple[float, float] = (0.0, 0.0),
    ) -> tuple[Phase, str]:
        """Whether it is new or goes on, and its name."""
        every = self._told.setdefault(brand, [])
        known = [t for t in every if t.kind == kind and same(marks, t.known)]
        name = known[0].id if known else name
        every[:] = [t for t in every if t not in known]
        every.append(_Told(kind, name, at_ms, marks.tobytes(), rise))
        mine = [t for t in every if t.kind == kind]
        if len(mine) > _MOST_TOLD:
            every.remove(mine[0])
        self._changed = True
        return ("update" if known else "fired"), name

    def _forget(self, now_ms: int) -> None:
        for brand, told in list(self._told.items()):
            kept = [t for t in told if t.last_ms > now_ms - _KEPT_MS]
            if len(kept) < len(told):
                self._changed = True
                self._told[brand] = kept
            if not kept:
                del self._told[brand]

    # state ----------------------------------------------------------------------------------

    def changes(self) -> list[tuple[str, bytes | None]]:
        """The piece to store since the last call, if there is one."""
        if not self._changed:
            return []
        self._changed = False
        stored: _Stored = {self._brands[b].id: told for b, told in sorted(self._told.items())}
        return [("told", _PACK(stored))]

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up what was stored, also for another list of brands."""
        if "told" not in pieces:
            return
        stored = msgspec.msgpack.decode(pieces["told"], type=_Stored)
        at = {brand.id: i for i, brand in enumerate(self._brands)}
        self._told = {at[name]: told for name, told in stored.items() if name in at}


def _late_share(posts: Sample, rows: Int64, until_ms: int) -> float:
    late = posts.rows["published_ms"] >= until_ms - HOUR_MS
    return float(late[rows].sum() / max(late.sum(), 1))


def _rows_of(found: Found, posts: Sample, group: AccountGroup) -> Int64:
    own = set(group.mentions)
    return np.flatnonzero([kept.id in own for kept in posts.mentions])
