"""Mentions by spans of time, a bounded number of each brand: columns, and what is kept of each.

What is kept are the first in a fixed order (hash of the mention; reach), so it does not depend on
the order of arrival or on how the stream was cut (bottom-k sampling: Cohen & Kaplan, PODC 2007).
A bucket is cut down whenever it has grown by as much again as it keeps: a mention costs an append.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from models.kept import ROW, Kept, Rows, pack, packed, unpacked
from models.language import LANGUAGES
from models.records import LABELS, Bool, Evidence, Int64, Observations, UInt64

BUCKET_MS = 600_000
_SLACK = 4096  # rows a bucket may hold beyond what it keeps
_MAX_KEY = np.uint64(2**64 - 1)
_CODE = {language: code for code, language in enumerate(LANGUAGES)}


class Bucket:
    """Rows of all brands in one span of time, cut down to the first ``sample`` and ``top``."""

    def __init__(self, brands: int, sample: int, top: int) -> None:
        self.rows: Rows = np.empty(0, dtype=ROW)
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

        ``blobs`` holds mentions that are packed, by row, and takes in those that are packed here.
        """
        rows = rows[self.may_stay(obs.brand[rows], obs.key[rows], obs.reach[rows])]
        if not len(rows):
            return False
        at = rows.tolist()
        new = np.zeros(len(rows), dtype=ROW)
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
    return Sample(rows[order], [unpacked(mentions[i]) for i in order.tolist()])


def samples(
    buckets: Iterable[Bucket], brands: Collection[int] | None = None
) -> Iterator[tuple[int, Sample]]:
    """What buckets hold of each brand, or of some, by time: of many in the time of a few."""
    parts: list[Rows] = []
    mentions: list[bytes] = []
    for bucket in buckets:
        rows, blobs = bucket.kept()
        if brands is not None:
            at = np.flatnonzero(np.isin(rows["brand"], np.fromiter(brands, np.int32)))
            rows, blobs = rows[at], [blobs[i] for i in at.tolist()]
        parts.append(rows)
        mentions += blobs
    rows = _joined(parts)
    order = np.lexsort((rows["key"], rows["published_ms"], rows["brand"]))
    rows = rows[order]
    cuts = np.flatnonzero(np.diff(rows["brand"], prepend=-1)).tolist()
    for first, last in pairwise([*cuts, len(rows)]):
        own = [unpacked(mentions[i]) for i in order[first:last].tolist()]
        yield int(rows["brand"][first]), Sample(rows[first:last], own)


def _joined(parts: Sequence[Rows]) -> Rows:
    """As ``np.concatenate``, which looks at every field of every part."""
    rows = np.empty(sum(map(len, parts)), dtype=ROW)
    first = 0
    for part in parts:
        rows[first : first + len(part)] = part
        first += len(part)
    return rows


def _ranked(brand: Int64, order: Int64) -> tuple[Int64, Int64]:
    """An order of rows as one within each brand, and each row's rank there."""
    if brand.max() < 1 << 16:
        brand = brand.astype(np.uint16)  # which NumPy sorts by digits, several times as fast
    order = order[np.argsort(brand[order], kind="stable")]
    brand = brand[order]
    new = np.flatnonzero(np.diff(brand.astype(np.int64), prepend=-1))
    start = np.repeat(new, np.diff(np.append(new, len(brand))))
    return order, np.arange(len(brand)) - start


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
