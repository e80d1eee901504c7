"""What was rejected on Kafka: read it, and send its mentions in once more.

What was retried is remembered by offsets in consumer groups: one for everything, and one for each
reason that was retried by itself, so that each commits only past what it was to retry.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import msgspec
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import MessageSizeTooLargeError

from streams.config.schema import KafkaSettings
from streams.kafka import KafkaEngineError
from streams.kafka.connection import admin, client_settings, reached
from streams.kafka.offsets import begins, commit, committed, ends, partitions
from streams.kafka.produce import mentions_producer
from streams.kafka.score import REJECTED_VERSION
from streams.kafka.topics import group, names

_POLL_MS = 500
_PATIENCE_S = 30.0
_PART_LINES, _PART_BYTES = 1_000, 4 << 20  # sent together, and remembered together

Tell = Callable[[str], None]
Offsets = dict[TopicPartition, int]


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A rejected record: why, where it was read, and its bytes."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    raw: bytes


class _Version(msgspec.Struct):
    schema: int


_VERSION = msgspec.json.Decoder(_Version)
_REJECTED = msgspec.json.Decoder(Rejected)


@dataclass(frozen=True, slots=True)
class Parked:
    """A record of the topic of rejected mentions: where it stands there, and what it holds."""

    at: TopicPartition
    offset: int
    rejected: Rejected | None  # None if it cannot be read


@dataclass(slots=True)
class Retried:
    """What became of a retry.

    Attributes
    ----------
    sent : int
        Mentions that were sent in again.
    too_large : int
        Mentions that are larger than the topic of mentions takes by now.
    elsewhere : dict of str to int
        Records of other topics, by topic; these are sent nowhere.
    """

    sent: int = 0
    too_large: int = 0
    elsewhere: dict[str, int] = field(default_factory=dict)


def rejected(
    kafka: KafkaSettings, *, reason: str | None, tell: Tell
) -> Iterator[tuple[Rejected, bool]]:
    """What is in the topic of rejected mentions now, and whether it was retried.

    Parameters
    ----------
    reason : str or None
        Only this reason code.
    tell : callable
        Called with a sentence about each record that cannot be read.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached or has no such topic.
    """
    called = names(kafka)
    with admin(kafka) as client:
        every = partitions(client, [called.rejected])
        marks = _Marks(client, kafka, every)
        for parked in _read(client, kafka, begins(client, every), tell):
            found = parked.rejected
            if found is not None and reason in (None, found.reason):
                yield found, found.topic == called.mentions and marks.hold(parked)


def retry(kafka: KafkaSettings, *, reason: str | None, tell: Tell) -> Retried:
    """Send rejected mentions to the topic of mentions again, each once.

    What the brokers acknowledged is remembered; after a failure in between, a few may be sent
    twice.  The parameters are those of :func:`rejected`.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached, has no such topics, or does not acknowledge.
    """
    called = names(kafka)
    result = Retried()
    with admin(kafka) as client, mentions_producer(kafka) as producer:
        every = partitions(client, [called.rejected])
        marks = _Marks(client, kafka, every)
        start = begins(client, every)
        for each in (None, reason):
            # committed again, since brokers forget offsets after a time
            marks.set(each, marks.of(each))
            start |= {tp: max(start[tp], offset) for tp, offset in marks.of(each).items()}
        for part in _parts(_read(client, kafka, start, tell)):
            lines: list[bytes] = []
            for parked in part:
                found = parked.rejected
                if found is None or reason not in (None, found.reason) or marks.hold(parked):
                    continue
                if found.topic == called.mentions:
                    lines.append(found.raw)
                else:
                    others = result.elsewhere
                    others[found.topic] = others.get(found.topic, 0) + 1
            _send(producer, called.mentions, lines, result)
            marks.set(reason, {parked.at: parked.offset + 1 for parked in part})
    return result


class _Marks:
    """What was retried, by the offsets of our groups."""

    def __init__(
        self, client: KafkaAdminClient, kafka: KafkaSettings, every: list[TopicPartition]
    ) -> None:
        self._client = client
        self._kafka = kafka
        self._every = every
        self._known: dict[str | None, Offsets] = {}

    def of(self, reason: str | None) -> Offsets:
        """Offsets before which everything, or everything of a reason, was retried."""
        if reason not in self._known:
            self._known[reason] = committed(self._client, self._group(reason), self._every)
        return self._known[reason]

    def hold(self, parked: Parked) -> bool:
        """Whether a record was retried."""
        assert parked.rejected is not None
        done = (self.of(None), self.of(parked.rejected.reason))
        return any(parked.offset < offsets.get(parked.at, 0) for offsets in done)

    def set(self, reason: str | None, offsets: Offsets) -> None:
        """Remember that everything before some offsets, or everything of a reason, was retried."""
        commit(self._client, self._group(reason), offsets)
        self._known[reason] = self.of(reason) | offsets

    def _group(self, reason: str | None) -> str:
        return group(self._kafka, "retry" if reason is None else f"retry-{reason}")


def _read(
    client: KafkaAdminClient, kafka: KafkaSettings, start: Mapping[TopicPartition, int], tell: Tell
) -> Iterator[Parked]:
    """Records from some offsets to the ends as they are now."""
    after = {tp: end for tp, end in ends(client, start).items() if end > start[tp]}
    if not after:
        return
    with reached(kafka), closing(KafkaConsumer(**_consumer_settings(kafka))) as consumer:
        consumer.assign(list(after))
        for tp in after:
            consumer.seek(tp, start[tp])
        progress = time.monotonic()
        while open_ := [tp for tp, end in after.items() if consumer.position(tp) < end]:
            polled = consumer.poll(timeout_ms=_POLL_MS)
            for tp, records in polled.items():
                for record in records:
                    if record.offset < after[tp]:
                        yield Parked(tp, record.offset, _decoded(record, tell))
            if polled:
                progress = time.monotonic()
            elif time.monotonic() - progress > _PATIENCE_S:
                raise KafkaEngineError(f"{open_[0].topic} cannot be read to its end")


def _consumer_settings(kafka: KafkaSettings) -> dict[str, Any]:
    return client_settings(kafka) | {
        "client_id": "nadhir-rejected",
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
    }


def _decoded(record: Any, tell: Tell) -> Rejected | None:
    try:
        version = _VERSION.decode(record.value or b"").schema
        if version == REJECTED_VERSION:
            return _REJECTED.decode(record.value)
        problem = f"its schema is {version}, not {REJECTED_VERSION}; another Nadhir wrote it"
    except msgspec.DecodeError as error:
        problem = str(error)
    tell(f"{record.topic}/{record.partition}, offset {record.offset}, is skipped: {problem}")
    return None


def _parts(records: Iterator[Parked]) -> Iterator[list[Parked]]:
    """Records cut into parts of bounded size."""
    part: list[Parked] = []
    size = 0
    for parked in records:
        part.append(parked)
        size += len(parked.rejected.raw) if parked.rejected else 0
        if len(part) == _PART_LINES or size >= _PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _send(producer: KafkaProducer, topic: str, lines: list[bytes], result: Retried) -> None:
    """Send lines, and return once the brokers acknowledged them."""
    sent = []
    for line in lines:
        try:
            sent.append(producer.send(topic, value=line))
        except MessageSizeTooLargeError:
            result.too_large += 1
    producer.flush()
    for future in sent:
        future.get()
    result.sent += len(sent)
