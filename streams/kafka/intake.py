"""HTTP intake on Kafka: answered 202 only once the brokers have acknowledged every line."""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.config import Config
from streams.config.schema import KafkaSettings
from streams.intake import IntakeUnavailable, ItemTooLarge, create_intake
from streams.kafka import KafkaEngineError
from streams.kafka.connection import async_settings
from streams.kafka.produce import largest_line
from streams.kafka.topics import names
from streams.serve import http_server, intake_options, intake_url, listen

log = logging.getLogger("nadhir.intake")

ACK_S = 15.0  # a sender waits no longer for the brokers
_REQUEST_MS = 10_000
_BATCH_BYTES = 1 << 20
# together less than the supervisor waits before it kills
_ANSWER_S = 3  # for requests in flight
_FLUSH_S = 1.0  # for lines whose senders were told to try again


class MentionsTopic:
    """The topic of mentions, as the store of the intake.

    Parameters
    ----------
    producer : AIOKafkaProducer
        Idempotent, with acknowledgements of all copies in sync.
    topic : str
    most_bytes : int
        Largest line that the topic takes.
    ack_s : float
        Time that the brokers have to acknowledge the lines of a request.
    """

    def __init__(
        self, producer: AIOKafkaProducer, topic: str, most_bytes: int, ack_s: float = ACK_S
    ) -> None:
        self.broken = asyncio.Event()
        self._producer = producer
        self._topic = topic
        self._most_bytes = most_bytes
        self._ack_s = ack_s

    async def append(self, lines: list[bytes]) -> int:
        """Send lines; returns their number once all are acknowledged.

        Raises
        ------
        IntakeUnavailable
            If not all are acknowledged.  Some may have arrived or still arrive; sending them again
            does no harm, since a mention counts once.
        ItemTooLarge
            If a line is larger than the topic takes; nothing was sent.
        """
        for i, line in enumerate(lines):
            if len(line) > self._most_bytes:
                raise ItemTooLarge(i, self._most_bytes)
        try:
            async with asyncio.timeout(self._ack_s):
                sent = [await self._producer.send(self._topic, line) for line in lines]
                await asyncio.gather(*sent)
        except TimeoutError as error:
            log.error("the brokers have not acknowledged %d lines in time", len(lines))
            raise IntakeUnavailable("not acknowledged in time") from error
        except KafkaError as error:
            log.error("the brokers do not take lines: %s", error)
            # an idempotent producer cannot go on after what it may not try again
            if not error.retriable:
                self.broken.set()
            raise IntakeUnavailable(str(error)) from error
        return len(lines)


async def serve_intake(config: Config, address: tuple[str, int], stopped: asyncio.Event) -> None:
    """Serve ``POST /v1/mentions`` until the event is set.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached at first, or the producer is beyond repair.
    OSError
        If the address is in use.
    """
    kafka = config.kafka
    most_bytes = await asyncio.to_thread(largest_line, kafka)
    with closing(listen(address)) as listener:
        producer = await open_producer(kafka, most_bytes)
        store = MentionsTopic(producer, names(kafka).mentions, most_bytes)
        server = http_server(create_intake(store, intake_options(config)), grace_s=_ANSWER_S)
        log.info("intake at %s", intake_url(address[0], listener))
        serving = asyncio.create_task(server.serve([listener]))
        ends = [asyncio.create_task(event.wait()) for event in (stopped, store.broken)]
        try:
            await asyncio.wait({serving, *ends}, return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            await serving
        finally:
            for end in ends:
                end.cancel()
            # without brokers it would wait for ever
            await asyncio.wait({asyncio.create_task(producer.stop())}, timeout=_FLUSH_S)
    if store.broken.is_set():
        raise KafkaEngineError("the producer of the intake cannot go on; the process ends")


async def open_producer(kafka: KafkaSettings, most_bytes: int) -> AIOKafkaProducer:
    """A producer as the intake needs it, started.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached.
    """
    producer = AIOKafkaProducer(
        **async_settings(kafka),
        client_id="nadhir-intake",
        acks="all",
        enable_idempotence=True,
        linger_ms=2,
        # the broker refuses a batch as a whole; a line may be a batch of its own
        max_batch_size=min(_BATCH_BYTES, most_bytes // 2),
        max_request_size=most_bytes + 1024,
        request_timeout_ms=_REQUEST_MS,
    )
    try:
        await producer.start()
    except KafkaError as error:
        await producer.stop()
        where = ", ".join(kafka.bootstrap)
        raise KafkaEngineError(f"Kafka at {where}: {error}; see kafka.bootstrap") from error
    return producer
