"""A part that writes down what it takes."""

from __future__ import annotations

from streams.detect_state import Change, Pieces
from streams.kafka.parts import Outgoing


class Book:
    """A part that writes down which offsets it takes, and has nothing to store."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    @property
    def done(self) -> int:
        return -1

    def restore(self, pieces: Pieces) -> None:
        assert not pieces

    def take(self, offset: int, value: bytes | None, now_ms: int) -> list[Outgoing]:
        self.taken.append(offset)
        return []

    def checkpoint(self) -> tuple[list[Change], list[Outgoing]]:
        return [], []
