"""Feature matrices for training, and the columns by which lexicons enter it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.records import Bool
from models.sentiment.artefact import FOLDER
from models.sentiment.features import NULL_BUCKET, FeatureSpec, chunks
from models.sentiment.rows import data_lines
from models.text import normalise

LEXICON_FILE = FOLDER / "sentiment_lexicon.tsv"
INSULTS_FILE = FOLDER / "offensive_lexicon.tsv"

NEGATORS = ("مو", "مب", "مش", "مهو", "ما", "لا", "ليس", "ليست", "غير", "لم",
            "not", "isnt", "wasnt", "never", "dont", "didnt")  # fmt: skip
GRAVITY = {"grave": 2.0, "insult": 1.0, "mild": 0.5, "addressed": 1.0}
PREFIXES = ("", "ال", "يا", "و", "هال")  # of Arabic insults, written in one word with them
CALLS = ("يا", "انت", "انتم", "انتو", "ابن", "بنت", "ولاد", "اولاد", "عيال")


@dataclass(frozen=True, slots=True)
class Design:
    """Feature matrix: counts over the square root of the length."""

    counts: sparse.csr_matrix  # float32[n, spec.size]
    arabic: Bool  # by main script, as in prediction

    def where(self, mask: Bool) -> Design:
        """Return the rows where ``mask`` holds."""
        return Design(self.counts[np.flatnonzero(mask)], self.arabic[mask])


def build_design(texts: list[str], spec: FeatureSpec) -> Design:
    """Count the very features that prediction sums over."""
    batch = normalise(texts)
    arabic = np.zeros(len(batch), dtype=np.bool_)
    parts = []
    for chunk in chunks(batch, spec):
        count = len(chunk.lengths)
        arabic[chunk.first : chunk.first + count] = chunk.arabic
        columns, row_ids = [], []
        for buckets, begins in chunk.blocks:
            row = np.repeat(np.arange(count), np.diff(np.append(begins, len(buckets))))
            real = buckets != NULL_BUCKET
            columns.append(buckets[real].astype(np.int32))
            row_ids.append(row[real].astype(np.int32))
        column, row_id = np.concatenate(columns), np.concatenate(row_ids)
        value = (1 / np.sqrt(np.maximum(chunk.lengths, 1))).astype(np.float32)[row_id]
        part = sparse.csr_matrix((value, (row_id, column)), shape=(count, spec.size))
        part.sum_duplicates()
        parts.append(part)
    return Design(sparse.vstack(parts, format="csr"), arabic)


def polarity(spec: FeatureSpec) -> sparse.csc_matrix:
    """Valences at the buckets of the sentiment lexicon's words, and at negator-word pairs.

    Four columns: negative words, positive words, negated negative, negated positive words.
    """
    pairs = [line.split("\t") for line in data_lines(LEXICON_FILE)]
    words = [word for word, _ in pairs]
    valence = np.array([float(value) for _, value in pairs], dtype=np.float32)
    table = np.zeros((spec.size, 4), dtype=np.float32)
    table[_buckets(words, 1, spec), (valence > 0).astype(np.int64)] = valence
    for negator in NEGATORS:
        strong = np.abs(valence) >= 1.5
        fits = [i for i in np.flatnonzero(strong) if words[i].isascii() == negator.isascii()]
        phrases = [f"{negator} {words[i]}" for i in fits]
        table[_buckets(phrases, 2, spec), 2 + (valence[fits] > 0)] = valence[fits]
    return sparse.csc_matrix(table)


def insults(spec: FeatureSpec) -> sparse.csc_matrix:
    """Gravities at the buckets of insults, which are words or pairs of words.

    Three columns: Arabic insults, English ones, and Arabic words such as those of animals that
    are insults where somebody is called so.
    """
    table = np.zeros((spec.size, 3), dtype=np.float32)
    for line in data_lines(INSULTS_FILE):
        phrase, kind = line.split("\t")
        for form in _forms(phrase, kind):
            column = 2 if kind == "addressed" else int(phrase.isascii())
            table[_buckets([form], len(form.split()), spec), column] = GRAVITY[kind]
    return sparse.csc_matrix(table)


def _forms(phrase: str, kind: str) -> list[str]:
    if kind == "addressed":
        return [f"يا{phrase}", *(f"{call} {phrase}" for call in CALLS)]
    if phrase.isascii() or " " in phrase:
        return [phrase]
    return [prefix + phrase for prefix in PREFIXES]


def _buckets(phrases: list[str], order: int, spec: FeatureSpec) -> npt.NDArray[np.uint32]:
    """Bucket of each phrase of ``order`` words."""
    words = FeatureSpec(spec.char_bits, spec.word_bits, (), (order,))
    found = []
    for chunk in chunks(normalise(phrases), words):
        for buckets, begins in chunk.blocks:
            found.append(buckets[begins + 1])  # the first n-gram holds the start of the text
    return np.concatenate(found)
