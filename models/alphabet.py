"""Text as bytes, in an alphabet made from the patterns to be found in it.

Symbols lie below ``WORD``, word characters from it on.  Characters without a byte of their own
share ``OTHER`` or ``WORD``.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import chain

import numpy as np
import numpy.typing as npt

from models.records import Int64
from models.text import TABLE_SIZE

UInt8 = npt.NDArray[np.uint8]

OTHER = 0
SYMBOLS = "\n _@#/\\?:.-"  # bytes 1 to 11
SPACE, UNDERSCORE, AT, HASH = 2, 3, 4, 5
WORD = 64
HANDLE_UNDERSCORE = 65
ATTACHED = "وفبلكا"  # bytes 66 to 71: the letters that attached prefixes are made of
LONGEST_PREFIX = 4  # وبال
PADDING = np.full(LONGEST_PREFIX + 2, 10, dtype=np.uint32)  # so that looking back stays inside

BARE, WITH_ARTICLE, LAM = 1, 2, 4  # which prefixes a pattern takes, see _prefixes


def alphabet_of(patterns: Iterable[str]) -> UInt8:
    """Byte of every code point; the characters that patterns use most get one of their own."""
    table = _word_table().copy()
    own = {char: 1 + i for i, char in enumerate(SYMBOLS)}
    own |= {char: HANDLE_UNDERSCORE + 1 + i for i, char in enumerate(ATTACHED)}
    free_symbols = iter(range(1 + len(SYMBOLS), WORD))
    free_words = iter(range(HANDLE_UNDERSCORE + 1 + len(ATTACHED), 256))
    counts = Counter(chain.from_iterable(patterns))
    for char in sorted(counts, key=lambda char: (-counts[char], char)):
        if char not in own:
            byte = next(free_words if table[ord(char)] == WORD else free_symbols, None)
            if byte is not None:
                own[char] = byte
    for char, byte in own.items():
        table[ord(char)] = byte
    return table


@cache
def _word_table() -> UInt8:
    table = np.zeros(TABLE_SIZE, dtype=np.uint8)
    for code in (*range(0x34000), *range(0xE0000, 0xE0200)):
        char = chr(code)
        if char.isalnum() or unicodedata.category(char) == "Mc":
            table[code] = WORD
    return table


def openers(plain: UInt8, at: Int64) -> Int64:
    """Where the symbol stands that opens the run of word characters and underscores at ``at``."""
    symbols = np.flatnonzero((plain < WORD) & (plain != UNDERSCORE))
    return symbols[np.searchsorted(symbols, at) - 1]


def settle_underscores(plain: UInt8) -> UInt8:
    """Make an underscore a word character inside a handle, a space everywhere else."""
    underscores = np.flatnonzero(plain == UNDERSCORE)
    if not len(underscores):
        return plain
    opener = openers(plain, underscores)
    in_handle = (plain[opener] == AT) & (plain[opener - 1] < WORD)
    settled = plain.copy()
    settled[underscores] = np.where(in_handle, np.uint8(HANDLE_UNDERSCORE), np.uint8(SPACE))
    return settled


@cache
def _prefixes() -> tuple[Int64, UInt8]:
    """Keys of the attached prefixes, sorted, and the kinds of pattern that take each."""
    kinds: dict[str, int] = {}
    for conjunction in ("", "و", "ف"):
        kinds[conjunction] = BARE | WITH_ARTICLE | LAM
        for preposition in ("ب", "ل", "ك"):
            kinds[conjunction + preposition] = BARE | WITH_ARTICLE
        for article in ("ال", "بال", "لل", "كال"):
            kinds[conjunction + article] = WITH_ARTICLE
    byte = {char: HANDLE_UNDERSCORE + 1 + i for i, char in enumerate(ATTACHED)}
    key_of = {
        sum(byte[c] << (8 * i) for i, c in enumerate(reversed(prefix))): kind
        for prefix, kind in kinds.items()
    }
    keys = sorted(key_of)
    return np.array(keys, dtype=np.int64), np.array([key_of[k] for k in keys], dtype=np.uint8)


def prefix_classes(hay: UInt8, at: Int64) -> UInt8:
    """Which kinds of pattern may follow what stands between the token's start and ``at``."""
    keys, kinds = _prefixes()
    key = np.zeros(len(at), dtype=np.int64)
    inside = np.ones(len(at), dtype=np.bool_)
    for back in range(LONGEST_PREFIX):
        byte = hay[at - 1 - back]
        inside &= byte >= WORD
        key |= np.where(inside, byte, 0).astype(np.int64) << (8 * back)
    inside &= hay[at - 1 - LONGEST_PREFIX] >= WORD  # longer than any prefix
    slot = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    return np.where((keys[slot] == key) & ~inside, kinds[slot], np.uint8(0))
