"""The stateful stages as Faust agents: state in a table, offsets after it.

One agent takes records in order.  Now and then it stores what changed of a partition's state in the
table's changelog, with the offset up to which records are in it, waits until that is acknowledged,
and only then acknowledges those records.

Where a partition goes on is told by its state alone, never by where Faust begins to read: Faust
goes on where its fetcher stands, if nothing was committed before a rebalance.  What comes twice is
passed over, and what lies before a record that comes too early is asked for again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, NoReturn

from faust.types import TP, EventT

from models.records import Brand
from streams.config.schema import KafkaSettings
from streams.decode import MAX_LINE_BYTES
from streams.detect_state import Change
from streams.kafka import KafkaEngineError
from streams.kafka.app import create_app
from streams.kafka.connection import leave_for_good
from streams.kafka.journal import Journal
from streams.kafka.packing import UnknownVersion, partition_of
from streams.kafka.parts import Outgoing, Part, PartFactory
from streams.kafka.score import rejected_record
from streams.kafka.topics import TABLE, Names, names
from streams.meter import UNMETERED, Meter

log = logging.getLogger("nadhir.agents")

CHECKPOINT_MS = 1_000
# lag and no progress for so long: the process ends, its supervisor starts it anew
WATCHDOG_S = 60.0
_MOST_UNSENT = 20_000  # changelog records of a checkpoint; more slows the agent down
_GIVE_UP_S = 30.0  # for a checkpoint that runs when its partition is taken away
_BACK_MS = 5_000  # after going back, before it is tried once more
_OFFSET = "offset"  # piece of state: the record to go on with
_STUCK = 70  # exit code (EX_SOFTWARE)


class StatefulWorker:
    """One stateful stage in this process.

    Parameters
    ----------
    stage : {"detect", "alert"}
    source : str
        Topic that it reads.
    brands : sequence of Brand
    kafka : KafkaSettings
    make : callable
        Makes the part of a partition.
    meter : Meter
        Told how long it takes to store state.

    Attributes
    ----------
    taken, unreadable : int
        Records taken, and those of them that could not be read.
    """

    def __init__(
        self,
        stage: str,
        source: str,
        brands: Sequence[Brand],
        kafka: KafkaSettings,
        make: PartFactory,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        meter: Meter = UNMETERED,
    ) -> None:
        self.app = create_app(stage, kafka)
        self.taken = self.unreadable = 0
        self._meter = meter
        self._brands: dict[int, list[Brand]] = {p: [] for p in range(kafka.partitions)}
        for brand in brands:
            self._brands[partition_of(brand.id, kafka.partitions)].append(brand)
        self._names: Names = names(kafka)
        self._source = source
        self._make = make
        self._clock = clock
        self._parts: dict[int, _Running] = {}
        self._generation = 0  # of the assignment: what began in an older one stores nothing
        raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes}
        raw |= {"key_serializer": "raw", "value_serializer": "raw", "allow_empty": True}
        topic = self.app.topic(source, partitions=kafka.partitions, **raw)
        self._table = self.app.Table(
            TABLE,
            partitions=kafka.partitions,
            key_type=bytes,
            value_type=bytes,
        )
        self._table.on_recover(self._begin_anew)
        self.app.agent(topic, concurrency=1, name=f"nadhir.{stage}")(self._agent)
        self.app.on_partitions_revoked.connect(self._revoked)

    async def run(self, stopped: asyncio.Event) -> None:
        """Work until the event is set; at most what one checkpoint holds is done again later."""
        # Faust would pass over what it has read before, though we ask for it again
        consumer: Any = self.app.consumer
        consumer._read_offset = _Forgetful()
        await self.app.start()
        self.app.producer.buffer.max_messages = _MOST_UNSENT
        watchdog = asyncio.create_task(self._watch())
        tidying = asyncio.create_task(self._store_when_quiet())
        try:
            await stopped.wait()
        finally:
            watchdog.cancel()
            tidying.cancel()
            await self._revoked()
            leave_for_good(consumer._thread._ensure_consumer())
            await self.app.stop()

    # records --------------------------------------------------------------------------------

    async def _agent(self, stream: Any) -> None:
        async for event in stream.noack().events():
            try:
                await self._take(event)
            except Exception:  # noqa: BLE001
                # never go on after work that failed: acknowledging what follows would lose it
                self._end("cannot go on", error=True)

    async def _take(self, event: EventT[bytes]) -> None:
        generation, message = self._generation, event.message
        running = self._running(message.partition)
        async with running.lock:
            await self._work(event, running, generation)

    async def _work(self, event: EventT[bytes], running: _Running, generation: int) -> None:
        if generation != self._generation:
            return  # it waited while the partition was given up: the next owner takes it
        message = event.message
        if message.offset < running.next:
            running.open.append((message.offset, event))
            return
        now = self._clock()
        if message.offset > running.next:
            match running.early(message.offset, now):
                case "back":
                    log.info("%s/%s: back to %s", message.topic, message.partition, running.next)
                    await self.app.consumer.seek(message.tp, running.next)
                    return
                case "wait":
                    return
            log.warning("%s/%s begins at %s", message.topic, message.partition, message.offset)
        running.open.append((message.offset, event))
        running.next = message.offset + 1
        outgoing: list[Outgoing] = []
        try:
            outgoing = running.part.take(message.offset, message.value, now)
        except KafkaEngineError as error:
            outgoing = [self._parked(message, error)]
        running.sent += [await self._send(each) for each in outgoing]
        self.taken += 1
        if now - running.stored_ms >= CHECKPOINT_MS:
            await self._checkpoint(message.partition, running, generation)
            running.stored_ms = self._clock()

    def _running(self, partition: int) -> _Running:
        if partition not in self._parts:
            part = self._make(partition, self._brands[partition])
            store: Any = self._table.data
            journal = Journal(partition, store.data)
            pieces = dict(journal.pieces)
            next_ = int(pieces.pop(_OFFSET, b"0"))
            part.restore(pieces)
            self._parts[partition] = _Running(part, journal, next_, self._clock())
        return self._parts[partition]

    def _parked(self, message: Any, error: KafkaEngineError) -> Outgoing:
        self.unreadable += 1
        reason = "unknown_version" if isinstance(error, UnknownVersion) else "bad_record"
        raw = (message.value or b"")[:MAX_LINE_BYTES]  # in base64 it must fit into a record
        log.warning("%s/%s: %s is parked", message.topic, message.partition, error)
        where = message.topic, message.partition, message.offset
        body = rejected_record(reason, str(error), *where, raw)
        return Outgoing(self._names.rejected, None, body)

    async def _send(self, record: Outgoing) -> Any:
        """The acknowledgement to come."""
        return await self.app.producer.send(
            record.topic,
            record.key,
            record.value,
            record.partition,
            None,
            list(record.headers),
        )

    # state ----------------------------------------------------------------------------------

    async def _checkpoint(self, partition: int, running: _Running, generation: int) -> None:
        began = time.perf_counter()
        done = running.part.done
        changes, outgoing = running.part.checkpoint()
        if done >= 0:
            changes = [*changes, (_OFFSET, b"%d" % (done + 1))]
        running.sent += [await self._send(each) for each in outgoing]
        sent, running.sent = running.sent, []
        stored = self._store(partition, running, changes)
        for acknowledged in [*sent, *stored]:
            await acknowledged
        self._meter.took("store", time.perf_counter() - began)
        if generation != self._generation:
            return
        while running.open and running.open[0][0] <= done:
            running.open.popleft()[1].ack()

    async def _store_when_quiet(self) -> None:
        """Store what no further record came to store: the last alerts of a burst, too."""
        while True:
            await asyncio.sleep(CHECKPOINT_MS / 1000)
            for partition, running in list(self._parts.items()):
                generation = self._generation
                async with running.lock:
                    due = running.open and self._clock() - running.stored_ms >= CHECKPOINT_MS
                    if due and self._parts.get(partition) is running:
                        try:
                            await self._checkpoint(partition, running, generation)
                        except Exception:  # noqa: BLE001
                            self._end("cannot store", error=True)
                        running.stored_ms = self._clock()

    def _store(self, partition: int, running: _Running, changes: Iterable[Change]) -> list[Any]:
        """Write changes to the changelog and to the table; the acknowledgements to come."""
        store: Any = self._table.data
        sent: list[Any] = []

        def put(key: bytes, value: bytes | None) -> None:
            if value is None:
                store.data.pop(key, None)
            else:
                store.data[key] = value
                store._key_partition[key] = partition
            sent.append(self._table.send_changelog(partition, key, value))

        for key, value in running.journal.writes(changes):
            put(key, value)
        return sent

    async def _begin_anew(self) -> None:
        """Partitions were assigned and their state is here: forget what was in memory."""
        self._generation += 1
        self._parts.clear()

    async def _revoked(self, *_: Any, **__: Any) -> None:
        """Give partitions up once what is being stored is stored: nobody else reads them before."""
        self._generation += 1
        try:
            async with asyncio.timeout(_GIVE_UP_S):
                for running in list(self._parts.values()):
                    async with running.lock:
                        pass
        except TimeoutError:
            # what it wrote late would mix with what the next owner writes
            self._end("cannot store before the partitions go to another worker")
        await self._commit()
        self._parts.clear()

    async def _commit(self) -> None:
        """Commit what was acknowledged."""
        consumer = self.app.consumer
        if consumer is not None and consumer.started:
            await consumer.commit()

    async def _watch(self) -> None:
        """End the process when there is work and none is done."""
        done, since = self._done(), time.monotonic()
        while True:
            await asyncio.sleep(1.0)
            idle = not self._recovering and not await self._lag()
            if idle or self._done() != done:
                done, since = self._done(), time.monotonic()
            elif time.monotonic() - since > WATCHDOG_S:
                self._end(f"no progress for {WATCHDOG_S:g} s though there is work")

    @property
    def _recovering(self) -> bool:
        """Whether state is being read; Faust may wait for it for ever after a broker was away."""
        tables: Any = self.app.tables
        return bool(tables.recovery.in_recovery)

    def _done(self) -> tuple[int, int]:
        """What grows with work: records taken, and how far the changelogs were read."""
        tables: Any = self.app.tables
        return self.taken, sum(tables.recovery.active_offsets.values())

    @property
    def parts(self) -> list[Part]:
        """Those of the partitions that this process has."""
        return [running.part for running in self._parts.values()]

    def lag(self) -> dict[int, int]:
        """How many records each of these partitions has to take, as far as was fetched."""
        consumer = self.app.consumer
        if self.app.rebalancing or not consumer.started:
            return {}
        high = {p: consumer.highwater(TP(self._source, p)) for p in self._parts}
        return {p: max(0, (high[p] or 0) - each.next) for p, each in self._parts.items()}

    def state_bytes(self) -> dict[str, int]:
        """Size of the stored state of these partitions by part."""
        store: Any = self._table.data
        sizes: Counter[str] = Counter()
        for key, value in store.data.items():
            partition, _, name = key.decode().partition("|")
            if int(partition) in self._parts:
                sizes[re.split("[/#]", name, maxsplit=1)[0]] += len(value)
        return dict(sizes)

    async def _lag(self) -> bool:
        consumer = self.app.consumer
        if self.app.rebalancing or not consumer.started:
            return False
        for tp in consumer.assignment():
            if tp.topic == self._source:
                running = self._parts.get(tp.partition)
                next_ = running.next if running else await consumer.position(tp)
                high = consumer.highwater(tp)
                if high is not None and next_ is not None and high > next_:
                    return True
        return False

    def _end(self, why: str, *, error: bool = False) -> NoReturn:
        """End the process at once; its supervisor starts it anew."""
        log.error("%s; the process ends, the next one repeats what was open", why, exc_info=error)
        logging.shutdown()
        os._exit(_STUCK)


class _Running:
    """A part with what is on its way."""

    def __init__(self, part: Part, journal: Journal, next_: int, now_ms: int) -> None:
        self.part = part
        self.journal = journal
        self.next = next_  # offset of the record that is to be taken
        self.open: deque[tuple[int, EventT[bytes]]] = deque()
        self.sent: list[Any] = []
        self.stored_ms = now_ms
        self.lock = asyncio.Lock()  # what a record gives is sent whole before it is stored
        self._back: _Back | None = None

    def early(self, offset: int, now_ms: int) -> Literal["back", "wait", "take"]:
        """What to do about a record that comes before the one that is to be taken."""
        back = self._back
        if back is None or back.next != self.next:
            self._back = _Back(self.next, offset, now_ms)
            return "back"
        if offset <= back.early:
            return "take"  # going back has brought it again: there is nothing before it
        if now_ms - back.now_ms < _BACK_MS:
            return "wait"  # it was on its way
        self._back = back._replace(now_ms=now_ms)
        return "back"


class _Forgetful(dict[Any, None]):
    """Holds nothing, whatever is put into it."""

    def __missing__(self, key: Any) -> None:
        return None

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def update(self, *_: Any, **__: Any) -> None:
        pass


class _Back(NamedTuple):
    """Where a partition was taken back to, from which record, and when."""

    next: int
    early: int
    now_ms: int
