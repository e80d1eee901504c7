"""The posts of the last hours of each brand, of which it is told who acts together.

Sixty a brand and ten minutes, all there are of most brands, else the first in the order of their
hash: what is kept does not depend on the order of arrival or on how the stream was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import numpy as np

from models.coordination.detector import LINE, Coordination
from models.coordination.record import record
from models.evidence import BUCKET_MS, HOUR_MS, Bucket, Kept, Sample, by_bucket, sample, unpack
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
    """

    groups: tuple[AccountGroup, ...] = ()
    share: float | None = None
    negative_share: float | None = None


class PostStore:
    """Recent posts of all brands.

    Parameters
    ----------
    brands : int
        Number of brands.
    """

    def __init__(self, brands: int) -> None:
        self._brands = brands
        self._buckets: dict[int, Bucket] = {}
        self._touched: set[int] = set()
        self._drops: list[str] = []
        self._found: dict[int, Found] = {}
        self._now: dict[int, Found] = {}  # until something is added

    def add(self, observations: Observations, rows: Int64) -> None:
        """Offer some observations."""
        self._now.clear()
        for at, inside in by_bucket(observations, rows):
            if self._bucket(at).offer(observations, inside):
                self._touched.add(at)

    def _bucket(self, at: int) -> Bucket:
        if at not in self._buckets:
            self._buckets[at] = Bucket(self._brands, SAMPLE, 0)
        return self._buckets[at]

    def thin(self, now_ms: int) -> None:
        """Drop what is too old; nothing older than ``now_ms`` is added any more."""
        self._now.clear()
        for at in sorted(b for b in self._buckets if (b + 1) * BUCKET_MS <= _least_ms(now_ms)):
            if self._buckets.pop(at).stored:
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
            buckets = (self._buckets[at] for at in sorted(self._buckets))
            known = find(sample(buckets, brand, from_ms, until_ms), until_ms)
            looked[brand] = known
        return known.split(start_ms) if start_ms >= from_ms else Split(known.shown(from_ms))

    # state ----------------------------------------------------------------------------------

    def changes(self) -> list[tuple[str, bytes | None]]:
        """Pieces to store since the last call, and prefixes to drop (``None``)."""
        pieces: list[tuple[str, bytes | None]] = [(name, None) for name in self._drops]
        for at in sorted(self._touched):
            pieces += self._buckets[at].changes(f"{at}/")
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
        )

    def shown(self, start_ms: int) -> tuple[AccountGroup, ...]:
        """Groups that have posted since, as much of them as a signal carries."""
        late = [group for group in self.groups if group.last_ms >= start_ms]
        return tuple(map(_shown, late[:_MOST_GROUPS]))


def find(posts: Sample, until_ms: int) -> Found:
    """Look for groups among some posts, in order of time."""
    looks, times = Coordination(), posts.rows["published_ms"]
    looks.observe([_mention(k, at_ms) for k, at_ms in zip(posts.mentions, times.tolist())])
    looks.look()
    groups = sorted(map(record, looks.groups), key=lambda g: (-g.score, -len(g.mentions), g.id))
    own = {post for group in groups if group.score >= LINE for post in group.mentions}
    theirs = np.array([kept.id in own for kept in posts.mentions], dtype=np.bool_)
    return Found(until_ms, groups, times.copy(), posts.negative, theirs)


def _shown(group: AccountGroup) -> AccountGroup:
    """As much of a group as a signal carries; its facts tell how many accounts it has."""
    return msgspec.structs.replace(
        group, accounts=group.accounts[:_MOST_NAMES], mentions=group.mentions[:_MOST_NAMES]
    )


def _mention(kept: Kept, published_ms: int) -> Mention:
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
