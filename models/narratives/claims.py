"""Whether a text passes on a claim, asks whether it is true, denies it, or only complains.

Marks are short phrases by kind in both languages (artifacts/claim_marks.json), found as runs of
word hashes over all texts of a batch at once.  That people ask whether something is true, and
correct it, is itself the earliest sign of a rumour (Z. Zhao, P. Resnick, Q. Mei, *Enquiring Minds:
Early Detection of Rumors in Social Media from Enquiry Posts*, WWW 2015).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

from models.records import Int64, UInt32
from models.tokens import Tokens, tokens_of

KINDS = ("hearsay", "claim", "question", "denial", "complaint")
LONGEST_MARK = 5  # words
_HEARSAY, _CLAIM, _QUESTION, _DENIAL, _COMPLAINT = (1 << i for i in range(len(KINDS)))
_BASE = np.uint32(0x9E3779B1)
_SLOTS = 1 << 16
# written onto the next word: and, then
_JOINED = ("و", "ف")

UInt8 = npt.NDArray[np.uint8]


class Stance(IntEnum):
    """What a text does with a claim."""

    NONE = 0
    CLAIM = 1  # says that something happened, without more
    HEARSAY = 2  # passes on what is said
    QUESTION = 3
    DENIAL = 4
    COMPLAINT = 5  # tells what the writer went through


class Claims:
    """Finds marks of claims.

    Parameters
    ----------
    marks : mapping of str to sequence of str
        Phrases of at most five words and signs by kind, of ``KINDS``; normal form is not needed.

    Examples
    --------
    >>> claims = shipped_claims()
    >>> texts = ["They say Acme will close", "is it true?", "خبر غير صحيح", "my card is blocked"]
    >>> [Stance(s).name for s in claims.stances(tokens_of(texts)).tolist()]
    ['HEARSAY', 'QUESTION', 'DENIAL', 'COMPLAINT']
    """

    def __init__(self, marks: Mapping[str, Sequence[str]]) -> None:
        known: list[dict[int, int]] = [{} for _ in range(LONGEST_MARK + 1)]
        for kind, phrases in marks.items():
            flag = 1 << KINDS.index(kind)
            joined = [j + p for p in phrases for j in _JOINED if "\u0600" < p[:1] < "\u0700"]
            tokens = tokens_of([*phrases, *joined])
            for size, mark in zip(np.diff(tokens.starts).tolist(), _whole(tokens)):
                if not 0 < size <= LONGEST_MARK:
                    raise ValueError(f"marks of {kind!r}: one has {size} words")
                known[size][mark] = known[size].get(mark, 0) | flag
        self._known = [_Marks(by_hash) for by_hash in known]
        self._mark = int(tokens_of(["?"]).hashes[0])

    def stances(self, tokens: Tokens) -> UInt8:
        """What each text does with a claim, as a `Stance`.

        A question goes before a denial and a denial before what it denies; who asks after hearsay
        with a question mark asks.
        """
        flags = self._flags(tokens)
        asks = np.zeros(len(tokens), dtype=np.bool_)
        asks[tokens.rows[tokens.hashes == self._mark]] = True
        said = (flags & (_HEARSAY | _CLAIM)) > 0
        stances = np.select(
            [
                ((flags & _QUESTION) > 0) | (said & asks),
                (flags & _DENIAL) > 0,
                (flags & _HEARSAY) > 0,
                (flags & _COMPLAINT) > 0,
                (flags & _CLAIM) > 0,
            ],
            [Stance.QUESTION, Stance.DENIAL, Stance.HEARSAY, Stance.COMPLAINT, Stance.CLAIM],
            Stance.NONE,
        )
        return stances.astype(np.uint8)

    def _flags(self, tokens: Tokens) -> UInt8:
        flags = np.zeros(len(tokens), dtype=np.uint8)
        rows = tokens.rows
        left = np.repeat(tokens.starts[1:], np.diff(tokens.starts)) - np.arange(len(rows))
        run = np.zeros(len(rows), dtype=np.uint32)
        for size in range(1, LONGEST_MARK + 1):
            run *= _BASE
            run[: max(len(rows) - size + 1, 0)] += tokens.hashes[size - 1 :]
            at, found = self._known[size].find(run)
            whole = left[at] >= size  # not over the end of a text
            np.bitwise_or.at(flags, rows[at[whole]], found[whole])
        return flags


class _Marks:
    """Marks of one length by hash."""

    def __init__(self, by_hash: dict[int, int]) -> None:
        order = sorted(by_hash)
        self._hashes = np.array(order, dtype=np.uint32)
        self._flags = np.array([by_hash[h] for h in order], dtype=np.uint8)
        self._maybe = np.zeros(_SLOTS, dtype=np.bool_)  # few tokens pass, so it is quick
        self._maybe[self._hashes >> np.uint32(16)] = True

    def find(self, run: UInt32) -> tuple[Int64, UInt8]:
        """Where marks are, and their kinds."""
        at = np.flatnonzero(self._maybe[run >> np.uint32(16)])
        if not len(at):
            return at, np.empty(0, np.uint8)
        slot = np.minimum(np.searchsorted(self._hashes, run[at]), len(self._hashes) - 1)
        hit = self._hashes[slot] == run[at]
        return at[hit], self._flags[slot[hit]]


def _whole(tokens: Tokens) -> list[int]:
    """The hash of each text as one run."""
    found = []
    for first, last in zip(tokens.starts[:-1].tolist(), tokens.starts[1:].tolist()):
        run = 0
        for token in tokens.hashes[first:last].tolist():
            run = (run * int(_BASE) + token) & 0xFFFFFFFF
        found.append(run)
    return found


@cache
def shipped_claims() -> Claims:
    """What finds the marks that ship with Nadhir; it has no state, so all brands share it."""
    return Claims(load_marks())


def load_marks() -> dict[str, list[str]]:
    """The word list that ships with Nadhir, by kind of mark."""
    path = Path(__file__).parents[1] / "artifacts" / "claim_marks.json"
    marks: dict[str, list[str]] = orjson.loads(path.read_bytes())
    return marks
