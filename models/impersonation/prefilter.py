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
from ahocorasick_rs import AhoCorasick

from models.impersonation.confusables import outline, shape
from models.records import Int64, UInt32

_NEWLINE = 10
_BITS_A_KEY = 8  # one form in so many is looked up in vain
_BASE = 0x9E3779B1  # odd, so that it has an inverse modulo 2**32
_INVERSE = pow(_BASE, -1, 1 << 32)


class Prefilter:
    """Rules words out; what it lets through is for `NameIndex` to judge.

    Parameters
    ----------
    outlines : collection of str
        Of all names, folded, letters and digits alone (`confusables.outline`).
    misspelt : collection of str
        Names that may be misspelt.
    shapes : collection of str
        Outlines with pairs of letters (`confusables.shape`) of those that may be outlined.
    inside : AhoCorasick
        Of the names that are looked for inside of words.
    """

    def __init__(
        self,
        outlines: Collection[str],
        misspelt: Collection[str],
        shapes: Collection[str],
        inside: AhoCorasick,
    ) -> None:
        self._inside = inside
        self._outlines = outlines
        self._shapes = shapes
        self._keys = keys = np.unique(_keys(*_codes(misspelt)))
        size = max(10, (_BITS_A_KEY * len(keys)).bit_length())
        self._shift = np.uint32(32 - size)
        self._table = np.zeros(1 << size, dtype=np.bool_)
        self._table[keys >> self._shift] = True

    def near(self, words: Sequence[str]) -> set[int]:
        """Indexes of the words that may hold a name or be within one edit of one, or look like one.

        Parameters
        ----------
        words : sequence of str
            Folded, letters and digits alone.
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
        """Numbers of the lines inside of which a name stands."""
        return lines_with(self._inside, lines)

    def _misspelt(self, words: Sequence[str]) -> list[int]:
        codes, ends = _codes(words)
        keys = _keys(codes, ends)
        likely = np.flatnonzero(self._table[keys >> self._shift])
        asked = keys[likely]
        at = np.minimum(np.searchsorted(self._keys, asked), len(self._keys) - 1)
        found: list[int] = np.searchsorted(ends, likely[self._keys[at] == asked]).tolist()
        return found


def lines_with(automaton: AhoCorasick, joined: str) -> set[int]:
    """Numbers of the lines in which an automaton finds something."""
    hits = automaton.find_matches_as_indexes(joined)
    if not hits:
        return set()
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    breaks = np.flatnonzero(codes == _NEWLINE)
    return set(np.searchsorted(breaks, [start for _, start, _ in hits]).tolist())


def _codes(words: Collection[str]) -> tuple[UInt32, Int64]:
    """Code points of all words, each of them ended by a zero, and where these are."""
    encoded = ("\0".join(words) + "\0").encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(encoded, dtype=np.uint32)
    return codes, np.flatnonzero(codes == 0)


def _keys(codes: UInt32, ends: Int64) -> UInt32:
    """Hashes of the words with each letter left out in turn; at a word's end that of all of it.

    The letters before the one left out keep their powers of the base, those after it go one down,
    and all go down by the place where the word starts.
    """
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - starts + 1
    sums = np.zeros(len(codes) + 1, dtype=np.uint32)
    np.cumsum(codes * _powers(_BASE, len(codes)), dtype=np.uint32, out=sums[1:])
    inverse = np.uint32(_INVERSE)
    around = sums[ends] * inverse - sums[starts]
    down = _powers(_INVERSE, len(codes))[starts]
    keys: UInt32 = sums[:-1] - sums[1:] * inverse + np.repeat(around, sizes)
    keys *= np.repeat(down, sizes)
    return keys


def _powers(base: int, count: int) -> UInt32:
    powers = np.full(count, base, dtype=np.uint32)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint32)
