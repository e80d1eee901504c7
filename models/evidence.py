"""Evidence kept per brand: a uniform sample and the mentions with the widest reach.

Both are "the k smallest by a fixed order" (hash of the mention; reach), so what is kept does not
depend on the order of arrival or on how the stream was cut (bottom-k sampling: Cohen & Kaplan,
PODC 2007).  Ten-minute buckets for the last hour, a few an hour for the last day: memory per brand
is bounded whatever is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush, heapreplace
from typing import Any

import msgspec
import numpy as np

from models.records import Bool, Evidence, Int64, UInt64

BUCKET_MS = 600_000
HOUR_MS = 3_600_000
RECENT_BUCKETS = 7
SAMPLE, TOP = 12, 4  # a brand and ten minutes
HOURLY_SAMPLE, HOURLY_TOP = 6, 2  # a brand and hour, later
OLD_HOURS = 25
MAX_KEY = np.uint64(2**64 - 1)


class _Kept:
    """The evidence of one brand in one bucket."""

    __slots__ = ("sample", "top")

    def __init__(self) -> None:
        self.sample: list[tuple[int, int, Evidence]] = []  # a heap by minus the key
        self.top: list[tuple[int, int, Any]] = []  # a heap by reach

    def add(self, key: int, item: Evidence, sample: int, top: int) -> bool:
        """Keep the item if it belongs; whether it was kept."""
        kept = False
        by_key = (-key, item)
        if len(self.sample) < sample:
            heappush(self.sample, by_key)
            kept = True
        elif -key > self.sample[0][0]:
            heapreplace(self.sample, by_key)
            kept = True
        by_reach = (item.reach, -key, item)
        if len(self.top) < top:
            heappush(self.top, by_reach)
            kept = True
        elif by_reach[:2] > self.top[0][:2]:
            heapreplace(self.top, by_reach)
            kept = True
        return kept

    def items(self) -> dict[int, Evidence]:
        """Everything kept, once, by key."""
        found: dict[int, Evidence] = {-k: e for k, e in self.sample}
        return found | {-k: e for _, k, e in self.top}


class EvidenceStore:
    """Evidence of all brands.

    Parameters
    ----------
    brands : int
        Number of brands.
    """

    def __init__(self, brands: int) -> None:
        self._recent: dict[int, dict[int, _Kept]] = {}  # by bucket, by brand
        self._hourly: dict[int, dict[int, _Kept]] = {}  # by hour, by brand
        self._bucket = -1  # whose bounds the two arrays hold
        self._least_key = np.full(brands, MAX_KEY, dtype=np.uint64)
        self._least_reach = np.full(brands, -1, dtype=np.int64)
        self._fresh: dict[int, list[tuple[int, int, Evidence]]] = {}
        self._gone: list[int] = []
        self._parts = 0

    def add(
        self,
        brand: Int64,
        published_ms: Int64,
        key: UInt64,
        reach: Int64,
        build: Callable[[int], Evidence],
    ) -> None:
        """Offer observations; ``build(i)`` makes the record of those that are kept."""
        if not len(brand):
            return
        buckets = published_ms // BUCKET_MS
        for i in np.flatnonzero(self._may_stay(brand, buckets, key, reach)).tolist():
            self.insert(int(brand[i]), int(key[i]), build(i))

    def _may_stay(self, brand: Int64, buckets: Int64, key: UInt64, reach: Int64) -> Bool:
        newest = int(buckets.max())
        if newest > self._bucket:
            self._bucket = newest
            self._least_key[:] = MAX_KEY
            self._least_reach[:] = -1
        wide = reach >= self._least_reach[brand]
        stay: Bool = (key < self._least_key[brand]) | wide | (buckets != self._bucket)
        return stay

    def insert(self, brand: int, key: int, item: Evidence) -> None:
        """Keep one item if it belongs."""
        bucket = item.published_ms // BUCKET_MS
        kept = self._recent.setdefault(bucket, {}).setdefault(brand, _Kept())
        if not kept.add(key, item, SAMPLE, TOP):
            return
        self._fresh.setdefault(item.published_ms // HOUR_MS, []).append((brand, key, item))
        if bucket == self._bucket:
            if len(kept.sample) == SAMPLE:
                self._least_key[brand] = -kept.sample[0][0]
            if len(kept.top) == TOP:
                self._least_reach[brand] = kept.top[0][0]

    def thin(self, now_ms: int) -> None:
        """Move what is older than the recent buckets into hours, and drop what is over a day."""
        oldest = now_ms // BUCKET_MS - RECENT_BUCKETS
        for bucket in sorted(b for b in self._recent if b < oldest):
            hour = self._hourly.setdefault(bucket * BUCKET_MS // HOUR_MS, {})
            for brand, kept in self._recent.pop(bucket).items():
                into = hour.setdefault(brand, _Kept())
                for key, item in kept.items().items():
                    into.add(key, item, HOURLY_SAMPLE, HOURLY_TOP)
        for old in sorted(h for h in self._hourly if h < now_ms // HOUR_MS - OLD_HOURS):
            del self._hourly[old]
            self._gone.append(old)

    def window(self, brand: int, start_ms: int, end_ms: int) -> list[Evidence]:
        """What is kept of a brand with start <= time < end, by time."""
        return [e for e in self._all(brand) if start_ms <= e.published_ms < end_ms]

    def _all(self, brand: int) -> list[Evidence]:
        found: dict[int, Evidence] = {}
        for held in (*self._hourly.values(), *self._recent.values()):
            if brand in held:
                found |= held[brand].items()
        return [found[key] for key in sorted(found, key=lambda k: (found[k].published_ms, k))]

    def changes(self) -> list[tuple[str, bytes | None]]:
        """What was kept since the last call, by hour; hours to drop (``None``)."""
        pieces: list[tuple[str, bytes | None]] = [(f"{hour}/", None) for hour in self._gone]
        for hour, items in self._fresh.items():
            self._parts += 1
            pieces.append((f"{hour}/{self._parts}", msgspec.msgpack.encode(items)))
        self._fresh, self._gone = {}, []
        return pieces

    def restore(self, pieces: dict[str, bytes], now_ms: int) -> None:
        """Take up stored pieces."""
        decoder = msgspec.msgpack.Decoder(list[tuple[int, int, Evidence]])
        for name in sorted(pieces, key=lambda n: tuple(map(int, n.split("/")))):
            self._parts = max(self._parts, int(name.split("/")[1]))
            for brand, key, item in decoder.decode(pieces[name]):
                self.insert(brand, key, item)
        self._fresh.clear()
        self.thin(now_ms)
