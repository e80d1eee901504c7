"""The desk of the response side, composed as the configuration says, and what feeds it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import alerts.texts
from alerts.notify.dispatcher import Pace
from alerts.privacy import Author
from alerts.records import Alert
from alerts.retention import Retention
from alerts.service import Desk, Policy
from alerts.service.calling import Calls
from alerts.service.standing import Standing
from alerts.service.tx import SYSTEM
from alerts.store.database import Database
from alerts.store.errors import StoreFault
from alerts.store.queue import StoredQueue
from alerts.texts import Phrases, load_phrases
from streams.config import Config
from streams.notify import notified, open_dispatcher
from streams.schedules import open_duty

log = logging.getLogger("nadhir.response")

RECEIVER = ":response"  # in the engine's outbox; no configured receiver can have this name
_TICK_S = 1.0
_AGEING_S = 3_600.0
_SENDING_S = 30.0  # at the end of a run that ends by itself
_LOOK_S = 0.05


def database_place(config: Config) -> Path | str:
    """Where the response database is."""
    url = config.database.url
    return url.get_secret_value() if url else config.paths.data / "response.db"


@contextmanager
def opened_desk(
    config: Config, clock: Callable[[], int], *, publishes: bool = False
) -> Iterator[Desk]:
    """The desk over the configured database, closed at the end.

    ``publishes`` says that the caller publishes the states of alerts (`streams.kafka.states`).

    Raises
    ------
    alerts.store.StoreFault
        If the database cannot be used.
    """
    with closing(Database(database_place(config))) as database:
        duty = open_duty(config, clock)
        policy = Policy(
            receivers=tuple(receiver.name for receiver in notified(config)),
            called=duty.receivers,
            cooldown_ms=config.alerts.cooldown_min * 60_000,
            publishes=publishes,
        )
        yield Desk(
            database,
            clock,
            _phrases(),
            policy=policy,
            public_url=config.api.public_url,
            escalator=Calls(duty),
        )


def erase_in_response(
    config: Config, author: Author, clock: Callable[[], int]
) -> tuple[Author, int]:
    """Erase one author's data in the response database, if there is one.

    Gives back the author with what is known there, too, and how many things were rewritten.
    """
    place = database_place(config)
    if isinstance(place, Path) and not place.exists():
        return author, 0
    with opened_desk(config, clock) as desk:
        found, erased = desk.erase_author(SYSTEM, author)
    return found, erased.alerts + erased.messages + erased.notifications


def _phrases() -> Phrases:
    return load_phrases(Path(alerts.texts.__file__).with_name("response.yaml"))


@contextmanager
def answering(config: Config, desk: Desk, clock: Callable[[], int]) -> Iterator[None]:
    """Call people when it is due, and send what is to be sent, meanwhile.

    Raises
    ------
    DeliveryError
        If a receiver cannot be used as it is configured.
    """
    standing = Standing(desk.database, _phrases())
    queue = StoredQueue(desk.database)
    dispatcher = open_dispatcher(config, queue, clock, standing, standing)
    dispatcher.start()
    try:
        with _ticking(desk), _ageing(desk, config.retention.record()):
            yield
    finally:
        dispatcher.stop()


def send_waiting(
    config: Config, desk: Desk, clock: Callable[[], int], stopping: Callable[[], bool]
) -> int:
    """Send what is due, for at most half a minute; how much remains.

    What quiet hours or a receiver's limit hold back for longer is not waited for.

    Raises
    ------
    DeliveryError
        If a receiver cannot be used as it is configured.
    """
    desk.escalate_due()
    ends = time.monotonic() + _SENDING_S
    standing = Standing(desk.database, _phrases())
    queue = StoredQueue(desk.database)
    if not queue.waiting():
        return 0
    dispatcher = open_dispatcher(config, queue, clock, standing, standing)
    dispatcher.start()
    try:
        # what was claimed, or failed, is due again soon: both are waited for
        while queue.waiting(clock() + Pace().lease_ms) and time.monotonic() < ends:
            if stopping():
                break
            time.sleep(_LOOK_S)
    finally:
        dispatcher.stop()
    return queue.waiting()


@contextmanager
def _ticking(desk: Desk) -> Iterator[None]:
    """Take steps of escalation when they are due, meanwhile."""
    stopped = threading.Event()

    def tick() -> None:
        while not stopped.wait(_TICK_S):
            try:
                desk.escalate_due()
            except StoreFault as error:
                log.error("escalation: %s; will be tried again", error)
            except Exception:  # nobody would be called any more if this thread ended
                log.exception("escalation failed; will be tried again")

    thread = threading.Thread(target=tick, name="escalation")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@contextmanager
def _ageing(desk: Desk, plan: Retention) -> Iterator[None]:
    """Drop what is too old, now and once an hour, meanwhile."""
    stopped = threading.Event()

    def work() -> None:
        while True:
            try:
                told = pruned(desk.prune(plan))
                if told:
                    log.info("retention: %s", told)
            except StoreFault as error:
                log.error("retention: %s; will be tried again", error)
            except Exception:  # nothing would go any more if this thread ended
                log.exception("retention failed; will be tried again")
            if stopped.wait(_AGEING_S):
                return

    thread = threading.Thread(target=work, name="retention")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def pruned(counts: Mapping[str, int]) -> str:
    """What retention dropped, in words; empty where there was nothing.

    Examples
    --------
    >>> pruned({"evidence": 2, "alerts": 0, "audit rows": 7})
    'evidence 2, audit rows 7'
    """
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)


def prune_response(config: Config, clock: Callable[[], int]) -> dict[str, int]:
    """Drop what is too old in the response database, if there is one; how many, by kind."""
    place = database_place(config)
    if isinstance(place, Path) and not place.exists():
        return {}
    with opened_desk(config, clock) as desk:
        return desk.prune(config.retention.record())


class Taker:
    """The engine's receiver that hands alerts to the desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def deliver(self, alert: Alert) -> None:
        """Take it up; raises OSError to be tried again later."""
        try:
            self._desk.take(alert)
        except StoreFault as error:
            raise OSError(str(error)) from error
