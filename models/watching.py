"""Which brands deserve a look: cheap marks of rumours and of groups, for all brands at once.

A look at a brand's posts costs tens of microseconds each, and in calm hours there is nothing to be
seen.  So what comes in ten minutes is first searched, for all brands together, for claims that are
passed on and for things (near-duplicate texts, links, hashtags, media, reposted posts) that several
accounts share and that were not shared in the hours before.  Only where there are enough, and more
than is usual for the brand, is looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from models.buckets import BUCKET_MS, Bucket
from models.coordination.traces import keys_of, signed
from models.evidence import HOUR_MS
from models.kept import Kept, unpacked
from models.narratives.claims import Stance, shipped_claims
from models.records import Bool, Brand, Float32, Float64, Int64, UInt64
from models.tokens import PLAIN_BITS, Tokens, tokens_of

GROWTH = 2.0  # over what is usual
LEAST_CLAIMS, CHANCE = 5.0, 3.0  # the latter in standard deviations of a count
LEAST_SHARED, FRESH_GROWTH, JUST_NOW = 5, 8.0, 2
_LEAST_BITS = 22.0  # a text that tells less is nobody's copy, whatever link comes with it
_LEAST_BESIDE = 8.0  # the brand's name
_WEIGHTS = np.zeros(len(Stance), dtype=np.float32)
_WEIGHTS[[Stance.HEARSAY, Stance.CLAIM, Stance.QUESTION]] = 1.0, 0.75, 0.7
_LOW, _HASH_BITS = np.uint64(0xFFFF), np.uint64(32)
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
    brands : sequence of Brand
    """

    def __init__(self, brands: Sequence[Brand]) -> None:
        self._brands = len(brands)
        self._names = _names(brands)
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
        late, early = self._between(at - _HOUR, at), self._between(at - _KEPT, at - _HOUR)
        nobody = np.zeros(self._brands)
        usual = sum((m.claims for m in early), nobody) / 2
        by_chance = usual + CHANCE * np.sqrt(usual + 1)
        least = np.maximum(np.maximum(LEAST_CLAIMS, GROWTH * usual), by_chance)
        stirred = (sum((m.claims for m in late), nobody) >= least) & (self._marks[at].claims > 0)
        return [int(b) for b in np.flatnonzero(stirred)]

    def shared(self, at: int) -> list[int]:
        """Brands in which a group may act, by what was shared in the hour until then."""
        sharing = self._sharing(at, at - _KEPT)
        if not (sharing >= LEAST_SHARED).any():
            return []
        # some talk is so uniform that there is always something new that several share
        usual = [self._sharing(at - ago, at - _KEPT) for ago in (_HOUR, _HOUR + _HALF)]
        least = np.maximum(LEAST_SHARED, GROWTH * sum(usual) / len(usual))
        return [int(b) for b in np.flatnonzero(sharing >= least)]

    def _sharing(self, at: int, after: int) -> Int64:
        """Accounts of each brand that share, in the hour up to ``at``, what hardly any did before.

        They share a text with enough others, or two other things: one popular link joins nobody.
        """
        fresh = _often(self._between(at - _HALF, at))
        late, early = self._between(at - _HOUR, at), self._between(after, at - _HOUR)
        crowds = _crowds(late, fresh, early, (at - _HOUR - after) / _HOUR)
        pairs = np.stack([crowds.brands, crowds.accounts])
        others, things = _distinct(pairs[:, ~crowds.text])
        both, _ = _distinct(np.concatenate([pairs[:, crowds.text], others[:, things > 1]], axis=1))
        return np.bincount(both[0], minlength=self._brands)

    def _between(self, after: int, last: int) -> list[Marks]:
        return [self._marks[a] for a in range(after + 1, last + 1) if a in self._marks]

    def _read(self, buckets: Mapping[int, Bucket]) -> Iterator[tuple[int, Marks]]:
        """Read some buckets at once."""
        held = {at: bucket.kept() for at, bucket in buckets.items()}
        kept = [unpacked(blob) for _, mentions in held.values() for blob in mentions]
        if not kept:
            return
        every = np.concatenate([rows["brand"] for rows, _ in held.values()]).astype(np.uint64)
        tokens = tokens_of([k.text for k in kept])
        claims = _WEIGHTS[shipped_claims().stances(tokens)]
        once = tokens.distinct(tokens.bits > 0)
        named = self._named(once, every)
        said = signed(once, (once.bits > PLAIN_BITS) & ~named)
        tells = _sums(once.bits, once) >= _LEAST_BITS
        tells &= _sums(np.where(named, 0, once.bits), once) >= _LEAST_BESIDE
        first = 0
        for at, (rows, mentions) in held.items():
            last = first + len(mentions)
            brand = rows["brand"].astype(np.int64)
            bands = np.where(tells[first:last, None], said.bands[first:last], 0)
            keys = _keys(brand, kept[first:last], bands)
            sums = np.bincount(brand, claims[first:last], self._brands).astype(np.float64)
            yield at, Marks(sums, *keys)
            first = last

    def _named(self, once: Tokens, brand: UInt64) -> Bool:
        """Which words name their text's brand: whoever speaks of it says them."""
        named = np.zeros(len(once.hashes), dtype=np.bool_)
        named[_among(brand[once.rows] << _HASH_BITS | once.hashes, self._names)] = True
        return named


def _sums(bits: Float32, tokens: Tokens) -> Float32:
    """What is told by each text in all."""
    sums: Float32 = np.add.reduceat(np.append(bits, np.float32(0)), tokens.starts[:-1])
    sums[np.diff(tokens.starts) == 0] = 0.0
    return sums


def _names(brands: Sequence[Brand]) -> UInt64:
    """Words of the brands' names, each with its brand, ascending."""
    names = [(i, name) for i, b in enumerate(brands) for name in b.names]
    tokens = tokens_of([name for _, name in names])
    brand = np.array([i for i, _ in names], dtype=np.uint64)
    return np.unique(brand[tokens.rows] << _HASH_BITS | tokens.hashes)


def _keys(brand: Int64, kept: list[Kept], bands: UInt64) -> tuple[UInt64, Int64, Int64, Bool]:
    """What each post leaves behind, of its brand, and whose it is."""
    accounts = np.array([hash((k.platform, k.author_id or k.handle)) for k in kept], dtype=np.int64)
    bands[[k.repost_of is not None for k in kept]] = 0
    of, band = np.nonzero(bands)
    shared: list[int] = []
    rows: list[int] = []
    for row, k in enumerate(kept):
        if "#" in k.text or "://" in k.text or k.links or k.media or k.repost_of:
            keys = [hash(key) for key in keys_of(k) if key.kind != "reply"]
            shared += keys
            rows += [row] * len(keys)
    at = np.concatenate([of, np.array(rows, dtype=np.int64)]).astype(np.int64)
    mixed = np.concatenate([bands[of, band], np.array(shared, dtype=np.int64).view(np.uint64)])
    mixed ^= (brand[at].astype(np.uint64) + np.uint64(1)) * _BRAND_MIX
    return mixed, brand[at], accounts[at], np.arange(len(at)) < len(of)


def _often(marks: Sequence[Marks]) -> UInt64:
    """Keys that come more than once."""
    if not marks:
        return np.empty(0, dtype=np.uint64)
    keys, counts = np.unique(np.concatenate([m.keys for m in marks]), return_counts=True)
    return keys[counts >= JUST_NOW]


class _Crowds(NamedTuple):
    """Who shares what with enough others: each account once for a key."""

    brands: Int64
    accounts: Int64
    text: Bool


def _crowds(
    late: Sequence[Marks], fresh: UInt64, early: Sequence[Marks], early_hours: float
) -> _Crowds:
    """Accounts that share some keys in an hour, where these were rare in the hours before."""
    if not len(fresh):
        nothing = np.empty(0, dtype=np.int64)
        return _Crowds(nothing, nothing, nothing.astype(np.bool_))
    keys = np.concatenate([m.keys for m in late])
    inside = _among(keys, fresh)
    keys = keys[inside]
    accounts, brands, text = (
        np.concatenate([getattr(m, name) for m in late])[inside]
        for name in ("accounts", "brands", "text")
    )
    once, _ = _runs(accounts, keys)
    keys, accounts, brands, text = (each[once] for each in (keys, accounts, brands, text))
    begins = np.flatnonzero(np.diff(keys, prepend=~keys[:1]))
    each_key, counts = keys[begins], np.diff(begins, append=len(keys))
    many = counts >= LEAST_SHARED
    if early and many.any():
        before = np.concatenate([m.keys for m in early])
        before = np.sort(before[_among(before, each_key[many])])
        past = np.searchsorted(before, each_key, "right") - np.searchsorted(before, each_key)
        many &= counts >= FRESH_GROWTH * past / early_hours
    rows = np.repeat(many, counts)
    return _Crowds(brands[rows], accounts[rows], text[rows])


def _distinct(pairs: Int64) -> tuple[Int64, Int64]:
    """Different columns of a table of two rows, and how many there are of each."""
    first, counts = _runs(pairs[1], pairs[0])
    return pairs[:, first], counts


def _runs(minor: Int64, major: Int64 | UInt64) -> tuple[Int64, Int64]:
    """Where each different pair is first, in order, and how many there are of it.

    `numpy.unique` with an axis does the same by comparing bytes, and takes four times as long.
    """
    order = np.lexsort((minor, major))
    minor, major = minor[order], major[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (minor[1:] != minor[:-1]) | (major[1:] != major[:-1])
    begins = np.flatnonzero(new)
    return order[begins], np.diff(begins, append=len(order))


def _among(keys: UInt64, known: UInt64) -> Int64:
    """Which keys are known; what is known is ascending."""
    may_be = np.zeros(1 << 16, dtype=np.bool_)  # most are ruled out by a part of their bits
    may_be[known & _LOW] = True
    rows = np.flatnonzero(may_be[keys & _LOW])
    near = keys[rows]
    at = known.searchsorted(near)
    at[at == len(known)] = 0
    found: Int64 = rows[known[at] == near]
    return found
