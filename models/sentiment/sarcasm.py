"""Praise that is not meant: marks of sarcasm in texts that the model takes for positive.

A bag of n-grams reads "thanks for the delay" as thanks.  Where a positive text carries a mark, what
it means is uncertain, and it is called neutral: never praise, and no complaint either.  The marks
are data (``sarcasm.json``); which of them hold, and from where on the model is surer than they are,
was measured on labelled rows: docs/models/sentiment.md.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from models.matcher import BrandMatcher
from models.records import Bool, Brand, Float32, Int64
from models.text import CodeBatch

CUES_FILE = Path(__file__).resolve().parent.parent / "artifacts" / "sarcasm.json"
UNSURE = (0.35, 0.37, 0.28)  # negative, neutral, positive
_SURE = 0.7  # a model that is so sure of praise is right more often than a face or a word


class Cues(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Marks of sarcasm, as people write them.

    Attributes
    ----------
    tag : tuple of str
        The author says so.
    face : tuple of str
        Emoji of one character that mock.
    complaint : tuple of str
        What nobody praises.
    thanks : tuple of str
        Formulas of thanks and praise, which mock beside a complaint.
    relief : tuple of str
        Beside these a complaint is over, and the thanks are meant.
    """

    tag: tuple[str, ...]
    face: tuple[str, ...]
    complaint: tuple[str, ...]
    thanks: tuple[str, ...]
    relief: tuple[str, ...]


_WORDS = ("tag", "complaint", "thanks", "relief")


class Sarcasm:
    """Finds marks of sarcasm in normalised texts.

    Parameters
    ----------
    cues : Cues
    """

    def __init__(self, cues: Cues) -> None:
        # to the matcher a kind of mark is a brand: it knows words, Arabic prefixes and hashtags
        self._matcher = BrandMatcher([Brand(id=k, names=getattr(cues, k)) for k in _WORDS])
        self._faces = np.sort(np.array([ord(face) for face in cues.face], dtype=np.uint32))

    def doubt(self, batch: CodeBatch, probabilities: Float32) -> None:
        """Flatten, in place, the probabilities of texts that would be positive but bear a mark.

        Parameters
        ----------
        batch : CodeBatch
        probabilities : float32[n, 3]
            What a model says of the texts, in the order of ``LABELS``.
        """
        negative, neutral, positive = probabilities.T
        rows = np.flatnonzero((positive > neutral) & (negative < 0.5))
        if not len(rows):
            return
        rows = rows[self._marked(batch.take(rows), positive[rows])]
        likeliest = positive[rows] >= negative[rows]
        probabilities[rows[likeliest]] = UNSURE
        # negative as it was, and whatever is left is not praise
        rest = rows[~likeliest]
        probabilities[rest, 1:] = probabilities[rest, :0:-1]

    def _marked(self, batch: CodeBatch, positive: Float32) -> Bool:
        found = self._matcher.match(batch, [()] * len(batch))
        has = np.zeros((len(_WORDS), len(batch)), dtype=np.bool_)
        has[found.brand, found.row] = True
        tag, complaint, thanks, relief = has
        complaint &= ~relief
        weak = complaint | self._mocking(batch)
        marked: Bool = tag | (thanks & complaint) | (weak & (positive < _SURE))
        return marked

    def _mocking(self, batch: CodeBatch) -> Bool:
        """Which texts hold one of the faces."""
        symbols: Int64 = np.flatnonzero(batch.codes >= self._faces[0])
        symbols = symbols[np.isin(batch.codes[symbols], self._faces)]
        mocking = np.zeros(len(batch), dtype=np.bool_)
        mocking[np.searchsorted(batch.starts, symbols, side="right") - 1] = True
        return mocking


@cache
def shipped() -> Sarcasm:
    """The marks that come with Nadhir."""
    return Sarcasm(msgspec.json.decode(CUES_FILE.read_bytes(), type=Cues))
