"""Which brands deserve a look: cheap marks of rumours and of groups, for all brands at once.

A look at a brand's posts costs tens of microseconds each, and in calm hours there is nothing to be
seen.  So what comes in ten minutes is first searched, for all brands together, for claims that are
passed on and for things (near-duplicate texts, links, hashtags, media, reposted posts) that several
accounts share and that were not shared in the hours before.  Only where there are enough is looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from models.coordination.posts import mention_of
from models.coordination.traces import keys_of, words
from models.evidence import BUCKET_MS, HOUR_MS, Bucket, Kept, unpacked
from models.narratives.claims import Stance, shipped_claims
from models.records import Bool, Float64, Int64, UInt64
from models.tokens import tokens_of

LEAST_CLAIMS, CLAIMS_GROWTH = 5.0, 2.0
LEAST_SHARED, SHARED_GROWTH, JUST_NOW = 5, 8.0, 2
_LEAST_BITS = 22.0  # a text that tells less is nobody's copy, whatever link comes with it
_WEIGHTS = np.zeros(len(Stance), dtype=np.float32)
_WEIGHTS[[Stance.HEARSAY, Stance.CLAIM, Stance.QUESTION]] = 1.0, 0.75, 0.7
_BRAND_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF, _HOUR, _KEPT = 3, HOUR_MS // BUCKET_MS, 3 * HOUR_MS // BUCKET_MS


class Marks(NamedTuple):
    """What one ten minutes hold, of all brands.

    Attributes
    ----------
    claims : float64[brands]
        How much their posts pass claims on.
    keys : uint64[k]
        What posts leave behind, of their brand.
    brands, accounts : int64[k]
        Whose brand it is of, and who left it.
    text : bool[k]
        Whether it is the wording of a post that is no repost.
    """

    claims: Float64
    keys: UInt64
    brands: Int64
    accounts: Int64
    text: Bool


class Watch:
    """Follows the posts of all brands.

    What it holds is read off the posts, so it needs no state of its own.

    Parameters
    ----------
    brands : int
        Number of brands.
    """

    def __init__(self, brands: int) -> None:
        self._brands = brands
        self._marks: dict[int, Marks] = {}

    def read(self, buckets: Mapping[int, Bucket], last: int) -> None:
        """Read ten minutes up to ``last``, to which nothing will be added any more."""
        for old in [a for a in self._marks if a not in buckets]:
            del self._marks[old]
        new = {a: b for a, b in buckets.items() if a <= last and a not in self._marks}
        self._marks.update(self._read(new))

    def claims(self, at: int) -> list[int]:
        """Brands in which a rumour may have begun by the end of the ten minutes ``at``."""
        if at not in self._marks:
            return []
        late, early = self._spans(at)
        nobody = np.zeros(self._brands)
        past = sum((m.claims for m in early), nobody)
        least = np.maximum(LEAST_CLAIMS, CLAIMS_GROWTH * past / 2)
        stirred = (sum((m.claims for m in late), nobody) >= least) & (self._marks[at].claims > 0)
        return [int(b) for b in np.flatnonzero(stirred)]

    def shared(self, at: int) -> list[int]:
        """Brands in which a group may act, by what was shared in the half hour until then."""
        late, early = self._spans(at)
        now = [self._marks[a] for a in range(at - _HALF + 1, at + 1) if a in self._marks]
        return _shared(now, late, early) if now else []

    def _spans(self, at: int) -> tuple[list[Marks], list[Marks]]:
        """The latest hour, and the two before."""
        spans = [(a, self._marks[a]) for a in range(at - _KEPT + 1, at + 1) if a in self._marks]
        return [m for a, m in spans if a > at - _HOUR], [m for a, m in spans if a <= at - _HOUR]

    def _read(self, buckets: Mapping[int, Bucket]) -> Iterator[tuple[int, Marks]]:
        """Read some buckets at once."""
        held = {at: bucket.kept() for at, bucket in buckets.items()}
        kept = [unpacked(blob) for _, mentions in held.values() for blob in mentions]
        if not kept:
            return
        tokens = tokens_of([k.text for k in kept])
        said = words(tokens)
        claims = _WEIGHTS[shipped_claims().stances(tokens)]
        tells = np.add.reduceat(np.append(said.bits, 0.0), said.starts[:-1])
        tells[np.diff(said.starts) == 0] = 0.0
        first = 0
        for at, (rows, mentions) in held.items():
            last = first + len(mentions)
            brand = rows["brand"].astype(np.int64)
            bands = np.where(tells[first:last, None] >= _LEAST_BITS, said.bands[first:last], 0)
            keys = _keys(brand, kept[first:last], bands)
            sums = np.bincount(brand, claims[first:last], self._brands).astype(np.float64)
            yield at, Marks(sums, *keys)
            first = last


def _keys(brand: Int64, kept: list[Kept], bands: UInt64) -> tuple[UInt64, Int64, Int64, Bool]:
    """What each post leaves behind, of its brand, and whose it is."""
    accounts = np.array([hash((k.platform, k.author_id or k.handle)) for k in kept], dtype=np.int64)
    bands[[k.repost_of is not None for k in kept]] = 0
    of, band = np.nonzero(bands)
    shared: list[int] = []
    rows: list[int] = []
    for row, k in enumerate(kept):
        if "#" in k.text or "://" in k.text or k.links or k.media or k.repost_of:
            keys = [key.hash for key in keys_of(mention_of(k, 0)) if key.kind != "reply"]
            shared += keys
            rows += [row] * len(keys)
    at = np.concatenate([of, np.array(rows, dtype=np.int64)]).astype(np.int64)
    mixed = np.concatenate([bands[of, band], np.array(shared, dtype=np.uint64)])
    mixed ^= (brand[at].astype(np.uint64) + np.uint64(1)) * _BRAND_MIX
    return mixed, brand[at], accounts[at], np.arange(len(at)) < len(of)


def _shared(now: list[Marks], late: list[Marks], early: list[Marks]) -> list[int]:
    """Brands in which accounts share what hardly anyone did before.

    So many of them a text, or each of them two other things: one popular link joins nobody.
    """
    fresh, counts = np.unique(np.concatenate([m.keys for m in now]), return_counts=True)
    fresh = fresh[counts >= JUST_NOW]
    if not len(fresh):
        return []
    keys = np.concatenate([m.keys for m in late])
    inside = np.isin(keys, fresh)
    keys = keys[inside]
    accounts, brands, text = (
        np.concatenate([getattr(m, name) for m in late])[inside]
        for name in ("accounts", "brands", "text")
    )
    order = np.lexsort((accounts, keys))
    keys, accounts, brands, text = (each[order] for each in (keys, accounts, brands, text))
    new = np.ones(len(keys), dtype=np.bool_)  # each account once for a key
    new[1:] = (keys[1:] != keys[:-1]) | (accounts[1:] != accounts[:-1])
    keys, accounts, brands, text = (each[new] for each in (keys, accounts, brands, text))
    each_key, at, counts = np.unique(keys, return_inverse=True, return_counts=True)
    many = counts >= LEAST_SHARED
    if early and many.any():
        before = np.concatenate([m.keys for m in early])
        before = np.sort(before[np.isin(before, each_key[many])])
        past = np.searchsorted(before, each_key, "right") - np.searchsorted(before, each_key)
        many &= counts >= SHARED_GROWTH * past / 2
    rows = many[at]
    stirred = {int(b) for b in np.unique(brands[rows & text])}
    both = np.stack([brands[rows & ~text], accounts[rows & ~text]])
    pairs, things = np.unique(both, axis=1, return_counts=True)
    again, accounts_again = np.unique(pairs[0, things > 1], return_counts=True)
    stirred |= {int(b) for b in again[accounts_again >= LEAST_SHARED]}
    return sorted(stirred)
