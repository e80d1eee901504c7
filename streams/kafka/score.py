"""Stage score on Kafka: a consumer group that reads mentions and writes observations.

Offsets are committed only after everything that came of them was acknowledged by all copies.  What
a reader that died had sent already is sent once more by the next one and counted once, since
observations carry the key of their mention.
"""

from __future__ import annotations

import asyncio
import logging
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord

from models.records import Mention, Observations, Rejection
from streams.config.schema import KafkaSettings
from streams.decode import MAX_LINE_BYTES, decode_batch
from streams.kafka.connection import METADATA_MS, async_settings, leave_for_good
from streams.kafka.packing import Slice, marks_of, pack, partition_of
from streams.kafka.topics import group, names
from streams.meter import UNMETERED, Meter
from streams.pace import Pace
from streams.score import ScoreStage

log = logging.getLogger("nadhir.score")

BATCH = 4096  # mentions scored at a time, at most
POLL_MS = 100
GATHER_S = 0.025
TELL_MS = 250  # so often the others are told which partitions are empty
COMMIT_MS = 1_000
# A turn that takes so long has met an outage.  What producers could not deliver meanwhile comes
# some seconds after the brokers do, so that an empty partition says nothing for a while.
OUTAGE_MS = 2_000
DOUBT_MS = 10_000
REJECTED_VERSION = 1


@dataclass(slots=True)
class ScoreCounters:
    """What the worker did since it started."""

    mentions: int = 0
    observations: int = 0
    rejected: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of a batch: observations, how far each partition was read, what was rejected."""

    observations: Observations
    slices: list[Slice]
    rejections: list[Rejection]


def score_records(
    stage: ScoreStage,
    topic: str,
    polled: Mapping[int, Sequence[tuple[int, bytes]]],
    *,
    now_ms: int,
    max_future_ms: int,
) -> Scored:
    """Score what was polled: offset and value of the records of each partition."""
    mentions: list[Mention] = []
    rejections: list[Rejection] = []
    bounds = [0]
    for partition, records in polled.items():
        decoded = decode_batch(
            [value for _, value in records],
            source=f"{topic}/{partition}",
            positions=[offset for offset, _ in records],
            now_ms=now_ms,
            max_future_ms=max_future_ms,
        )
        mentions += decoded.mentions
        rejections += decoded.rejections
        bounds.append(len(mentions))
    observations = stage.score(mentions)
    row = {id(mention): i for i, mention in enumerate(mentions)}
    rows = np.array([row[id(m)] for m in observations.mention], dtype=np.int64)
    slices: list[Slice] = []
    for partition, first, last in zip(polled, bounds, bounds[1:]):
        # whatever it is about, it tells how far the partition has come
        latest = max((m.published_at for m in mentions[first:last]), default=None)
        high = None if latest is None else round(latest.timestamp() * 1000)
        inside = (rows >= first) & (rows < last) & ~observations.own
        slices.append(Slice(partition, high, None, marks_of(observations.published_ms[inside])))
    return Scored(observations, slices, rejections)


def _line(value: bytes | None) -> bytes:
    """The value of a record as a line; of one that is too large, what shows that it is."""
    return b"null" if value is None else value[: MAX_LINE_BYTES + 1]


def rejected_record(
    reason: str, detail: str, topic: str, partition: int, offset: int, raw: bytes
) -> bytes:
    """What could not be read, as it is parked: JSON, the raw bytes in base64."""
    return orjson.dumps(
        {
            "schema": REJECTED_VERSION,
            "reason": reason,
            "detail": detail,
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "raw": b64encode(raw).decode(),
        }
    )


def _parked(rejection: Rejection) -> bytes:
    topic, _, partition = rejection.source.rpartition("/")
    where = topic, int(partition), int(rejection.position)
    return rejected_record(rejection.reason, rejection.detail, *where, rejection.raw)


class ScoreWorker(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Reads mentions, writes observations, until it is stopped.

    Parameters
    ----------
    stage : ScoreStage
    brands : sequence of str
        Ids, as the stage has them.
    kafka : KafkaSettings
    max_future_ms : int
    clock : callable
        Milliseconds since the epoch.
    meter : Meter
        Told how long batches take.

    Attributes
    ----------
    counters : ScoreCounters
    lag : dict of int to int
        How many records each partition had to read when it was last asked.
    """

    def __init__(
        self,
        stage: ScoreStage,
        brands: Sequence[str],
        kafka: KafkaSettings,
        *,
        max_future_ms: int = 300_000,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        meter: Meter = UNMETERED,
    ) -> None:
        self.counters = ScoreCounters()
        self.lag: dict[int, int] = {}
        self.stopping = False
        self._stage = stage
        self._brands = brands
        self._kafka = kafka
        self._max_future_ms = max_future_ms
        self._clock = clock
        self._meter = meter
        self._topics = names(kafka)
        to = [partition_of(brand, kafka.partitions) for brand in brands]
        self._partition = np.array(to, dtype=np.int64)
        self._done: dict[TopicPartition, int] = {}  # acknowledged and not committed yet
        self._pace = Pace(BATCH)
        self._busy = asyncio.Lock()  # a batch is under way; partitions are given up between batches
        self._told_ms = self._committed_ms = self._doubt_ms = 0

    async def run(self) -> None:
        """Work until ``stopping`` is set."""
        self._consumer = AIOKafkaConsumer(
            **async_settings(self._kafka),
            group_id=group(self._kafka, "score"),
            group_instance_id=self._kafka.instance,
            client_id="nadhir-score",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=8 << 20,
            fetch_max_wait_ms=POLL_MS,
            metadata_max_age_ms=METADATA_MS,
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_000,
        )
        self._producer = AIOKafkaProducer(
            **async_settings(self._kafka),
            client_id="nadhir-score",
            acks="all",
            enable_idempotence=True,
            linger_ms=2,
            max_batch_size=1 << 20,
            max_request_size=4 << 20,
        )
        self._consumer.subscribe([self._topics.mentions], listener=self)
        await self._producer.start()
        try:
            await self._consumer.start()
            try:
                while not self.stopping:
                    await self._turn()
            finally:
                await self._commit()
                leave_for_good(self._consumer)
                await self._consumer.stop()
        finally:
            await self._producer.stop()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Commit what was done before another worker takes the partitions over."""
        async with self._busy:
            await self._commit()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Tell at once what is empty, since others may wait for it."""
        self._told_ms = 0
        log.info("reads partitions %s", sorted(tp.partition for tp in assigned))

    async def _turn(self) -> None:
        async with self._busy:
            began = self._clock()
            most = self._pace.most
            polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=most)
            if polled:
                await self._batch(polled)
            now = self._clock()
            if now - began > OUTAGE_MS:
                self._doubt_ms = now + DOUBT_MS
            if now - self._told_ms >= TELL_MS:
                await self._tell_empty()
                self._told_ms = now
            if now - self._committed_ms >= COMMIT_MS:
                await self._commit()
                self._committed_ms = now
        # lets a rebalance have its turn, and a few mentions become a batch
        few = sum(map(len, polled.values())) < min(most, BATCH // 4)
        await asyncio.sleep(GATHER_S if few else 0)

    async def _batch(self, polled: Mapping[TopicPartition, list[ConsumerRecord]]) -> None:
        now = self._clock()
        values = {
            tp.partition: [(r.offset, _line(r.value)) for r in records]
            for tp, records in polled.items()
        }
        began = time.perf_counter()
        scored = score_records(
            self._stage,
            self._topics.mentions,
            values,
            now_ms=now,
            max_future_ms=self._max_future_ms,
        )
        self._meter.took("score", time.perf_counter() - began)
        # the broker takes a reader for dead that does not answer: it cannot while it scores
        self._pace.took(sum(map(len, values.values())), self._clock() - now)
        parked = [self._producer.send(self._topics.rejected, _parked(r)) for r in scored.rejections]
        # records of a partition came in order; a producer's clock may be ahead of ours
        arrived_ms = min(now, *(records[0].timestamp for records in polled.values()))
        await self._send(scored.observations, scored.slices, now, max(0, arrived_ms))
        for sent in [await each for each in parked]:
            await sent
        for tp, records in polled.items():
            self._done[tp] = records[-1].offset + 1
        self.counters.mentions += sum(map(len, values.values()))
        self.counters.observations += len(scored.observations)
        for rejection in scored.rejections:
            reasons = self.counters.rejected
            reasons[rejection.reason] = reasons.get(rejection.reason, 0) + 1

    async def _send(
        self, observations: Observations, slices: list[Slice], now: int, arrived_ms: int = 0
    ) -> None:
        records = pack(
            observations,
            self._brands,
            self._partition,
            self._kafka.partitions,
            slices,
            now,
            arrived_ms,
        )
        topic = self._topics.observations
        sent = [await self._producer.send(topic, v, partition=p) for p, v in records]
        await asyncio.gather(*sent)

    async def _tell_empty(self) -> None:
        """Tell which partitions had nothing more, by the clock of before the question."""
        now = self._clock()
        mine = self._consumer.assignment()
        if not mine:
            self.lag = {}
            return
        try:
            ends = await self._consumer.end_offsets(mine)
            read = {tp: await self._consumer.position(tp) for tp in mine}
        except IllegalStateError:
            return  # a rebalance
        except KafkaError as error:
            log.debug("cannot tell what is empty: %s", error)
            self._doubt_ms = self._clock() + DOUBT_MS
            return
        self.lag = {tp.partition: max(0, ends[tp] - read[tp]) for tp in mine}
        if self._clock() - now > OUTAGE_MS:
            self._doubt_ms = self._clock() + DOUBT_MS
        empty = [Slice(tp.partition, None, now, []) for tp in mine if read[tp] >= ends[tp]]
        if empty and now >= self._doubt_ms:
            await self._send(self._stage.score([]), empty, now)

    async def _commit(self) -> None:
        done, self._done = self._done, {}
        mine = self._consumer.assignment()
        done = {tp: offset for tp, offset in done.items() if tp in mine}
        if not done:
            return
        try:
            await self._consumer.commit(done)
        except CommitFailedError:
            log.warning("partitions were taken over; the next reader scores some mentions again")
        except KafkaError as error:
            log.warning("offsets are not committed, will be tried again: %s", error)
            self._done = {**done, **self._done}
