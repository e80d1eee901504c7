"""Producing mentions: lines of a source, as they are, to the topic of mentions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic, sleep
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from streams.config.schema import KafkaSettings
from streams.kafka import KafkaEngineError
from streams.kafka.connection import admin, client_settings, reached
from streams.kafka.topics import describe, names, wanted_topics
from streams.sources import Source

_POLL_LINES = 1000
_PAUSE_S = 0.01
_DELIVERY_MS = 120_000  # rides out the restart of a broker
_BATCH_BYTES = 1 << 18
_OVERHEAD_BYTES = 512  # of a batch, beside its records
_MOST_FAILURES = 20  # that are told one by one


@dataclass(slots=True)
class Produced:
    """What became of the lines of a source; ``failures`` are the first few that were not taken."""

    lines: int = 0
    delivered: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)


class _Book:
    """Keeps account of deliveries; the producer tells them from a thread of its own."""

    def __init__(self) -> None:
        self.produced = Produced()
        self._lock = Lock()

    def delivered(self, _: Any) -> None:
        with self._lock:
            self.produced.delivered += 1

    def failed(self, number: int, error: BaseException) -> None:
        with self._lock:
            self.produced.failed += 1
            if len(self.produced.failures) < _MOST_FAILURES:
                self.produced.failures.append(f"line {number}: {type(error).__name__}: {error}")


def produce(
    source: Source,
    kafka: KafkaSettings,
    *,
    rate: float | None = None,
    progress: Callable[[Source, int], None] | None = None,
) -> Produced:
    """Send every line of a source to the topic of mentions; idempotent, acknowledged by all.

    Parameters
    ----------
    source : Source
        Its lines are sent as they are: whoever reads them decides what is a mention.
    rate : float or None
        Lines a second at most.
    progress : callable
        Called with the source and the lines sent so far.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached or has no topic of mentions.
    SourceError
        If the source is broken; what came before is sent.
    """
    with mentions_producer(kafka) as producer:
        book = _Book()
        _send_all(source, producer, names(kafka).mentions, book, rate, progress)
        producer.flush()
    return book.produced


def largest_line(kafka: KafkaSettings) -> int:
    """The most bytes that a line may have for the topic of mentions.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached or has no topic of mentions.
    """
    topic = wanted_topics(kafka)[0]
    with admin(kafka) as client:
        found = describe(client, [topic]).get(topic.name)
    if found is None:
        raise KafkaEngineError(f"there is no topic {topic.name}; create it: nadhir topics create")
    return int(found.settings["max.message.bytes"]) - _OVERHEAD_BYTES


@contextmanager
def mentions_producer(kafka: KafkaSettings) -> Iterator[KafkaProducer]:
    """A producer for the topic of mentions: idempotent, acknowledged by all; closed afterwards.

    It raises ``MessageSizeTooLargeError`` over a line that is too large, before it sends it.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached, has no topic of mentions, or refuses what is sent.
    """
    # the broker refuses a batch as a whole: what is too large must not get into one
    most_bytes = largest_line(kafka)
    with reached(kafka):
        producer = KafkaProducer(
            **client_settings(kafka),
            client_id="nadhir-produce",
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            linger_ms=20,
            batch_size=min(_BATCH_BYTES, most_bytes // 2),
            max_request_size=most_bytes,
            delivery_timeout_ms=_DELIVERY_MS,
            request_timeout_ms=_DELIVERY_MS // 4,
            reconnect_backoff_max_ms=1_000,  # later than that, its mentions come out of order
            max_block_ms=_DELIVERY_MS,
        )
        try:
            yield producer
        finally:
            producer.close()


def _send_all(
    source: Source,
    producer: KafkaProducer,
    topic: str,
    book: _Book,
    rate: float | None,
    progress: Callable[[Source, int], None] | None,
) -> None:
    began = monotonic()
    limit = _POLL_LINES if rate is None else max(1, min(_POLL_LINES, round(rate / 10)))
    while not source.done:
        batch = source.poll(limit)
        if batch is None:
            sleep(_PAUSE_S)  # standard input has nothing just now
            continue
        for number, line in enumerate(batch.lines, start=batch.first):
            _send(producer, topic, line, number, book)
        book.produced.lines += len(batch.lines)
        if progress:
            progress(source, book.produced.lines)
        if rate is not None:
            sleep(max(0.0, began + book.produced.lines / rate - monotonic()))


def _send(producer: KafkaProducer, topic: str, line: bytes, number: int, book: _Book) -> None:
    try:
        sent = producer.send(topic, value=line)
    except MessageSizeTooLargeError as error:
        book.failed(number, error)
        return
    sent.add_callback(book.delivered)
    sent.add_errback(lambda error: book.failed(number, _as_error(error)))


def _as_error(error: object) -> BaseException:
    return error if isinstance(error, BaseException) else KafkaError(str(error))
