"""Advocates of all brands, from the posts that are kept, hour by hour; who of them speaks up now.

Only whole hours are taken in, so that what is known does not depend on how a stream was cut; the
threads of the latest hours are read off the posts themselves, so accounts are all the state.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import msgspec

from models.buckets import BUCKET_MS, Sample, samples
from models.coordination.posts import PostStore
from models.coordination.traces import hash64
from models.coordination.window import DAY_MS
from models.evidence import HOUR_MS
from models.kept import Kept
from models.narratives.advocates import Account, advocate_of, days_of
from models.records import Advocate, Brand, Defence
from models.returning import Returning

CAPACITY = 384  # accounts a brand
_SLACK = 1.25
_SHOWN = 5
_FILTER_BITS = 15
_Filters = tuple[int, int, bytes, bytes, bytes]
_PACK = msgspec.msgpack.Encoder().encode


class Stored(msgspec.Struct, array_like=True):
    """What is stored of a brand, in one piece: each record costs more than what is in it."""

    accounts: dict[int, Account]
    seen: bytes  # filters, compressed: they are mostly empty

    @classmethod
    def read(cls, piece: bytes) -> Stored:
        """Read a piece of state."""
        return msgspec.msgpack.decode(piece, type=cls)

    def piece(self) -> bytes:
        """The piece of state."""
        return msgspec.msgpack.encode(self)


_UNPACK = msgspec.msgpack.Decoder(Account).decode


class _Packed(msgspec.Struct, array_like=True):
    """The same, accounts as they are held."""

    accounts: dict[int, msgspec.Raw]
    seen: bytes


class Supporters:
    """Accounts that praise brands, and the steady ones among them.

    Parameters
    ----------
    brands : sequence of Brand
    capacity : int
        Accounts of a brand; those with support on the most days stay.
    """

    def __init__(self, brands: Sequence[Brand], capacity: int = CAPACITY) -> None:
        self._brands = brands
        self._capacity = capacity
        # packed: of many brands they would be most of what is held
        self._accounts: list[dict[int, bytes]] = [{} for _ in brands]
        self._seen = [Returning(_FILTER_BITS) for _ in brands]
        self._changed: set[int] = set()  # brands

    def __len__(self) -> int:
        return sum(map(len, self._accounts))

    def learn(self, posts: PostStore, first_hour: int, last_hour: int) -> None:
        """Take in the posts of closed hours, the last not included."""
        hour = HOUR_MS // BUCKET_MS
        for brand, some in samples(posts.between(first_hour * hour, last_hour * hour)):
            self._learn(brand, some)

    def _learn(self, brand: int, posts: Sample) -> None:
        accounts, seen = self._accounts[brand], self._seen[brand]
        rows = zip(posts.rows["published_ms"].tolist(), posts.rows["label"].tolist())
        for kept, (at_ms, label) in zip(posts.mentions, rows):
            key = _key(kept)
            packed = accounts.get(key)
            if not key or (packed is None and label != 2):
                continue
            back = label == 2 and seen.back(key, at_ms // DAY_MS)
            if packed is not None:
                account = _UNPACK(packed)
            else:
                name = kept.author_id or kept.handle or ""
                account = Account(name, kept.platform, kept.handle, kept.followers, at_ms, at_ms)
                account.back = back
            if label == 2:
                account.support(at_ms)
            account.mentions += 1
            account.negative += label == 0
            account.last_ms, account.followers = at_ms, kept.followers
            accounts[key] = _PACK(account)
            self._changed.add(brand)
        if len(accounts) > _SLACK * self._capacity:
            self._let_go(brand, int(posts.rows["published_ms"][-1]))

    def _let_go(self, brand: int, now_ms: int) -> None:
        accounts = self._accounts[brand]

        def standing(key: int) -> tuple[int, int, int]:
            account = _UNPACK(accounts[key])
            days = days_of(account, now_ms).bit_count()
            return days + (account.back and days > 0), account.last_ms, key

        order = sorted(accounts, key=standing)
        for key in order[: len(order) - self._capacity]:
            del accounts[key]

    def defence(self, brand: int, posts: Sample, start_ms: int, end_ms: int) -> Defence | None:
        """Advocates among those who post, and the critical threads that they answer.

        Parameters
        ----------
        brand : int
        posts : Sample
            By time, with those before ``start_ms`` that may be answered.
        start_ms, end_ms : int
        """
        known = {
            key: found
            for key, packed in self._accounts[brand].items()
            if (found := advocate_of(_UNPACK(packed), end_ms)) is not None
        }
        threads: dict[tuple[str, str], set[int]] = {}  # who answered, by critical post
        critics: dict[tuple[str, str], int] = {}
        active: dict[int, Advocate] = {}
        rows = zip(posts.rows["published_ms"].tolist(), posts.rows["label"].tolist())
        for kept, (at_ms, label) in zip(posts.mentions, rows):
            key, parent = _key(kept), (kept.platform, kept.in_reply_to or "")
            if at_ms >= start_ms and key in known:
                active[key] = known[key]
            if parent in threads:
                if label != 0 and key != critics[parent]:
                    threads[parent].add(key)
            elif label == 0 and at_ms >= start_ms and kept.kind != "repost":
                threads[kept.platform, kept.id] = set()
                critics[kept.platform, kept.id] = key
        if not known:
            return None
        shown = sorted(active.values(), key=lambda a: (-a.days, -a.supportive, a.account))
        return Defence(
            threads=len(threads),
            answered=sum(not known.keys().isdisjoint(who) for who in threads.values()),
            active=len(shown),
            advocates=tuple(shown[:_SHOWN]),
        )

    # state ----------------------------------------------------------------------------------

    def changes(self) -> list[tuple[str, bytes | None]]:
        """Pieces that changed since the last call."""
        pieces: list[tuple[str, bytes | None]] = []
        for brand in sorted(self._changed):
            seen = zlib.compress(msgspec.msgpack.encode(self._seen[brand].snapshot()), level=1)
            accounts = {key: msgspec.Raw(a) for key, a in self._accounts[brand].items()}
            pieces.append((self._brands[brand].id, _PACK(_Packed(accounts, seen))))
        self._changed.clear()
        return pieces

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up what was stored, also for another list of brands."""
        at = {brand.id: i for i, brand in enumerate(self._brands)}
        for brand_id, piece in pieces.items():
            if (brand := at.get(brand_id)) is not None:
                stored = msgspec.msgpack.decode(piece, type=_Packed)
                self._accounts[brand] = {key: bytes(raw) for key, raw in stored.accounts.items()}
                filters = msgspec.msgpack.decode(zlib.decompress(stored.seen), type=_Filters)
                self._seen[brand].restore(filters)


def _key(kept: Kept) -> int:
    name = kept.author_id or kept.handle
    return hash64(f"{kept.platform}|{name}") if name else 0
