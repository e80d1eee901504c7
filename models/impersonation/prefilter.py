"""Which of many words cannot be like a name: told of all of them at once, before any is looked at.

Nearly all accounts and links of a stream are nobody's look-alikes, and nearly every second is new,
so that remembering does not help.  The words of a whole batch become one array.  Words within one
edit of a name share with it a form with one letter left out (`likeness`); those forms of all words
are hashed by polynomials, whose prefix sums leave out each letter in turn, and looked up in a table
of bits as in a Bloom filter (B. H. Bloom, CACM 13(7), 1970).  There are no false negatives.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick

from models.impersonation.confusables import outline, shape

_NEWLINE = 10
_BITS_A_KEY = 16  # one form in so many is looked up in vain
_LONGEST = 128  # letters with a power of their own; of longer words the first count
_MASK = (1 << 64) - 1
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
_MIX = np.uint64(0xD6E8FEB86659FD93)
_INVERSE = np.uint64(pow(_BASE, -1, 1 << 64))
_POWERS = np.array([pow(_BASE, i, 1 << 64) for i in range(_LONGEST)], dtype=np.uint64)

_UInt64 = npt.NDArray[np.uint64]
_Int64 = npt.NDArray[np.int64]


class Prefilter:
    """Rules words out; what it lets through is for `NameIndex` to judge.

    Parameters
    ----------
    names : collection of str
        Folded, letters and digits alone.
    misspelt : collection of str
        Those of them that may be misspelt.
    shapes : collection of str
        Outlines with pairs of letters (`confusables.shape`) of those that may be outlined.
    inside : AhoCorasick
        Of the names that are looked for inside of words.
    """

    def __init__(
        self,
        names: Collection[str],
        misspelt: Collection[str],
        shapes: Collection[str],
        inside: AhoCorasick,
    ) -> None:
        self._inside = inside
        self._outlines = frozenset(map(outline, names))
        self._shapes = shapes
        keys = np.unique(_keys(_codes(misspelt))[0]) if misspelt else np.empty(0, np.uint64)
        self._keys = keys
        size = max(10, (_BITS_A_KEY * len(keys)).bit_length())
        self._shift = np.uint64(64 - size)
        self._table = np.zeros(1 << size, dtype=np.bool_)
        self._table[keys >> self._shift] = True

    def near(self, words: Sequence[str]) -> set[int]:
        """Indexes of the words that may hold a name or be within one edit of one, or look like one.

        Parameters
        ----------
        words : sequence of str
            Letters and digits of ASCII, lower case.
        """
        if not words:
            return set()
        joined = "\n".join(words)
        found = self.holding(joined)
        found.update(
            i for i, seen in enumerate(outline(joined).split("\n")) if seen in self._outlines
        )
        paired = [i for i, w in enumerate(words) if "rn" in w or "vv" in w or "cl" in w]
        shapes = shape("\n".join([words[i] for i in paired])).split("\n")
        found.update(i for i, seen in zip(paired, shapes) if seen in self._shapes)
        found.update(self._misspelt(words))
        return found

    def holding(self, lines: str) -> set[int]:
        """Numbers of the lines of ASCII inside of which a name stands."""
        return lines_with(self._inside, lines)

    def _misspelt(self, words: Sequence[str]) -> list[int]:
        keys, line = _keys(_codes(words))
        likely = np.flatnonzero(self._table[keys >> self._shift])
        if not len(likely):
            return []
        asked = keys[likely]
        at = np.minimum(np.searchsorted(self._keys, asked), len(self._keys) - 1)
        return line[likely[self._keys[at] == asked]].tolist()


def lines_with(automaton: AhoCorasick, joined: str) -> set[int]:
    """Numbers of the lines of ASCII in which an automaton finds something."""
    hits = automaton.find_matches_as_indexes(joined)
    if not hits:
        return set()
    breaks = np.flatnonzero(np.frombuffer(joined.encode(), dtype=np.uint8) == _NEWLINE)
    return set(np.searchsorted(breaks, [start for _, start, _ in hits]).tolist())


def _codes(words: Collection[str]) -> npt.NDArray[np.uint32]:
    """Code points of all words, each of them ended by a line break."""
    encoded = ("\n".join(words) + "\n").encode("utf-32-le", "surrogatepass")
    return np.frombuffer(encoded, dtype=np.uint32)


def _keys(codes: npt.NDArray[np.uint32]) -> tuple[_UInt64, _Int64]:
    """Hashes of the words with each letter left out in turn, and which word each belongs to.

    That of a word's line break is the hash of the whole word.
    """
    is_end = codes == _NEWLINE
    ends = np.flatnonzero(is_end)
    starts = np.concatenate([[0], ends[:-1] + 1])
    line = np.repeat(np.arange(len(ends)), ends - starts + 1)
    letters = np.where(is_end, 0, codes).astype(np.uint64)
    first = starts[line]
    terms = letters * _POWERS.take(np.arange(len(codes)) - first, mode="clip")
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms)])
    before = sums[:-1] - sums[first]
    after = sums[ends][line] - sums[1:]
    return (before + after * _INVERSE) * _MIX, line
