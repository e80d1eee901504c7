"""Evidence kept per brand: a uniform sample and the mentions with the widest reach.

Both are "the k first in a fixed order" (hash of the mention; reach), so what is kept does not
depend on the order of arrival or on how the stream was cut (bottom-k sampling: Cohen & Kaplan,
PODC 2007).  Ten-minute buckets for this hour and the last, a few an hour for the day before: memory
per brand is bounded whatever is sent.

A bucket holds columns for all brands and is cut down whenever it has grown by as much again as it
keeps: a mention costs an append, and the record that people see is built for alerts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from models.language import LANGUAGES
from models.records import LABELS, Bool, Evidence, Int64, Kind, Mention, Observations, UInt64

BUCKET_MS = 600_000
HOUR_MS = 3_600_000
SAMPLE, TOP = 12, 4  # a brand and ten minutes
HOURLY_SAMPLE, HOURLY_TOP = 3, 1  # a brand and hour, later
OLD_HOURS = 25
TEXT_CHARS = 400
MOST_LINKS, LINK_CHARS = 4, 200
_SLACK = 4096  # rows a bucket may hold beyond what it keeps
_MAX_KEY = np.uint64(2**64 - 1)
_ROW = np.dtype(
    [
        ("brand", "<i4"),
        ("key", "<u8"),
        ("reach", "<i8"),
        ("published_ms", "<i8"),
        ("negative", "<f4"),
        ("label", "u1"),
        ("lang", "u1"),
        ("saved", "?"),
    ]
)
Rows = npt.NDArray[np.void]
_CODE = {language: code for code, language in enumerate(LANGUAGES)}


class Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The part of a mention that evidence shows and compares; held packed, as it is stored."""

    id: str
    platform: str
    text: str
    author_id: str | None
    handle: str | None
    name: str | None
    followers: int | None
    url: str | None
    kind: Kind
    created_ms: int | None = None  # of the account
    repost_of: str | None = None
    in_reply_to: str | None = None
    links: tuple[str, ...] = ()
    media: tuple[str, ...] = ()


_PACK = msgspec.msgpack.Encoder().encode
_UNPACK = msgspec.msgpack.Decoder(Kept).decode


class Bucket:
    """Rows of all brands in one span of time, cut down to the first ``sample`` and ``top``."""

    def __init__(self, brands: int, sample: int, top: int) -> None:
        self.rows: Rows = np.empty(0, dtype=_ROW)
        self.mentions: list[bytes] = []  # Kept, packed
        self.stored = 0  # rows in stored pieces, of which some may have been cut since
        self._limits = (sample, top)
        self._kept = 0
        self._waiting: list[Rows] = []
        self._waiting_rows = 0
        self._least_key = np.full(brands, _MAX_KEY, dtype=np.uint64)
        self._least_reach = np.full(brands, -1 if top else 2**62, dtype=np.int64)

    def may_stay(self, brand: Int64, key: UInt64, reach: Int64) -> Bool:
        """False where a row cannot belong to what is kept."""
        stay: Bool = (key < self._least_key[brand]) | (reach >= self._least_reach[brand])
        return stay

    def offer(self, obs: Observations, rows: Int64, blobs: dict[int, bytes]) -> bool:
        """Take in those observations that may stay; whether there are any.

        ``blobs`` are mentions that were packed already, by row.
        """
        rows = rows[self.may_stay(obs.brand[rows], obs.key[rows], obs.reach[rows])]
        if not len(rows):
            return False
        at = rows.tolist()
        new = np.zeros(len(rows), dtype=_ROW)
        for name in ("brand", "key", "reach", "published_ms", "negative", "label"):
            new[name] = getattr(obs, name)[rows]
        new["lang"] = [_CODE[obs.lang[i]] for i in at]
        for i in at:
            if i not in blobs:
                mention = obs.mention[i]
                blobs[i] = mention if isinstance(mention, bytes) else packed(mention)
        self.append(new, [blobs[i] for i in at])
        return True

    def append(self, rows: Rows, mentions: Iterable[bytes]) -> None:
        """Take rows in; cut down when they have become many."""
        self._waiting.append(rows)
        self._waiting_rows += len(rows)
        self.mentions.extend(mentions)
        if self._waiting_rows > self._kept + _SLACK:
            self.cut()

    def all(self) -> Rows:
        """Every row held, aligned with ``mentions``."""
        if self._waiting:
            self.rows = np.concatenate([self.rows, *self._waiting])
            self._waiting.clear()
            self._waiting_rows = 0
        return self.rows

    def cut(self) -> None:
        """Drop what is not among the first of its brand in either order."""
        rows = self.all()
        sample, top = self._limits
        self._kept = len(rows)
        counts = np.bincount(rows["brand"]) if len(rows) else np.zeros(0)
        crowded = np.flatnonzero((counts > sample)[rows["brand"]])
        if not len(crowded):
            return
        key, reach, brand = (rows[name][crowded] for name in ("key", "reach", "brand"))
        order = np.argsort(key)
        by_key, rank_key = _ranked(brand, order)
        by_reach, rank_reach = _ranked(brand, order[np.argsort(-reach[order], kind="stable")])
        last = by_key[rank_key == sample - 1]
        self._least_key[brand[last]] = key[last]
        last = by_reach[rank_reach == top - 1]
        self._least_reach[brand[last]] = reach[last]
        keep = np.ones(len(rows), dtype=np.bool_)
        keep[crowded] = False
        keep[crowded[by_key[rank_key < sample]]] = True
        keep[crowded[by_reach[rank_reach < top]]] = True
        if not keep.all():
            self.rows = rows[keep]
            self.mentions = [self.mentions[i] for i in np.flatnonzero(keep).tolist()]
        self._kept = len(self.rows)

    def of_brand(self, brand: int) -> Int64:
        """Indices of what is kept of a brand."""
        rows = self.all()
        at = np.flatnonzero(rows["brand"] == brand)
        sample, top = self._limits
        if len(at) <= sample:
            return at
        own = rows[at]
        keep = np.zeros(len(at), dtype=np.bool_)
        keep[np.argsort(own["key"])[:sample]] = True
        keep[np.lexsort((own["key"], -own["reach"]))[:top]] = True
        return at[keep]

    def kept(self) -> tuple[Rows, list[bytes]]:
        """What is kept of all brands, and nothing beyond."""
        self.cut()
        return self.rows, self.mentions

    def changes(self, prefix: str) -> list[tuple[str, bytes | None]]:
        """Pieces to store under names that begin with ``prefix``: what is kept and was not yet.

        When most of what was stored has been cut since, all is written anew.
        """
        self.cut()
        new = np.flatnonzero(~self.rows["saved"])
        if not len(new):
            return []
        self.rows["saved"] = True
        if self.stored and self.stored + len(new) > 2 * len(self.rows) + _SLACK:
            self.stored = len(self.rows)
            return [(prefix, None), (f"{prefix}0", self.packed())]
        part, self.stored = self.stored, self.stored + len(new)
        piece = self.packed() if len(new) == len(self.rows) else self._packed(new)
        return [(f"{prefix}{part}", piece)]

    def packed(self) -> bytes:
        """Everything held, as one piece."""
        return pack(self.all(), self.mentions)

    def _packed(self, at: Int64) -> bytes:
        return pack(self.rows[at], [self.mentions[i] for i in at.tolist()])


@dataclass(frozen=True, slots=True)
class Sample:
    """Some mentions of a brand, by time: columns, and records on demand."""

    rows: Rows
    mentions: list[Kept]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def negative(self) -> Bool:
        """Which are negative; bool[n]."""
        negative: Bool = self.rows["label"] == 0
        return negative

    def take(self, at: npt.NDArray[np.integer] | Bool) -> Sample:
        """Some of them, by index or mask."""
        at = np.arange(len(self))[at]
        return Sample(self.rows[at], [self.mentions[i] for i in at.tolist()])

    def texts(self) -> list[str]:
        """What they say."""
        return [m.text for m in self.mentions]

    def languages(self) -> list[str]:
        """Their languages."""
        return [LANGUAGES[code] for code in self.rows["lang"].tolist()]

    def authors(self) -> set[str]:
        """Who wrote them, as well as it is known."""
        return {m.author_id or m.handle or f"\0{m.platform}\0{m.id}" for m in self.mentions}

    def evidence(self, i: int) -> Evidence:
        """The record of one."""
        return _evidence(self.rows[i], self.mentions[i])


class EvidenceStore:
    """Evidence of all brands.

    Parameters
    ----------
    brands : int
        Number of brands.
    """

    def __init__(self, brands: int) -> None:
        self._brands = brands
        self._recent: dict[int, Bucket] = {}  # by ten minutes
        self._hourly: dict[int, Bucket] = {}
        self._touched: set[int] = set()  # of the recent ones
        self._thinned: set[int] = set()  # hours that are not stored yet
        self._drops: list[str] = []

    def add(
        self, observations: Observations, rows: Int64, blobs: dict[int, bytes] | None = None
    ) -> None:
        """Offer some observations; ``blobs`` are those mentions that were packed already."""
        blobs = {} if blobs is None else blobs
        for bucket, inside in by_bucket(observations, rows):
            if self._recent_bucket(bucket).offer(observations, inside, blobs):
                self._touched.add(bucket)

    def _recent_bucket(self, bucket: int) -> Bucket:
        if bucket not in self._recent:
            self._recent[bucket] = Bucket(self._brands, SAMPLE, TOP)
        return self._recent[bucket]

    def thin(self, now_ms: int) -> None:
        """Keep little of the hours before the last one, and drop what is over a day.

        Nothing older than ``now_ms``, a full hour, may be added any more.
        """
        now = now_ms // HOUR_MS
        moved: set[int] = set()
        for bucket in sorted(b for b in self._recent if b * BUCKET_MS < (now - 1) * HOUR_MS):
            held = self._recent.pop(bucket)
            self._touched.discard(bucket)
            if held.stored:
                self._drops.append(f"r/{bucket}/")
            hour = bucket * BUCKET_MS // HOUR_MS
            into = self._hourly.setdefault(hour, Bucket(self._brands, HOURLY_SAMPLE, HOURLY_TOP))
            into.append(held.all(), held.mentions)
            moved.add(hour)
        for hour in moved:
            self._hourly[hour].cut()
        self._thinned |= moved
        for old in sorted(h for h in self._hourly if h < now - OLD_HOURS):
            del self._hourly[old]
            if old in self._thinned:
                self._thinned.discard(old)
            else:
                self._drops.append(f"h/{old}/")

    def window(self, brand: int, start_ms: int, end_ms: int) -> Sample:
        """What is kept of a brand with start <= time < end, by time."""
        touched = [
            bucket
            for held, span in ((self._hourly, HOUR_MS), (self._recent, BUCKET_MS))
            for at, bucket in held.items()
            if at * span < end_ms and (at + 1) * span > start_ms
        ]
        return sample(touched, brand, start_ms, end_ms)

    # state ----------------------------------------------------------------------------------

    def changes(self) -> list[tuple[str, bytes | None]]:
        """Pieces to store since the last call, and prefixes to drop (``None``)."""
        pieces: list[tuple[str, bytes | None]] = [(name, None) for name in self._drops]
        for bucket in sorted(self._touched):
            pieces += self._recent[bucket].changes(f"r/{bucket}/")
        pieces += [(f"h/{hour}/0", self._hourly[hour].packed()) for hour in sorted(self._thinned)]
        self._drops.clear()
        self._touched.clear()
        self._thinned.clear()
        return pieces

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up stored pieces."""
        for name in sorted(pieces):
            kind, at, _ = name.split("/")
            rows, mentions = unpack(pieces[name])
            if kind == "h":
                bucket = Bucket(self._brands, HOURLY_SAMPLE, HOURLY_TOP)
                self._hourly[int(at)] = bucket
            else:
                bucket = self._recent_bucket(int(at))
                bucket.stored += len(rows)
            bucket.append(rows, mentions)


def by_bucket(observations: Observations, rows: Int64) -> Iterator[tuple[int, Int64]]:
    """Rows of each ten minutes."""
    buckets = observations.published_ms[rows] // BUCKET_MS
    for bucket in np.unique(buckets).tolist():
        yield bucket, rows if len(rows) == 1 else rows[buckets == bucket]


def sample(buckets: Iterable[Bucket], brand: int, start_ms: int, end_ms: int) -> Sample:
    """What buckets hold of a brand with start <= time < end, by time."""
    parts: list[Rows] = []
    mentions: list[bytes] = []
    for bucket in buckets:
        own = bucket.of_brand(brand)
        if len(own):
            parts.append(bucket.rows[own])
            mentions.extend([bucket.mentions[i] for i in own.tolist()])
    rows = _joined(parts)
    order = np.lexsort((rows["key"], rows["published_ms"]))
    published = rows["published_ms"][order]
    order = order[(published >= start_ms) & (published < end_ms)]
    return Sample(rows[order], [_UNPACK(mentions[i]) for i in order.tolist()])


def samples(buckets: Iterable[Bucket]) -> Iterator[tuple[int, Sample]]:
    """What buckets hold of each brand, by time: all brands in the time of a few."""
    held = [bucket.kept() for bucket in buckets]
    mentions = [mention for _, some in held for mention in some]
    rows = _joined([rows for rows, _ in held])
    order = np.lexsort((rows["key"], rows["published_ms"], rows["brand"]))
    rows = rows[order]
    cuts = np.flatnonzero(np.diff(rows["brand"], prepend=-1)).tolist()
    for first, last in pairwise([*cuts, len(rows)]):
        own = [_UNPACK(mentions[i]) for i in order[first:last].tolist()]
        yield int(rows["brand"][first]), Sample(rows[first:last], own)


def _joined(parts: Sequence[Rows]) -> Rows:
    """As ``np.concatenate``, which looks at every field of every part."""
    rows = np.empty(sum(map(len, parts)), dtype=_ROW)
    first = 0
    for part in parts:
        rows[first : first + len(part)] = part
        first += len(part)
    return rows


def unpacked(mention: bytes) -> Kept:
    """What evidence shows of a mention."""
    return _UNPACK(mention)


def pack(rows: Rows, mentions: list[bytes]) -> bytes:
    """Rows and mentions as one piece."""
    return _PACK((rows.tobytes(), mentions))


def unpack(piece: bytes) -> tuple[Rows, list[bytes]]:
    """Rows and mentions of a stored piece."""
    packed, mentions = msgspec.msgpack.decode(piece, type=tuple[bytes, list[bytes]])
    return np.frombuffer(packed, dtype=_ROW).copy(), mentions


def moved(piece: bytes, move: dict[int, int]) -> bytes:
    """A stored piece for another list of brands; ``move`` tells the new index of each old one."""
    rows, mentions = unpack(piece)
    at = [i for i, brand in enumerate(rows["brand"].tolist()) if brand in move]
    rows = rows[at]
    rows["brand"] = [move[b] for b in rows["brand"].tolist()]
    return pack(rows, [mentions[i] for i in at])


def rewritten(piece: bytes, rewrite: Callable[[Kept], Kept]) -> bytes:
    """A stored piece with other words: what is counted, and where it stands, is unchanged."""
    rows, mentions = unpack(piece)
    return pack(rows, [_PACK(rewrite(_UNPACK(mention))) for mention in mentions])


def kept_of(piece: bytes) -> list[Kept]:
    """What a stored piece holds of its mentions."""
    return [_UNPACK(mention) for mention in unpack(piece)[1]]


def _ranked(brand: Int64, order: Int64) -> tuple[Int64, Int64]:
    """An order of rows as one within each brand, and each row's rank there."""
    if brand.max() < 1 << 16:
        brand = brand.astype(np.uint16)  # which NumPy sorts by digits, several times as fast
    order = order[np.argsort(brand[order], kind="stable")]
    brand = brand[order]
    new = np.flatnonzero(np.diff(brand.astype(np.int64), prepend=-1))
    start = np.repeat(new, np.diff(np.append(new, len(brand))))
    return order, np.arange(len(brand)) - start


def kept(mention: Mention | bytes) -> Kept:
    """What evidence shows of a mention, whole or packed."""
    return _UNPACK(mention if isinstance(mention, bytes) else packed(mention))


def packed(mention: Mention) -> bytes:
    """What evidence shows of a mention, packed: memory is bounded whatever is sent."""
    text, author = mention.text, mention.author
    created = author.created_at if author else None
    return _PACK(
        Kept(
            mention.id,
            mention.platform,
            text if len(text) <= TEXT_CHARS else text[:TEXT_CHARS],
            author.id if author else None,
            author.handle if author else None,
            author.name if author else None,
            author.followers if author else None,
            mention.url,
            mention.kind,
            int(created.timestamp() * 1000) if created else None,
            mention.repost_of,
            mention.in_reply_to,
            tuple(link[:LINK_CHARS] for link in mention.links[:MOST_LINKS]),
            tuple(media[:LINK_CHARS] for media in mention.media[:MOST_LINKS]),
        )
    )


def _evidence(row: np.void, kept: Kept) -> Evidence:
    return Evidence(
        id=kept.id,
        platform=kept.platform,
        published_ms=int(row["published_ms"]),
        text=kept.text,
        lang=LANGUAGES[int(row["lang"])],
        label=LABELS[int(row["label"])],
        negative=round(float(row["negative"]), 3),
        reach=int(row["reach"]),
        author_id=kept.author_id,
        handle=kept.handle,
        name=kept.name,
        followers=kept.followers,
        url=kept.url,
        kind=kept.kind,
    )
