"""Hashed character and word n-grams of whole batches, without a Python loop over texts.

The hashing trick after K. Weinberger et al., *Feature Hashing for Large Scale Multitask
Learning* (ICML 2009), on polynomial rolling hashes (R. Karp, M. Rabin, 1987) modulo 2^32.
Training and prediction share this code, so their features cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from models.records import Bool, Int64, UInt32
from models.text import CodeBatch

CHUNK_CHARS = 1 << 15  # temporaries of a chunk stay in the second-level cache
NULL_BUCKET = 0  # what must not count points here; its weight is zero

_NEWLINE = 10
_SPACE = 32
_URL = 0xE001  # private-use placeholders: no text carries them, see _code_table
_HANDLE = 0xE000
_DELETE = 0x80000000
_WORD = 0x40000000  # flag: part of a word
_CODE = 0x00FFFFFF

_BASE = 0x9E3779B1
_INVERSE_BASE = pow(_BASE, -1, 1 << 32)
_MIX = np.uint32(0x85EBCA6B)
_NEXT = np.uint32(0xC2B2AE35)

# above ASCII everything is a letter but these; unassigned codes do no harm either way
_SYMBOLS = ((0x80, 0xAA), (0xAB, 0xB5), (0xB6, 0xBA), (0xBB, 0xC0), (0x600, 0x610), (0x66A, 0x66E),
            (0x6D4, 0x6D5), (0x6DD, 0x6EE), (0x2000, 0x2C00), (0x3000, 0x3040), (0xE000, 0xF900),
            (0xFD3E, 0xFD50), (0xFE00, 0xFE70), (0xFFF0, 0x10000), (0x1F000, 0x1FC00),
            (0xE0000, 0x110000))  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """What is hashed, and into how many buckets.

    Attributes
    ----------
    char_bits, word_bits : int
        Base-2 logarithms of the number of buckets of each group.
    char_orders : tuple of int
        Lengths of the character n-grams, ascending.
    word_orders : tuple of int
        Lengths of the word n-grams, ascending; 0 stands for pairs with one word between them.
    """

    char_bits: int = 20
    word_bits: int = 19
    char_orders: tuple[int, ...] = (3, 4, 5)
    word_orders: tuple[int, ...] = (1, 2)

    @property
    def size(self) -> int:
        """Number of buckets of both groups together."""
        return (1 << self.char_bits) + (1 << self.word_bits)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The features of some consecutive texts.

    Attributes
    ----------
    first : int
        Index of the first text.
    lengths : int64[n]
        Characters of each text after cleaning; 0 for a text without content.
    blocks : iterator of (uint32[m], int64[n])
        Bucket of each n-gram of one order, and where each text begins in it.  Every text has at
        least one entry, so that ``np.add.reduceat`` may be used.
    """

    first: int
    lengths: Int64
    arabic: Bool
    blocks: Iterator[tuple[UInt32, Int64]]


def chunks(batch: CodeBatch, spec: FeatureSpec) -> Iterator[Chunk]:
    """Yield the features of a batch, some thousand characters at a time."""
    starts = batch.starts
    first, count = 0, len(batch)
    while first < count:
        stop = int(np.searchsorted(starts, starts[first] + CHUNK_CHARS, side="right")) - 1
        stop = min(max(stop, first + 1), count)
        codes = batch.codes[starts[first] : starts[stop]]
        buffer, begins = clean(codes, starts[first : stop + 1] - starts[first])
        text = buffer & np.uint32(_CODE)
        lengths = np.diff(begins) - 1
        yield Chunk(first, lengths, _arabic(text, begins), _blocks(buffer, text, begins, spec))
        first = stop


def clean(codes: UInt32, starts: Int64) -> tuple[UInt32, Int64]:
    """Neutralise links and handles, fold digits and elongation, flag word characters.

    Returns
    -------
    buffer : uint32[m + 1]
        A newline, then every text with its closing newline.
    begins : int64[n + 1]
        Index of the newline *before* each text; the last one is the final newline.
    """
    padded = np.empty(len(codes) + 1, dtype=np.uint32)
    padded[0] = _NEWLINE
    padded[1:] = codes
    mapped = _code_table().take(padded, mode="clip")
    drop = (mapped & np.uint32(_DELETE)) != 0
    _mask_links(padded, mapped, drop)
    _mask_handles(padded, mapped, drop)
    drop[2:] |= (mapped[2:] == mapped[1:-1]) & (mapped[2:] == mapped[:-2])
    drop[starts] = False
    gone = np.flatnonzero(drop)
    begins = starts - np.searchsorted(gone, starts)
    return mapped[~drop], begins


def _mask_links(padded: UInt32, mapped: UInt32, drop: Bool) -> None:
    h = np.flatnonzero(padded[:-3] == ord("h"))
    h = h[(padded[h + 1] == ord("t")) & (padded[h + 2] == ord("t")) & (padded[h + 3] == ord("p"))]
    w = np.flatnonzero(padded[:-3] == ord("w"))
    w = w[(padded[w + 1] == ord("w")) & (padded[w + 2] == ord("w")) & (padded[w + 3] == ord("."))]
    at = np.concatenate((h, w))
    if len(at):
        gaps = np.flatnonzero((padded == _SPACE) | (padded == _NEWLINE))
        _mask(np.sort(at), gaps, _URL, mapped, drop)


def _mask_handles(padded: UInt32, mapped: UInt32, drop: Bool) -> None:
    at = np.flatnonzero(padded == ord("@"))
    at = at[~drop[at] & (mapped[at] != _URL)]  # not inside a link
    if len(at):
        inside = _handle_table().take(padded, mode="clip")
        _mask(at, np.flatnonzero(~inside), _HANDLE, mapped, drop)


def _mask(at: Int64, stops: Int64, code: int, mapped: UInt32, drop: Bool) -> None:
    """Put one code at each of ``at`` and drop what follows up to the next of ``stops``."""
    ends = stops[np.searchsorted(stops, at, side="right")]
    edges = np.zeros(len(mapped) + 1, dtype=np.int32)
    np.add.at(edges, at, 1)
    np.add.at(edges, ends, -1)
    drop |= np.cumsum(edges[:-1], dtype=np.int32) > 0
    first = np.ones(len(at), dtype=np.bool_)
    first[1:] = at[1:] >= ends[:-1]
    mapped[at[first]] = code
    drop[at[first]] = False


def _arabic(text: UInt32, begins: Int64) -> Bool:
    arabic = (text - np.uint32(0x600)) < 0x200
    latin = (text - np.uint32(97)) < 26
    balance = np.subtract(arabic, latin, dtype=np.int32)
    return np.asarray(np.add.reduceat(balance, begins[:-1]) > 0)


def _blocks(
    buffer: UInt32, text: UInt32, begins: Int64, spec: FeatureSpec
) -> Iterator[tuple[UInt32, Int64]]:
    hashed = text * _MIX
    hashed ^= hashed >> np.uint32(15)
    yield from _char_blocks(hashed, begins, spec)
    yield from _word_blocks(buffer, hashed, begins, spec)


def _char_blocks(
    hashed: UInt32, begins: Int64, spec: FeatureSpec
) -> Iterator[tuple[UInt32, Int64]]:
    shift = np.uint32(32 - spec.char_bits)
    count = len(hashed)
    rolling = hashed[:-1].copy()  # windows start anywhere but at the final newline
    for order in range(1, max(spec.char_orders, default=0) + 1):
        if order > 1:
            rolling *= np.uint32(_BASE)
            rolling[: max(count - order + 1, 0)] += hashed[order - 1 :]
        if order in spec.char_orders:
            bucket = (rolling + np.uint32(order)) * _NEXT
            bucket >>= shift
            for back in range(order - 2):  # windows over the closing newline
                at = begins[1:] - 1 - back
                bucket[np.maximum(at, begins[:-1])] = NULL_BUCKET
            if order == 1:
                bucket[begins[:-1]] = NULL_BUCKET
            yield bucket, begins[:-1]


def _word_blocks(
    buffer: UInt32, hashed: UInt32, begins: Int64, spec: FeatureSpec
) -> Iterator[tuple[UInt32, Int64]]:
    tokens, at, _ = word_tokens(buffer, hashed, begins)
    shift = np.uint32(32 - spec.word_bits)
    base = np.uint32(1 << spec.char_bits)
    for order in spec.word_orders:
        bucket = tokens[:-1] * _NEXT
        if order == 0:
            bucket[:-1] += tokens[2:]
            bucket += np.uint32(7)
        for ahead in range(1, order):
            bucket *= np.uint32(_BASE)
            bucket[: len(tokens) - ahead] += tokens[ahead:]
        bucket *= _MIX
        bucket >>= shift
        bucket += base
        if order == 1:
            bucket[at[:-1]] = NULL_BUCKET
        reach = 2 if order == 0 else order - 1
        for back in range(reach - 1):  # n-grams over the closing newline
            bucket[np.maximum(at[1:] - 1 - back, at[:-1])] = NULL_BUCKET
        yield bucket, at[:-1]


def word_tokens(buffer: UInt32, hashed: UInt32, begins: Int64) -> tuple[UInt32, Int64, Int64]:
    """Hash every word, symbol and newline; the token index of each newline; where tokens begin."""
    word = buffer >= _WORD
    start = buffer != _SPACE
    start[1:] &= ~(word[1:] & word[:-1])
    at = np.flatnonzero(start)
    powers, inverse = _powers(len(buffer))
    sums = np.empty(len(buffer) + 1, dtype=np.uint32)
    sums[0] = 0
    np.cumsum((hashed * powers) * (buffer != _SPACE), out=sums[1:], dtype=np.uint32)
    ends = np.append(at[1:], len(buffer))
    tokens = (sums[ends] - sums[at]) * inverse[at]
    tokens ^= tokens >> np.uint32(15)
    return tokens, np.searchsorted(at, begins), at


def _powers(count: int) -> tuple[UInt32, UInt32]:
    size = max(1 << (count - 1).bit_length(), 2 * CHUNK_CHARS)
    powers, inverse = _power_tables(size)
    return powers[:count], inverse


@cache
def _power_tables(size: int) -> tuple[UInt32, UInt32]:
    tables = []
    for base in (_BASE, _INVERSE_BASE):
        table = np.full(size, base, dtype=np.uint32)
        table[0] = 1
        tables.append(np.cumprod(table, dtype=np.uint32))
    return tables[0], tables[1]


@cache
def _code_table() -> UInt32:
    table = np.arange(0x110000, dtype=np.uint32)
    word = table >= 0x80
    for low, high in _SYMBOLS:
        word[low:high] = False
    for first, last in (("0", "9"), ("a", "z")):
        word[ord(first) : ord(last) + 1] = True
    table[ord("0") : ord("9") + 1] = ord("0")
    table[0xE000:0xF900] = _SPACE  # private use
    table[word] |= _WORD
    table[[ord("_"), ord("#")]] = _SPACE
    table[ord("'")] |= _DELETE
    return table


@cache
def _handle_table() -> Bool:
    table = np.zeros(0x80, dtype=np.bool_)
    for char in "abcdefghijklmnopqrstuvwxyz0123456789_.@":
        table[ord(char)] = True
    table[0x7F] = False
    return table


def arabic_texts(batch: CodeBatch, spec: FeatureSpec) -> Bool:
    """Which texts have more Arabic letters than Latin ones."""
    found = np.zeros(len(batch), dtype=np.bool_)
    for chunk in chunks(batch, spec):
        found[chunk.first : chunk.first + len(chunk.arabic)] = chunk.arabic
    return found
