"""Labelled mentions and what the shipped models say of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.records import Bool, Float32, Int64
from models.sentiment import OffensiveModel, SentimentModel, load, load_offensive
from models.sentiment.features import arabic_texts
from models.sentiment.model import OFFENSIVE
from models.sentiment.rows import Rows, read_offensive, read_rows
from models.sentiment.train import TEST
from models.text import normalise

# sources; all others are English
ARABIC = ("arsas-test", "umsab-ar", "mpold-facebook", "mpold-twitter", "mpold-youtube")
LANGUAGES = ("Arabic", "English")
_RESAMPLES = 200


class Labelled(NamedTuple):
    """Labels of mentions, where they are from, and what was predicted of them.

    Attributes
    ----------
    label : int64[n]
    source : str[n]
    p : float32[n, 3] or float32[n]
        Of negative, neutral and positive, or of being offensive.
    arabic : bool[n]
        Whether a text has more Arabic letters than Latin ones.
    """

    label: Int64
    source: npt.NDArray[np.str_]
    p: Float32
    arabic: Bool

    def where(self, mask: Bool) -> Labelled:
        """Rows where ``mask`` holds."""
        return self.at(np.flatnonzero(mask))

    def at(self, rows: Int64) -> Labelled:
        """Rows by number."""
        return Labelled(self.label[rows], self.source[rows], self.p[rows], self.arabic[rows])

    def of(self, language: str) -> Labelled:
        """Rows of a language of ``LANGUAGES``."""
        return self.where(np.isin(self.source, ARABIC) == (language == "Arabic"))


def joined(parts: list[Labelled]) -> Labelled:
    """All rows of some parts."""
    label, source, p, arabic = zip(*parts)
    together = np.concatenate
    return Labelled(together(label), together(source), together(p), together(arabic))


@cache
def sentiment(data: Path) -> Labelled:
    """The rows of dev, none of which was learnt from."""
    return _predicted(read_rows(data / "sentiment" / "dev.jsonl.gz"), load())


@cache
def offence(data: Path) -> Labelled:
    """The fifth of the rows about offence that the shipped weights have not seen."""
    rows, draw = read_offensive(data / "sentiment" / OFFENSIVE.data)
    return _predicted(rows.where(draw < TEST), load_offensive())


def _predicted(rows: Rows, model: SentimentModel | OffensiveModel) -> Labelled:
    batch = normalise(rows.text)
    return Labelled(rows.label, rows.source, model.predict(batch), arabic_texts(batch, model.spec))


def spread(rows: Labelled, measure: Callable[[Labelled], float]) -> float:
    """Standard error of a figure, from rows drawn anew with replacement (bootstrap)."""
    rng = np.random.default_rng(0)
    count = len(rows.label)
    drawn = (rng.integers(count, size=count) for _ in range(_RESAMPLES))
    return float(np.std([measure(rows.at(at)) for at in drawn]))
