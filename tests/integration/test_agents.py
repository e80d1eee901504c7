"""The worker of a stateful stage on a real broker, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from kafka import KafkaProducer, TopicPartition

from models.records import Brand
from streams.config.schema import KafkaSettings
from streams.kafka import agents
from streams.kafka.agents import StatefulWorker
from streams.kafka.connection import admin, client_settings
from streams.kafka.topics import names
from tests.integration.workers import set_up
from tests.streams.book import Book

RECORDS = 300


class Reader:
    """A worker and the latest part of each partition."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.books: dict[int, Book] = {}
        self._partitions = kafka.partitions
        self._stopped = asyncio.Event()
        source = names(kafka).observations
        # at a standstill of the clock nothing is ever stored or committed
        worker = StatefulWorker("detect", source, [], kafka, self._make, clock=lambda: 0)
        self._work = asyncio.create_task(worker.run(self._stopped))

    def _make(self, partition: int, brands: Sequence[Brand]) -> Book:
        self.books[partition] = Book()
        return self.books[partition]

    @property
    def taken(self) -> dict[int, list[int]]:
        """Offsets by partition, since it was last given to this reader."""
        return {p: book.taken for p, book in self.books.items()}

    async def has_taken(self, count: int) -> None:
        """Wait until it has taken so many of every partition."""
        async with asyncio.timeout(60):
            while [len(some) < count for some in self.taken.values()] != [False] * self._partitions:
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        self._stopped.set()
        await self._work


def _write(kafka: KafkaSettings) -> None:
    producer = KafkaProducer(**client_settings(kafka))
    for _ in range(RECORDS):
        for partition in range(kafka.partitions):
            producer.send(names(kafka).observations, b"x", partition=partition)
    producer.close()


async def _taken(kafka: KafkaSettings, count: int, rebalances: int = 0) -> dict[int, list[int]]:
    """Offsets that a reader took of each partition since it was last given it."""
    reader = Reader(kafka)
    await reader.has_taken(count)
    for _ in range(rebalances):
        before = dict(reader.books)
        guest = Reader(kafka)
        async with asyncio.timeout(60):
            while reader.books == before or not guest.books:
                await asyncio.sleep(0.1)
        await guest.stop()
        await reader.has_taken(count)
    taken = reader.taken
    await reader.stop()
    return taken


def test_what_was_not_committed_is_taken_again_after_a_rebalance(
    kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Consumer.perform_seek

    async def go_on_elsewhere(self: Any) -> None:
        """As Faust does now and then: where the fetcher happens to stand."""
        await go_on(self)
        for tp in self.assignment():
            if tp.topic == names(kafka).observations:
                await self.seek(tp, RECORDS // 2)

    monkeypatch.setattr(Consumer, "perform_seek", go_on_elsewhere)
    set_up(kafka)
    _write(kafka)
    taken = asyncio.run(_taken(kafka, RECORDS, rebalances=3))
    assert taken == {p: list(range(RECORDS)) for p in range(kafka.partitions)}


def test_what_expired_is_not_waited_for(kafka: KafkaSettings) -> None:
    set_up(kafka)
    _write(kafka)
    source = names(kafka).observations
    with admin(kafka) as client:
        client.delete_records({TopicPartition(source, p): 100 for p in range(kafka.partitions)})
    taken = asyncio.run(_taken(kafka, RECORDS - 100))
    assert taken == {p: list(range(100, RECORDS)) for p in range(kafka.partitions)}


@pytest.mark.parametrize("reads", [False, True])
def test_state_that_is_not_read_any_further_ends_the_process(
    reads: bool, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust may wait for ever, if a broker was restarted while it read a changelog."""
    monkeypatch.setattr(agents, "WATCHDOG_S", 3.0)
    assert asyncio.run(_ends_itself(kafka, reads=reads)) is not reads


async def _ends_itself(kafka: KafkaSettings, *, reads: bool) -> bool:
    """Whether the watchdog ends a process that reads state, further and further or not."""
    worker = StatefulWorker("detect", names(kafka).observations, [], kafka, lambda *_: Book())
    recovery: Any = worker.app.tables.recovery  # type: ignore[attr-defined]
    recovery.in_recovery = True
    ended: list[str] = []

    def end(why: str) -> None:
        ended.append(why)
        raise asyncio.CancelledError

    worker._end = end  # type: ignore[method-assign, assignment]
    watchdog = asyncio.create_task(worker._watch())
    for offset in range(80):
        if reads:
            recovery.active_offsets[TP("changelog", 0)] = offset
        await asyncio.sleep(0 if watchdog.done() else 0.1)
    watchdog.cancel()
    return bool(ended)
