"""The settings of the sentiment model; part of :mod:`streams.config.schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from models.records import LABELS, Label
from streams.config.base import Settings
from streams.config.fields import FilePath, Items, Section, WholeNumber

TOKENIZER_NAME = "tokenizer.json"


def _each_label(labels: tuple[Label, ...]) -> tuple[Label, ...]:
    if sorted(labels) != sorted(LABELS):
        raise ValueError(f"must hold {', '.join(LABELS[:-1])} and {LABELS[-1]}, each once")
    return labels


class OnnxSettings(Settings):
    """A transformer of the user's own."""

    path: FilePath | None = Field(None, description="Model in the ONNX format.")
    tokenizer: FilePath | None = Field(
        None, description="Its `tokenizer.json`; `null` is the one beside the model."
    )
    labels: Annotated[Items[Label], AfterValidator(_each_label)] = Field(
        LABELS, description="What its outputs mean, in its order."
    )
    max_tokens: WholeNumber = Field(
        128, ge=8, le=8_192, description="Tokens of a mention that it reads."
    )
    batch_size: WholeNumber = Field(32, ge=1, le=1_024, description="Mentions it reads at a time.")
    threads: WholeNumber = Field(
        1, ge=0, le=256, description="Threads it runs on; 0 is one for each core."
    )

    @property
    def tokenizer_path(self) -> Path | None:
        """The tokenizer, named or beside the model."""
        beside = self.path and self.path.parent / TOKENIZER_NAME
        return self.tokenizer or beside


class SentimentSettings(Settings):
    """Which model says how mentions speak."""

    model: Literal["builtin", "onnx"] = Field(
        "builtin", description="`builtin`, or `onnx` for a transformer of your own."
    )
    onnx: Section[OnnxSettings] = Field(
        OnnxSettings(), description="A transformer of your own (docs/models/onnx.md)."
    )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that decide how mentions are read, beside Nadhir's own."""
        paths = (self.onnx.path, self.onnx.tokenizer_path) if self.model == "onnx" else ()
        return tuple(path for path in paths if path is not None)

    def anchored(self, base: Path) -> SentimentSettings:
        """The same settings with every path resolved against ``base``."""
        found = {"path": self.onnx.path, "tokenizer": self.onnx.tokenizer}
        update = {name: base / path for name, path in found.items() if path is not None}
        return self.model_copy(update={"onnx": self.onnx.model_copy(update=update)})
