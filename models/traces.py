"""What a mention leaves behind by which it can be told that others did the same.

Near-duplicate text is found by MinHash signatures (A. Broder, *On the resemblance and containment
of documents*, 1997) over words, cut into bands (locality-sensitive hashing; P. Indyk, R. Motwani,
1998): texts that share half of their words share a band with high probability.  All texts of a
batch are read at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.records import Float32, Int64, Mention, UInt32, UInt64
from models.sentiment.features import CHUNK_CHARS, clean, word_tokens
from models.terms import STOP_WORDS
from models.text import TABLE_SIZE, CodeBatch, normalise

BANDS, ROWS = 8, 2  # texts with Jaccard similarity .5 share a band in 9 of 10 cases, .2 in 3 of 10
MAX_WORDS = 64
MAX_KEYS = 16
_ARTIFACTS = Path(__file__).parent / "artifacts"
_CHARS = 1000  # more of a text is not read
_WORD = 0x40000000  # flag of features.clean
_CODE = 0x00FFFFFF
_MIX = np.uint32(0x85EBCA6B)

# how much a word tells, in bits, by its length and where nothing else is known: that two people
# who speak of the same thing both use it has a chance of two to the minus so many
_BITS = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 7.0, 8.0], dtype=np.float32)
_PLAIN_BITS = 2.0  # of stop words and numbers

_TAG = re.compile(r"#(\w+)")
_LINK = re.compile(r"https?://\S+|www\.\S+")
_LINK_PARTS = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*://)?([^/?#]*)([^?#]*)(?:\?([^#]*))?")
_TRACKING = re.compile(r"^(?:utm_\w+|fbclid|gclid|igshid|igsh|mc_[ce]id|ref|ref_src|s|t|si)$")


class Key(NamedTuple):
    """A thing that several mentions may share."""

    kind: str  # link, tag, tags, media, repost, reply
    hash: int
    shown: str


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
    """Words and signatures of texts, without links and handles, in any script.

    Letters that look like others are read as these, and what cannot be seen is left out.

    Examples
    --------
    >>> two = words_of(["Boycott Acme now", "boycott \u0410cm\u200be NOW!"])
    >>> bool((two.bands[0] == two.bands[1]).all())
    True
    """
    batch = normalise([text[:_CHARS] for text in texts])
    found = [_words(chunk, first) for first, chunk in _chunks(_folded(batch))]
    hashes = np.concatenate([h for h, _, _ in found]) if found else np.empty(0, np.uint32)
    bits = np.concatenate([b for _, b, _ in found]) if found else np.empty(0, np.float32)
    rows = np.concatenate([r for _, _, r in found]) if found else np.empty(0, np.int64)
    starts = np.searchsorted(rows, np.arange(len(texts) + 1))
    telling = bits > _PLAIN_BITS
    kept = np.concatenate([[0], np.cumsum(telling)])[starts]
    return Words(hashes, bits, starts, _bands(hashes[telling], kept))


def keys_of(mention: Mention) -> list[Key]:
    """Links, hashtags, media, and what is reposted or answered."""
    values = list(dict.fromkeys(_values(mention)))[:MAX_KEYS]
    return [Key(kind, hash64(f"{kind}|{value}"), shown) for kind, value, shown in values]


def _values(mention: Mention) -> Iterator[tuple[str, str, str]]:
    """Kind, what is compared, what is shown."""
    if mention.repost_of:
        yield "repost", f"{mention.platform}|{mention.repost_of}", mention.repost_of
    if mention.in_reply_to:
        yield "reply", f"{mention.platform}|{mention.in_reply_to}", mention.in_reply_to
    for media in mention.media:
        yield "media", media, media
    text = mention.text
    for link in mention.links or (_LINK.findall(text) if "://" in text else ()):
        canonical = canonical_link(link)
        yield "link", canonical, canonical
    if "#" in text:
        tags = [f"#{tag}" for tag in dict.fromkeys(t.lower() for t in _TAG.findall(text))]
        if len(tags) > 1:
            together = " ".join(tags)
            yield "tags", together, together
        yield from (("tag", tag, tag) for tag in tags)


def canonical_link(link: str) -> str:
    """Host and path of a link without what only tells who shared it; short links stay as they are.

    Examples
    --------
    >>> canonical_link("https://www.Acme.example/News/?utm_source=x&id=7#top")
    'acme.example/News?id=7'
    """
    match = _LINK_PARTS.match(link.strip())
    assert match is not None  # every part may be empty
    host, path, query = match[1].lower(), match[2].rstrip("/"), match[3]
    host = host.rpartition("@")[2].removeprefix("www.")
    if not query:
        return host + path
    kept = sorted(p for p in query.split("&") if p and not _TRACKING.match(p.partition("=")[0]))
    return host + path + ("?" + "&".join(kept) if kept else "")


def hash64(text: str) -> int:
    """A hash that is the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _folded(batch: CodeBatch) -> CodeBatch:
    return CodeBatch(_look_alikes().take(batch.codes, mode="clip"), batch.starts)


@cache
def _look_alikes() -> UInt32:
    """Letters of other alphabets as the ones they are taken for (UTS #39), by code point."""
    table = np.arange(TABLE_SIZE, dtype=np.uint32)
    for line in (_ARTIFACTS / "confusables.tsv").read_text(encoding="utf-8").splitlines():
        to, _, letters = line.partition("\t")
        if len(to) == 1 and to.isalpha() and to.isascii():
            table[[ord(letter) for letter in letters.lower()]] = ord(to)
    return table


def _chunks(batch: CodeBatch) -> list[tuple[int, CodeBatch]]:
    parts, first, count = [], 0, len(batch)
    while first < count:
        stop = int(np.searchsorted(batch.starts, batch.starts[first] + CHUNK_CHARS, "right")) - 1
        stop = min(max(stop, first + 1), count)
        low, high = batch.starts[first], batch.starts[stop]
        parts.append(
            (first, CodeBatch(batch.codes[low:high], batch.starts[first : stop + 1] - low))
        )
        first = stop
    return parts


def _words(batch: CodeBatch, first: int) -> tuple[UInt32, Float32, Int64]:
    """Distinct words of some texts: hash, bits and row, in order of row and hash."""
    buffer, begins = clean(batch.codes, batch.starts)
    code = buffer & np.uint32(_CODE)
    hashed = code * _MIX
    hashed ^= hashed >> np.uint32(15)
    tokens, at_row, at = word_tokens(buffer, hashed, begins)
    is_word = buffer[at] >= _WORD
    lengths = np.diff(np.append(at, len(buffer)))
    lengths -= buffer[np.append(at[1:], len(buffer)) - 1] == ord(" ")
    bits = _BITS[np.clip(lengths, 0, len(_BITS) - 1)]
    plain = (code[at] == ord("0")) | np.isin(tokens, _stop_words())
    bits = np.where(plain, np.minimum(bits, _PLAIN_BITS), bits)
    rows = np.repeat(np.arange(len(batch)), np.diff(at_row))
    order = np.arange(len(rows)) - at_row[:-1][rows]
    keep = is_word[: len(rows)] & (order <= 2 * MAX_WORDS)
    hashes, rows, bits = tokens[: len(rows)][keep], rows[keep], bits[: len(rows)][keep]
    keys, once = np.unique(rows.astype(np.uint64) << np.uint64(32) | hashes, return_index=True)
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32), bits[once], rows[once] + first


@cache
def _stop_words() -> UInt32:
    batch = _folded(normalise(sorted(STOP_WORDS)))
    buffer, begins = clean(batch.codes, batch.starts)
    hashed = (buffer & np.uint32(_CODE)) * _MIX
    hashed ^= hashed >> np.uint32(15)
    return word_tokens(buffer, hashed, begins)[0]


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
