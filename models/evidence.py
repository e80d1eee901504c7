"""Evidence kept per brand: a uniform sample and the mentions with the widest reach.

Ten-minute buckets for this hour and the last, a few mentions an hour for the day before: memory per
brand is bounded whatever is sent.
"""

from __future__ import annotations

from models.buckets import BUCKET_MS, Bucket, Sample, by_bucket, sample
from models.kept import unpack
from models.records import Int64, Observations

HOUR_MS = 3_600_000
SAMPLE, TOP = 12, 4  # a brand and ten minutes
HOURLY_SAMPLE, HOURLY_TOP = 3, 1  # a brand and hour, later
OLD_HOURS = 25


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
        """Offer some observations; ``blobs`` holds mentions that are packed, and takes in more."""
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
