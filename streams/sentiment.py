"""Opens the sentiment model that the configuration names."""

from __future__ import annotations

from models.sentiment import load
from models.sentiment.onnx import OnnxModelError, load_onnx
from models.sentiment.predictor import Sentiment
from streams.config import Config
from streams.config.load import Fault
from streams.config.sentiment import SentimentSettings


def open_sentiment(settings: SentimentSettings) -> Sentiment:
    """Load the configured model.

    Raises
    ------
    SentimentArtefactError
        The shipped weights cannot be used.
    OnnxModelError
        The user's own model cannot be used.

    Examples
    --------
    >>> type(open_sentiment(SentimentSettings())).__name__
    'SentimentModel'
    """
    own = settings.onnx
    if settings.model == "builtin":
        return load()
    path, tokenizer = settings.files  # streams.config.check has refused what names no model
    return load_onnx(
        path,
        tokenizer,
        labels=own.labels,
        max_tokens=own.max_tokens,
        batch_size=own.batch_size,
        threads=own.threads,
    )


def faults(config: Config) -> list[Fault]:
    """What keeps the user's own model from being opened: the setting, and what is wrong with it."""
    if config.sentiment.model == "builtin":
        return []
    try:
        open_sentiment(config.sentiment)
    except OnnxModelError as error:
        return [Fault(("sentiment", "onnx", error.key), f"{error.path}: {error.problem}")]
    return []
