"""The posts of the last hours of each brand, of which it is told who acts together.

Sixty a brand and ten minutes, all there are of most brands, else the first in the order of their
hash: what is kept does not depend on the order of arrival or on how the stream was cut.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import numpy as np

from models.buckets import BUCKET_MS, Bucket, Sample, by_bucket, sample, samples
from models.coordination.allies import Allies
from models.coordination.detector import LINE, Coordination
from models.coordination.record import record
from models.coordination.traces import words_of
from models.coordination.window import TraceWindow
from models.evidence import HOUR_MS
from models.kept import Kept, unpack
from models.records import AccountGroup, Author, Bool, Int64, Mention, Observations

SAMPLE = 60
KEPT_HOURS = 3
LOOK_MS = 3 * BUCKET_MS  # while an episode goes on
_MOST_GROUPS, _MOST_NAMES = 3, 100


@dataclass(frozen=True, slots=True)
class Split:
    """How much of a window suspected groups account for.

    Attributes
    ----------
    groups : tuple of AccountGroup
        Groups and amplified things of the window, the most suspect first.
    share : float or None
        Of the window's mentions that coordinated groups posted; None if nothing is kept of it.
    negative_share : float or None
        The same of its negative mentions.
    bars : tuple of (int, float)
        Each ten minutes that are kept, and the groups' share of them.
    """

    groups: tuple[AccountGroup, ...] = ()
    share: float | None = None
    negative_share: float | None = None
    bars: tuple[tuple[int, float], ...] = ()


class PostStore:
    """Recent posts of all brands.

    Parameters
    ----------
    brands : int
        Number of brands.
    allies : sequence of sequence of str
        Of each brand, who never makes a group suspect (`Allies`); nobody if it is left out.
    """

    def __init__(self, brands: int, allies: Sequence[Sequence[str]] = ()) -> None:
        self._brands = brands
        self._allies = allies
        self.buckets: dict[int, Bucket] = {}  # by ten minutes
        self._touched: set[int] = set()
        self._drops: list[str] = []
        self._found: dict[int, Found] = {}
        self._now: dict[int, Found] = {}  # until something is added

    def add(
        self, observations: Observations, rows: Int64, blobs: dict[int, bytes] | None = None
    ) -> None:
        """Offer some observations; ``blobs`` holds mentions that are packed, and takes in more."""
        self._now.clear()
        blobs = {} if blobs is None else blobs
        for at, inside in by_bucket(observations, rows):
            if self._bucket(at).offer(observations, inside, blobs):
                self._touched.add(at)

    def _bucket(self, at: int) -> Bucket:
        if at not in self.buckets:
            self.buckets[at] = Bucket(self._brands, SAMPLE, 0)
        return self.buckets[at]

    def thin(self, now_ms: int) -> None:
        """Drop what is too old; nothing older than ``now_ms`` is added any more."""
        self._now.clear()
        for at in sorted(b for b in self.buckets if (b + 1) * BUCKET_MS <= _least_ms(now_ms)):
            if self.buckets.pop(at).stored:
                self._drops.append(f"{at}/")
            self._touched.discard(at)

    def split(self, brand: int, start_ms: int, end_ms: int, final_ms: int | None) -> Split:
        """Who acts together in a window with start <= time < end, and how much of it they are.

        Parameters
        ----------
        brand : int
        start_ms, end_ms : int
            A window that is longer than posts are kept has groups, but no share.
        final_ms : int or None
            Before this nothing is added any more; if it is given, only that is looked at, once for
            each half hour.
        """
        until_ms = end_ms if final_ms is None else final_ms // LOOK_MS * LOOK_MS
        from_ms = until_ms - KEPT_HOURS * HOUR_MS  # what came before tells what is usual
        looked = self._now if final_ms is None else self._found
        known = looked.get(brand)
        if known is None or known.until_ms != until_ms:
            allies = self._allies[brand] if self._allies else ()
            known = find(self.sample(brand, from_ms, until_ms), until_ms, allies)
            looked[brand] = known
        return known.split(start_ms) if start_ms >= from_ms else known.long(from_ms)

    def sample(self, brand: int, start_ms: int, end_ms: int) -> Sample:
        """Posts of a brand with start <= time < end, by time."""
        inside = self.between(start_ms // BUCKET_MS, -(-end_ms // BUCKET_MS))
        return sample(inside, brand, start_ms, end_ms)

    def samples(self, brands: Collection[int], last: int) -> Iterator[tuple[int, Sample]]:
        """What `sample` tells of each of some brands, of three hours.

        Parameters
        ----------
        brands : collection of int
        last : int
            The last ten minutes of these hours, to which nothing is added any more.

        Yields
        ------
        int, Sample
            Brand and posts, in the order of brands; none of a brand without posts.
        """
        if not brands:
            return iter(())
        return samples(self.between(last + 1 - KEPT_HOURS * HOUR_MS // BUCKET_MS, last + 1), brands)

    def between(self, first: int, end: int) -> list[Bucket]:
        """What is kept of some ten minutes, the end not included, by time."""
        tens = range(first, end)
        return [self.buckets[at] for at in sorted(self.buckets) if at in tens]

    # state ----------------------------------------------------------------------------------

    def changes(self) -> list[tuple[str, bytes | None]]:
        """Pieces to store since the last call, and prefixes to drop (``None``)."""
        pieces: list[tuple[str, bytes | None]] = [(name, None) for name in self._drops]
        for at in sorted(self._touched):
            pieces += self.buckets[at].changes(f"{at}/")
        self._drops.clear()
        self._touched.clear()
        return pieces

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up stored pieces."""
        for name in sorted(pieces):
            bucket = self._bucket(int(name.partition("/")[0]))
            rows, mentions = unpack(pieces[name])
            bucket.stored += len(rows)
            bucket.append(rows, mentions)


@dataclass(frozen=True, slots=True)
class Found:
    """Groups among some posts, and which of the posts are theirs."""

    until_ms: int
    groups: list[AccountGroup]
    at_ms: Int64
    negative: Bool
    theirs: Bool

    def split(self, start_ms: int) -> Split:
        """What they are of the posts from then on."""
        inside = self.at_ms >= start_ms
        bad = inside & self.negative
        return Split(
            groups=self.shown(start_ms),
            share=float(self.theirs[inside].mean()) if inside.any() else None,
            negative_share=float(self.theirs[bad].mean()) if bad.any() else None,
            bars=self.bars(),
        )

    def long(self, start_ms: int) -> Split:
        """What is known of a window that begins before the posts do."""
        return Split(self.shown(start_ms), bars=self.bars())

    def bars(self) -> tuple[tuple[int, float], ...]:
        """Each ten minutes up to the end, and the groups' share of their posts."""
        if not len(self.at_ms):
            return ()
        last = -(-self.until_ms // BUCKET_MS)
        first = last - KEPT_HOURS * HOUR_MS // BUCKET_MS
        at = np.clip(self.at_ms // BUCKET_MS - first, 0, last - first - 1)
        posts = np.bincount(at, minlength=last - first)
        shares = np.bincount(at[self.theirs], minlength=last - first) / np.maximum(posts, 1)
        return tuple(((first + i) * BUCKET_MS, share) for i, share in enumerate(shares.tolist()))

    def shown_as(self, group: AccountGroup, name: str) -> AccountGroup:
        """As much of a group as a signal carries, under another name."""
        return msgspec.structs.replace(_shown(group), id=name)

    def shown(self, start_ms: int) -> tuple[AccountGroup, ...]:
        """Groups that have posted since, as much of them as a signal carries."""
        late = [group for group in self.groups if group.last_ms >= start_ms]
        return tuple(map(_shown, late[:_MOST_GROUPS]))


def find(posts: Sample, until_ms: int, allies: Sequence[str] = ()) -> Found:
    """Look for groups among some posts, in order of time; posts of allies make none."""
    known, times = Allies(allies), posts.rows["published_ms"]
    mentions = [
        mention_of(kept, at_ms)
        for kept, at_ms in zip(posts.mentions, times.tolist())
        if not known.posted(kept)
    ]
    # nothing of these hours is forgotten meanwhile, so one look at the end sees all
    looks = Coordination(TraceWindow(capacity=max(len(mentions), 1)))
    for _ in looks.window.add(mentions, words_of([m.text for m in mentions])):
        pass
    looks.look()
    told = (record(group, looks.window.published) for group in looks.groups)
    groups = sorted(told, key=lambda g: (-g.score, -len(g.mentions), g.id))
    own = {post for group in groups if group.score >= LINE for post in group.mentions}
    theirs = np.array([kept.id in own for kept in posts.mentions], dtype=np.bool_)
    return Found(until_ms, groups, times.copy(), posts.negative, theirs)


def _shown(group: AccountGroup) -> AccountGroup:
    """As much of a group as a signal carries; its facts tell how many accounts it has."""
    return msgspec.structs.replace(
        group, accounts=group.accounts[:_MOST_NAMES], mentions=group.mentions[:_MOST_NAMES]
    )


def mention_of(kept: Kept, published_ms: int) -> Mention:
    """What is kept of a mention, as a mention."""
    created = kept.created_ms
    return Mention(
        id=kept.id,
        platform=kept.platform,
        published_at=datetime.fromtimestamp(published_ms / 1000, UTC),
        text=kept.text,
        kind=kept.kind,
        author=Author(
            id=kept.author_id,
            handle=kept.handle,
            followers=kept.followers,
            created_at=datetime.fromtimestamp(created / 1000, UTC) if created else None,
        ),
        repost_of=kept.repost_of,
        in_reply_to=kept.in_reply_to,
        links=kept.links,
        media=kept.media,
    )


def _least_ms(now_ms: int) -> int:
    return now_ms - KEPT_HOURS * HOUR_MS
