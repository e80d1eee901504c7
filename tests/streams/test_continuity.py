"""Whatever Faust hands out, a part takes every record once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from models.records import Brand
from streams.config.schema import KafkaSettings
from streams.kafka.agents import StatefulWorker
from tests.streams.book import Book

SOURCE = "observations"


class Handed:
    """A worker without a broker: what it took, and what it asked for again."""

    def __init__(self) -> None:
        self.book = Book()
        self.asked: list[int] = []
        self.now_ms = 0
        kafka = KafkaSettings(partitions=1)
        self._worker = StatefulWorker("detect", SOURCE, [], kafka, self._make, lambda: self.now_ms)
        consumer: Any = SimpleNamespace(seek=self._seek)
        self._worker.app = SimpleNamespace(consumer=consumer)  # type: ignore[assignment]

    def _make(self, partition: int, brands: Sequence[Brand]) -> Book:
        return self.book

    async def _seek(self, tp: TP, offset: int) -> None:
        assert tp == TP(SOURCE, 0)
        self.asked.append(offset)

    def hand(self, *offsets: int) -> Handed:
        for offset in offsets:
            message = SimpleNamespace(
                topic=SOURCE, partition=0, tp=TP(SOURCE, 0), offset=offset, value=b""
            )
            event: Any = SimpleNamespace(message=message, ack=lambda: None)
            asyncio.run(self._worker._take(event))
        return self


def test_what_comes_too_early_is_not_taken_before_its_turn() -> None:
    """A rebalance before the first commit: the fetcher goes on where it stands."""
    handed = Handed().hand(51, 52)
    assert (handed.book.taken, handed.asked) == ([], [0])
    handed.hand(0, 1, 2)
    assert handed.book.taken == [0, 1, 2]


def test_what_comes_twice_is_taken_once() -> None:
    assert Handed().hand(0, 1, 2, 1, 2, 3).book.taken == [0, 1, 2, 3]


def test_a_gap_is_asked_for_once() -> None:
    handed = Handed().hand(0, 1, 5, 6, 7, 2, 3, 4, 5, 6)
    assert (handed.book.taken, handed.asked) == ([0, 1, 2, 3, 4, 5, 6], [2])


def test_what_is_gone_is_not_waited_for() -> None:
    handed = Handed().hand(0, 5, 6, 5, 6)
    assert (handed.book.taken, handed.asked) == ([0, 5, 6], [1])


def test_an_answer_that_does_not_come_is_asked_for_again() -> None:
    handed = Handed().hand(0, 5, 6)
    handed.now_ms = 6_000
    handed.hand(7)
    assert (handed.book.taken, handed.asked) == ([0], [1, 1])
