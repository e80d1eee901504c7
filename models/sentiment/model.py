"""Linear classifiers on hashed n-grams: sums of gathered weights, then a calibrated softmax."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.records import LABELS, Float32
from models.sentiment.artefact import Head, read
from models.sentiment.features import Chunk, FeatureSpec, chunks
from models.sentiment.sarcasm import Sarcasm, shipped
from models.text import CodeBatch

# raise the version with every change of features, cleaning or training data
SENTIMENT = Head("sentiment", "1.0.0", LABELS, base=1, data="train.jsonl.gz")
OFFENSIVE = Head("offensive", "1.0.0", ("decent", "offensive"), base=0, data="offensive.jsonl.gz")
VERSION = SENTIMENT.version
SHIPPED = SENTIMENT.shipped
EMPTY = (0.1, 0.8, 0.1)  # probabilities of a text without content
EMPTY_OFFENSIVE = 0.01
_MAX_LOGIT = 30.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Maps the raw scores of one script to logits: ``scale * score + (negative, positive)``."""

    scale: float
    negative: float
    positive: float


@dataclass(frozen=True, slots=True)
class Platt:
    """Maps the raw score of one script to a logit: ``scale * score + bias``."""

    scale: float
    bias: float


@dataclass(frozen=True, slots=True)
class SentimentModel:
    """Probabilities of negative, neutral and positive for normalised texts.

    For a text with ``L`` characters after cleaning and n-gram buckets ``b_1 .. b_m``::

        score = sum(weights[b_i]) / sqrt(L)                       (negative and positive - neutral)
        p     = softmax(scale * score + bias, with 0 for neutral)     scale, bias by main script

    Attributes
    ----------
    spec : FeatureSpec
        What is hashed.
    weights : complex64[spec.size]
        Weight of each bucket over neutral: negative (real part) and positive (imaginary part),
        packed so that one gather fetches both.
    arabic, latin : Calibration
        For texts with more Arabic letters than Latin ones, and for all others.
    version : str
        Version of the code and start of the checksum of the weights.
    sarcasm : Sarcasm, optional
        What makes praise doubtful.

    Examples
    --------
    >>> from models.text import normalise
    >>> model = load()
    >>> p = model.predict(normalise(["الخدمة سيئة جدا", "thank you, great service"]))
    >>> [LABELS[i] for i in p.argmax(axis=1)]
    ['negative', 'positive']
    """

    spec: FeatureSpec
    weights: npt.NDArray[np.complex64]
    arabic: Calibration
    latin: Calibration
    version: str
    sarcasm: Sarcasm | None = None

    def predict(self, batch: CodeBatch) -> Float32:
        """Return probabilities, float32[n, 3], in the order of ``LABELS``; rows sum to one."""
        out = np.empty((len(batch), 3), dtype=np.float32)
        for chunk, score in _scores(batch, self.spec, self.weights):
            count = len(score)
            logits = np.zeros((count, 3), dtype=np.float32)
            for column, part, side in ((0, score.real, "negative"), (2, score.imag, "positive")):
                arabic = self.arabic.scale * part + getattr(self.arabic, side)
                latin = self.latin.scale * part + getattr(self.latin, side)
                logits[:, column] = np.where(chunk.arabic, arabic, latin)
            rows = softmax(logits)
            rows[chunk.lengths == 0] = EMPTY
            out[chunk.first : chunk.first + count] = rows
        if self.sarcasm is not None:
            self.sarcasm.doubt(batch, out)
        return out


@dataclass(frozen=True, slots=True)
class OffensiveModel:
    """Probability that a normalised text is offensive: insults, slurs, curses, obscenities.

    The same score as that of `SentimentModel`, with one weight for each bucket; then
    ``p = 1 / (1 + exp(-(scale * score + bias)))`` with scale and bias by main script
    (J. Platt, *Probabilistic Outputs for Support Vector Machines*, 1999).

    Attributes
    ----------
    spec, version
        As of `SentimentModel`.
    weights : float16[spec.size]
        Weight of each bucket, as in the file: the table is large and nearly empty.
    arabic, latin : Platt
        For texts with more Arabic letters than Latin ones, and for all others.

    Examples
    --------
    >>> from models.text import normalise
    >>> p = load_offensive().predict(normalise(["you stupid idiots", "worst service ever"]))
    >>> (p > 0.5).tolist()
    [True, False]
    """

    spec: FeatureSpec
    weights: npt.NDArray[np.float16]
    arabic: Platt
    latin: Platt
    version: str

    def predict(self, batch: CodeBatch) -> Float32:
        """Return the probability of each text to be offensive, float32[n]."""
        out = np.empty(len(batch), dtype=np.float32)
        for chunk, score in _scores(batch, self.spec, self.weights):
            arabic = self.arabic.scale * score + self.arabic.bias
            latin = self.latin.scale * score + self.latin.bias
            logits = np.zeros((len(score), 2), dtype=np.float32)
            logits[:, 1] = np.where(chunk.arabic, arabic, latin)
            p = softmax(logits)[:, 1]
            p[chunk.lengths == 0] = EMPTY_OFFENSIVE
            out[chunk.first : chunk.first + len(score)] = p
        return out


def _scores(
    batch: CodeBatch, spec: FeatureSpec, weights: npt.NDArray[Any]
) -> Iterator[tuple[Chunk, npt.NDArray[Any]]]:
    """Yield chunks of a batch with the score of each text, in single precision or better."""
    precise = np.result_type(weights.dtype, np.float32)
    for chunk in chunks(batch, spec):
        score = np.zeros(len(chunk.lengths), dtype=precise)
        for buckets, begins in chunk.blocks:
            found = weights.take(buckets, mode="clip").astype(precise, copy=False)
            score += np.add.reduceat(found, begins)
        score /= np.sqrt(np.maximum(chunk.lengths, 1)).astype(np.float32)
        yield chunk, score


def softmax(logits: Float32) -> Float32:
    """Row-wise softmax of logits, clipped so that no probability is exactly 0 or 1."""
    clipped = np.clip(logits, -_MAX_LOGIT, _MAX_LOGIT)
    exp = np.exp(clipped - clipped.max(axis=1, keepdims=True))
    return np.asarray(exp / exp.sum(axis=1, keepdims=True), dtype=np.float32)


def load(path: Path | None = None) -> SentimentModel:
    """Load the weights for sentiment; ``None`` means those that ship with Nadhir.

    Raises
    ------
    SentimentArtefactError
        The file is missing, damaged, or of another version than this code.
    """
    found, arabic, latin = read(SHIPPED if path is None else path, SENTIMENT, Calibration)
    packed = found.weights.astype(np.float32).view(np.complex64).ravel()
    return SentimentModel(found.spec, packed, arabic, latin, found.version, shipped())


def load_offensive(path: Path | None = None) -> OffensiveModel:
    """Load the weights for offensive language; ``None`` means those that ship with Nadhir.

    Raises
    ------
    SentimentArtefactError
        As `load` does.
    """
    found, arabic, latin = read(OFFENSIVE.shipped if path is None else path, OFFENSIVE, Platt)
    return OffensiveModel(found.spec, found.weights.ravel(), arabic, latin, found.version)
