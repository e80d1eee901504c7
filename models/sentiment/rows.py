"""Labelled texts as training reads them: from public sets, and from sentences of our own."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.records import LABELS, Bool, Float64, Int64


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled texts as columns; ``label`` indexes the labels of the head."""

    text: list[str]
    label: Int64
    source: npt.NDArray[np.str_]

    def where(self, mask: Bool) -> Rows:
        """Return the rows where ``mask`` holds."""
        text = [self.text[i] for i in np.flatnonzero(mask)]
        return Rows(text, self.label[mask], self.source[mask])

    def __add__(self, other: Rows) -> Rows:
        label = np.concatenate((self.label, other.label))
        return Rows(self.text + other.text, label, np.concatenate((self.source, other.source)))

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each source."""
        sources, counts = np.unique(self.source, return_counts=True)
        return dict(zip(sources.tolist(), counts.tolist()))


def sentiment_of(row: dict[str, Any]) -> int:
    """Index of a row's label in ``LABELS``."""
    return LABELS.index(row["label"])


def _offence_of(row: dict[str, Any]) -> int:
    if not isinstance(row["offensive"], bool):
        raise ValueError(f"offensive is {row['offensive']!r}, neither true nor false")
    return int(row["offensive"])


def read_rows(path: Path, answer: Callable[[dict[str, Any]], int] = sentiment_of) -> Rows:
    """Read gzipped JSON lines with ``text``, ``source`` and what ``answer`` looks at.

    Raises
    ------
    ValueError
        A row lacks one of them, or has another label; the message names file and line.
    """
    text, label, source = [], [], []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            try:
                label.append(answer(row))
                text.append(row["text"])
                source.append(row["source"])
            except (KeyError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: bad row ({error})") from error
    return Rows(text, np.array(label, dtype=np.int64), np.array(source))


def read_offensive(path: Path) -> tuple[Rows, Float64]:
    """Read rows with ``offensive`` (1 where true), and draw a number for each by its text."""
    rows = read_rows(path, _offence_of)
    # MPOLD's stand-in for a link is not that of the other sets, nor one that features know
    text = [text.replace("<url>", "http") for text in rows.text]
    return Rows(text, rows.label, rows.source), drawn(rows.text)


def read_seed(path: Path, source: str, labels: tuple[str, ...] = LABELS) -> Rows:
    """Read labelled sentences of our own: label, tab, text."""
    pairs = [line.split("\t") for line in data_lines(path)]
    label = np.array([labels.index(label) for label, _ in pairs], dtype=np.int64)
    return Rows([text for _, text in pairs], label, np.full(len(pairs), source))


def data_lines(path: Path) -> list[str]:
    """Lines of a file of ours that are neither empty nor comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def drawn(texts: list[str]) -> Float64:
    """Draw a number from 0 to 1 for each text, by the text alone.

    So other rows, or another order, do not change which rows are held out.
    """
    digests = (hashlib.blake2b(text.encode(), digest_size=4).digest() for text in texts)
    return np.fromiter((int.from_bytes(d) for d in digests), dtype=np.float64) / 2**32


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
