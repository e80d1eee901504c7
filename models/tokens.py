"""Words and symbols of texts as hashes, in their order, for all texts of a batch at once.

Letters that look like others are read as these (UTS #39), and what cannot be seen is left out;
links, handles and the signs of hashtags are no words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from models.records import Bool, Float32, Int64, UInt32
from models.sentiment.features import CHUNK_CHARS, clean, word_tokens
from models.terms import STOP_WORDS
from models.text import TABLE_SIZE, CodeBatch, normalise

MOST_TOKENS = 128  # of a text; more are not read
PLAIN_BITS = 2.0  # of stop words and numbers
_ARTIFACTS = Path(__file__).parent / "artifacts"
_CHARS = 1000  # more of a text is not read
_WORD = 0x40000000  # flag of features.clean
_CODE = 0x00FFFFFF
_MIX = np.uint32(0x85EBCA6B)
_ENDS = np.uint32(0xFFFF)

# how much a word tells, in bits, by its length and where nothing else is known: that two people
# who speak of the same thing both use it has a chance of two to the minus so many
_BITS = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 7.0, 8.0], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words, symbols and emoji of texts.

    Attributes
    ----------
    hashes : uint32[total]
        In the order of the text.
    bits : float32[total]
        How much each tells where nothing is known of the brand; 0 for what is no word.
    starts : int64[n + 1]
    """

    hashes: UInt32
    bits: Float32
    starts: Int64

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def rows(self) -> Int64:
        """The text of each token."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def distinct(self, keep: Bool) -> Tokens:
        """Each of the kept tokens once, ascending within a text."""
        keys = self.rows[keep].astype(np.uint64) << np.uint64(32) | self.hashes[keep]
        keys, once = np.unique(keys, return_index=True)
        rows = (keys >> np.uint64(32)).astype(np.int64)
        return Tokens(
            (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32),
            self.bits[keep][once],
            np.searchsorted(rows, np.arange(len(self) + 1)),
        )


def tokens_of(texts: Sequence[str]) -> Tokens:
    """Tokens of texts in any script.

    Examples
    --------
    >>> one, other = tokens_of(["Boycott Acme!"]), tokens_of(["boycott \u0410cm\u200be !"])
    >>> bool((one.hashes == other.hashes).all()), one.bits.tolist()
    (True, [8.0, 6.0, 0.0])
    """
    batch = folded(normalise([text[:_CHARS] for text in texts]))
    found = [_tokens(chunk, first) for first, chunk in _chunks(batch)]
    hashes = np.concatenate([h for h, _, _ in found]) if found else np.empty(0, np.uint32)
    bits = np.concatenate([b for _, b, _ in found]) if found else np.empty(0, np.float32)
    rows = np.concatenate([r for _, _, r in found]) if found else np.empty(0, np.int64)
    return Tokens(hashes, bits, np.searchsorted(rows, np.arange(len(texts) + 1)))


def folded(batch: CodeBatch) -> CodeBatch:
    """Texts with letters of other alphabets as the ones they are taken for."""
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


def _tokens(batch: CodeBatch, first: int) -> tuple[UInt32, Float32, Int64]:
    """Tokens of some texts: hash, bits and row."""
    buffer, begins = clean(batch.codes, batch.starts)
    code = buffer & np.uint32(_CODE)
    hashed = code * _MIX
    hashed ^= hashed >> np.uint32(15)
    tokens, at_row, at = word_tokens(buffer, hashed, begins)
    lengths = np.diff(np.append(at, len(buffer)))
    lengths -= buffer[np.append(at[1:], len(buffer)) - 1] == ord(" ")
    bits = _BITS[np.clip(lengths, 0, len(_BITS) - 1)]
    plain = (code[at] == ord("0")) | _stops(tokens)
    bits = np.where(plain, np.minimum(bits, np.float32(PLAIN_BITS)), bits)
    bits[buffer[at] < _WORD] = 0
    rows = np.repeat(np.arange(len(batch)), np.diff(at_row))
    order = np.arange(len(rows)) - at_row[:-1][rows]
    keep = (order > 0) & (order <= MOST_TOKENS)  # the first is the newline before
    return tokens[: len(rows)][keep], bits[: len(rows)][keep], rows[keep] + first


def _stops(tokens: UInt32) -> Bool:
    """Which tokens are stop words."""
    known, ends = _stop_words()
    found: Bool = ends[tokens & _ENDS]
    maybe = found.nonzero()[0]
    at = known.searchsorted(tokens[maybe])
    at[at == len(known)] = 0
    found[maybe] = known[at] == tokens[maybe]
    return found


@cache
def _stop_words() -> tuple[UInt32, Bool]:
    """Hashes of stop words, ascending, and their lowest bits, which rule out most other words."""
    batch = folded(normalise(sorted(STOP_WORDS)))
    buffer, begins = clean(batch.codes, batch.starts)
    hashed = (buffer & np.uint32(_CODE)) * _MIX
    hashed ^= hashed >> np.uint32(15)
    known = np.unique(word_tokens(buffer, hashed, begins)[0])
    ends = np.zeros(int(_ENDS) + 1, dtype=np.bool_)
    ends[known & _ENDS] = True
    return known, ends
