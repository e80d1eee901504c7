"""States of alerts, from the outbox of the response database to their topic.

Each record is sent in the order in which the changes came about, and leaves the outbox when all
copies have it: after a crash some are sent again, and none is lost.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from kafka import KafkaProducer
from kafka.errors import KafkaError

from alerts.store import outbox
from alerts.store.database import Database
from alerts.store.errors import StoreFault
from streams.config.schema import KafkaSettings
from streams.kafka.connection import client_settings, reached
from streams.kafka.topics import names

log = logging.getLogger("nadhir.states")

_SOME = 100
_PAUSE_S = 0.25
_RETRY_S = 2.0
_DELIVERY_MS = 20_000
_TURN_MS = 60_000  # longer than a batch can take: nobody else sends meanwhile
_TURN = "alerts.states"


@contextmanager
def publishing(
    kafka: KafkaSettings, database: Database, clock: Callable[[], int]
) -> Iterator[None]:
    """Publish what waits, meanwhile; of several processes over one database, one does.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached at first.
    """
    with reached(kafka):
        producer = KafkaProducer(
            **client_settings(kafka),
            client_id="nadhir-states",
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            delivery_timeout_ms=_DELIVERY_MS,
            request_timeout_ms=_DELIVERY_MS // 2,
            max_block_ms=_DELIVERY_MS,
        )
    publisher = Publisher(producer, names(kafka).states, database, clock)
    stopped = threading.Event()
    thread = threading.Thread(target=_publish, args=(publisher, stopped), name="states")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        producer.close()


class Publisher:
    """Sends what waits.

    Parameters
    ----------
    producer : KafkaProducer
    topic : str
    database : Database
    clock : callable
        Milliseconds since the epoch.
    """

    def __init__(
        self, producer: KafkaProducer, topic: str, database: Database, clock: Callable[[], int]
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._database = database
        self._clock = clock
        self._own = secrets.token_hex(8)

    def some(self) -> int:
        """Publish what waits next, if it is our turn; how much.

        Raises
        ------
        KafkaError, StoreFault
            Nothing is lost; it is sent again.
        """
        with self._database.read() as connection:
            waiting = outbox.first(connection, _SOME)
        if not waiting or not self._has_turn():
            return 0
        with self._database.read() as connection:  # before the turn was ours, others may have sent
            waiting = outbox.first(connection, _SOME)
        sent = [
            self._producer.send(self._topic, key=one.alert.encode(), value=one.body)
            for one in waiting
        ]
        self._producer.flush()
        for each in sent:
            each.get(_DELIVERY_MS / 1000)
        with self._database.write() as connection:
            outbox.published(connection, [one.seq for one in waiting])
        return len(waiting)

    def give_up_turn(self) -> None:
        """Let another process publish at once."""
        with self._database.write() as connection:
            outbox.end_turn(connection, _TURN, self._own)

    def _has_turn(self) -> bool:
        with self._database.write() as connection:
            return outbox.take_turn(connection, _TURN, self._own, self._clock(), _TURN_MS)


def _publish(publisher: Publisher, stopped: threading.Event) -> None:
    pause_s = 0.0
    while not stopped.wait(pause_s):
        try:
            pause_s = 0.0 if publisher.some() else _PAUSE_S
        except (KafkaError, StoreFault) as error:
            log.error(
                "topic alerts.states: %s: %s; will be tried again (nadhir topics check tells "
                "whether it is there)", type(error).__name__, error,
            )  # fmt: skip
            pause_s = _RETRY_S
        except Exception:  # nothing would be published any more if this thread ended
            log.exception("states cannot be published; will be tried again")
            pause_s = _RETRY_S
    with suppress(StoreFault):  # it ends by itself
        publisher.give_up_turn()
