"""What a mention leaves behind by which it can be told that others did the same.

Near-duplicate text is found by MinHash signatures (A. Broder, *On the resemblance and containment
of documents*, 1997) over words, cut into bands (locality-sensitive hashing; P. Indyk, R. Motwani,
1998): texts that share half of their words share a band with high probability.  All texts of a
batch are read at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

import numpy as np
from msgspec import Struct

from models.kept import Kept
from models.records import Bool, Float32, Int64, Mention, UInt32, UInt64
from models.tokens import PLAIN_BITS, Tokens, tokens_of

BANDS, ROWS = 8, 2  # texts with Jaccard similarity .5 share a band in 9 of 10 cases, .2 in 3 of 10
MAX_KEYS = 16
_MIX = np.uint32(0x85EBCA6B)

_TAG = re.compile(r"#(\w+)")
_LINK = re.compile(r"https?://\S+|www\.\S+")
_LINK_PARTS = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*://)?([^/?#]*)([^?#]*)(?:\?([^#]*))?")
_TRACKING = re.compile(r"^(?:utm_\w+|fbclid|gclid|igshid|igsh|mc_[ce]id|ref|ref_src|s|t|si)$")


class Key(Struct, frozen=True, gc=False):
    """A thing that several mentions may share."""

    kind: str  # link, tag, tags, media, repost, reply
    value: str  # what is compared
    shown: str

    @property
    def hash(self) -> int:
        """The same in every process."""
        return hash64(f"{self.kind}|{self.value}")


@dataclass(frozen=True, slots=True)
class Words:
    """Distinct words of texts.

    Attributes
    ----------
    hashes : uint32[total]
        Ascending within a text.
    bits : float32[total]
        How much each tells where nothing is known of the brand.
    starts : int64[n + 1]
    bands : uint64[n, BANDS]
        Keys of near-duplicates, of the words that tell more than others.
    """

    hashes: UInt32
    bits: Float32
    starts: Int64
    bands: UInt64

    def __len__(self) -> int:
        return len(self.starts) - 1


def words_of(texts: Sequence[str]) -> Words:
    """Words and signatures of texts, without links, handles and hashtags, in any script.

    Letters that look like others are read as these, and what cannot be seen is left out.

    Examples
    --------
    >>> two = words_of(["Boycott Acme now", "boycott \u0410cm\u200be NOW!"])
    >>> bool((two.bands[0] == two.bands[1]).all())
    True
    """
    # hashtags are shared as such, and an event's are in everybody's text
    texts = [_TAG.sub(" ", text) if "#" in text else text for text in texts]
    if not any(texts):
        return _silence(len(texts))
    return words(tokens_of(texts))


def words(tokens: Tokens) -> Words:
    """Words and signatures of texts whose tokens are known."""
    once = tokens.distinct(tokens.bits > 0)
    return signed(once, once.bits > PLAIN_BITS)


def signed(once: Tokens, telling: Bool) -> Words:
    """The same of distinct words, of which some make the signatures."""
    kept = np.concatenate([[0], np.cumsum(telling)])[once.starts]
    return Words(once.hashes, once.bits, once.starts, _bands(once.hashes[telling], kept))


def _silence(count: int) -> Words:
    """What texts without any sign say."""
    return Words(
        np.empty(0, np.uint32),
        np.empty(0, np.float32),
        np.zeros(count + 1, np.int64),
        np.zeros((count, BANDS), np.uint64),
    )


def keys_of(mention: Mention | Kept) -> list[Key]:
    """Links, hashtags, media, and what is reposted or answered.

    Of a repost only that: what else is in it was put there by somebody else, and who passes on one
    post has not shared four things.
    """
    keys = []
    if mention.repost_of:
        reposted = f"{mention.platform}|{mention.repost_of}"
        keys.append(Key("repost", reposted, mention.repost_of))
        if mention.kind == "repost":
            return keys
    if mention.in_reply_to:
        answered = f"{mention.platform}|{mention.in_reply_to}"
        keys.append(Key("reply", answered, mention.in_reply_to))
    for media in mention.media:
        keys.append(Key("media", media, media))
    text = mention.text
    for link in links_of(mention):
        canonical = canonical_link(link)
        keys.append(Key("link", canonical, canonical))
    if "#" in text:
        tags = [f"#{tag}" for tag in dict.fromkeys(t.lower() for t in _TAG.findall(text))]
        if len(tags) > 1:
            together = " ".join(tags)
            keys.append(Key("tags", together, together))
        keys += [Key("tag", tag, tag) for tag in tags]
    return list(dict.fromkeys(keys))[:MAX_KEYS] if len(keys) > 1 else keys


def links_of(mention: Mention | Kept) -> Sequence[str]:
    """The links that are given, else those in the text."""
    return mention.links or links_in(mention.text)


def links_in(text: str) -> Sequence[str]:
    """The links in a text."""
    return _LINK.findall(text) if "://" in text else ()


def canonical_link(link: str) -> str:
    """Host and path of a link without what only tells who shared it; short links stay as they are.

    Examples
    --------
    >>> canonical_link("https://www.Acme.example/News/?utm_source=x&id=7#top")
    'acme.example/News?id=7'
    """
    match = _LINK_PARTS.match(link.strip())
    assert match is not None  # every part may be empty
    host, path, query = match.groups()
    host, path = host.lower().rpartition("@")[2].removeprefix("www."), path.rstrip("/")
    if not query:
        return host + path
    kept = sorted(p for p in query.split("&") if p and not _TRACKING.match(p.partition("=")[0]))
    return host + path + ("?" + "&".join(kept) if kept else "")


def hash64(text: str) -> int:
    """A hash that is the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


@cache
def _permutations() -> tuple[UInt32, UInt32]:
    draw = np.random.default_rng(20_26)
    many = BANDS * ROWS
    factors = draw.integers(0, 1 << 31, many, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, draw.integers(0, 1 << 32, many, dtype=np.uint32)


def _bands(hashes: UInt32, starts: Int64) -> UInt64:
    count = len(starts) - 1
    bands = np.zeros((count, BANDS), dtype=np.uint64)
    filled = np.flatnonzero(np.diff(starts))
    if not len(filled):
        return bands
    begins = starts[filled]
    factors, shifts = _permutations()
    for band in range(BANDS):
        key = np.full(len(filled), band + 1, dtype=np.uint64)
        for j in range(band * ROWS, (band + 1) * ROWS):
            mixed = hashes * factors[j] + shifts[j]
            mixed ^= mixed >> np.uint32(15)
            mixed *= _MIX
            least = np.minimum.reduceat(mixed, begins).astype(np.uint64)
            key = (key ^ least) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        bands[filled, band] = key
    return bands
