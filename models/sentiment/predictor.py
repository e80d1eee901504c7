"""What the pipeline asks of a sentiment model, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from models.records import Float32
from models.text import CodeBatch


class Predictor(Protocol):
    """A model that reads normalised texts, as the shipped one does."""

    def predict(self, batch: CodeBatch) -> Float32:
        """Return probabilities, float32[n, 3], in the order of ``LABELS``; rows sum to one."""
        ...


@runtime_checkable
class TextPredictor(Protocol):
    """A model that reads texts as they were written: a tokenizer knows capitals and diacritics."""

    def predict_texts(self, texts: Sequence[str]) -> Float32:
        """Return probabilities, float32[n, 3], in the order of ``LABELS``; rows sum to one."""
        ...


Sentiment = Predictor | TextPredictor


def predict(model: Sentiment, texts: Sequence[str], normalised: CodeBatch) -> Float32:
    """Ask a model, giving it the form of the texts that it reads.

    Parameters
    ----------
    model : Predictor or TextPredictor
        The method it has tells what it reads.
    texts : sequence of str
        As they were written.
    normalised : CodeBatch
        The same texts, normalised.

    Returns
    -------
    float32[n, 3]
        Probabilities in the order of ``LABELS``.

    Examples
    --------
    >>> from models.sentiment import load
    >>> from models.text import normalise
    >>> texts = ["Thank you, great service!"]
    >>> int(predict(load(), texts, normalise(texts)).argmax())
    2
    """
    if isinstance(model, TextPredictor):
        return model.predict_texts(texts)
    return model.predict(normalised)
