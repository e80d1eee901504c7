"""States of alerts on their way to a topic, over SQLite and PostgreSQL; the producer is ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka.errors import KafkaTimeoutError

from alerts.retention import DAY_MS, Retention
from alerts.service import Desk, Policy
from alerts.service.publishing import AlertState
from alerts.store import outbox
from alerts.store.database import Database
from streams.kafka import states
from streams.kafka.states import Publisher
from tests.alerts.responding import RECEIVERS, Clock, desk, first, later

ID = first().id
PUBLISHES = Policy(receivers=RECEIVERS, publishes=True)


class Producer:
    """Takes records, or fails as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes | None]] = []
        self.fails = 0

    def send(self, topic: str, key: bytes, value: bytes | None) -> Producer:
        assert topic == "alerts.states"
        self.sent.append((key.decode(), value))
        return self

    def flush(self) -> None: ...

    def get(self, timeout: float) -> None:
        if self.fails:
            self.fails -= 1
            raise KafkaTimeoutError("no answer")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def running(database: Database, clock: Clock) -> Desk:
    return desk(database, clock, policy=PUBLISHES)


def publisher(running: Desk, producer: Producer, clock: Clock) -> Publisher:
    given: Any = producer
    return Publisher(given, "alerts.states", running.database, clock)


def told(producer: Producer) -> list[tuple[int, str, str | None]]:
    read = [msgspec.json.decode(value or b"", type=AlertState) for _, value in producer.sent]
    return [(one.version, one.state, one.acknowledged_by) for one in read]


def act(running: Desk, what: Any, actor: str = "amal") -> None:
    running.act(actor, ID, what, version=None, reason="", once=None)


def test_every_change_is_published_once_and_in_order(running: Desk, clock: Clock) -> None:
    producer = Producer()
    sending = publisher(running, producer, clock)
    running.take(first())
    running.take(first())
    act(running, "acknowledge")
    running.comment("amal", ID, "no change", once=None)
    running.assign("amal", ID, "omar", version=None, once=None)
    running.take(later(first(), "resolved", resolved_at="2026-11-21T09:00:00Z"))
    assert sending.some() == 4
    assert told(producer) == [
        (1, "open", None), (2, "acknowledged", "amal"), (3, "acknowledged", "amal"),
        (4, "resolved", "amal"),
    ]  # fmt: skip
    assert {key for key, _ in producer.sent} == {ID}
    assert sending.some() == 0
    summary = running.alert(ID).summary
    last = msgspec.json.decode(producer.sent[-1][1] or b"", type=AlertState)
    for name in ("version", "state", "resolved_at", "assignee", "updated_at", "severity"):
        assert getattr(last, name) == getattr(summary, name), name


def test_what_failed_is_sent_again_and_nothing_overtakes_it(running: Desk, clock: Clock) -> None:
    producer = Producer()
    sending = publisher(running, producer, clock)
    running.take(first())
    producer.fails = 1
    with pytest.raises(KafkaTimeoutError):
        sending.some()
    act(running, "acknowledge")
    assert sending.some() == 2
    assert [version for version, _, _ in told(producer)] == [1, 1, 2]


def test_one_publishes_at_a_time_until_its_turn_ends(running: Desk, clock: Clock) -> None:
    one, two = Producer(), Producer()
    mine, theirs = publisher(running, one, clock), publisher(running, two, clock)
    running.take(first())
    assert mine.some() == 1
    act(running, "acknowledge")
    assert theirs.some() == 0
    clock.now_ms += states._TURN_MS
    assert theirs.some() == 1, "whoever had the turn is gone"
    act(running, "unacknowledge")
    assert mine.some() == 0
    theirs.give_up_turn()
    assert mine.some() == 1
    assert [v for v, _, _ in told(one)] == [1, 3]
    assert [v for v, _, _ in told(two)] == [2]


def test_a_turn_is_longer_than_a_batch_can_take() -> None:
    # to find room, to be delivered, and to be waited for
    assert states._TURN_MS >= 3 * states._DELIVERY_MS


def test_nothing_waits_where_nobody_publishes(database: Database) -> None:
    running = desk(database)
    running.take(first())
    act(running, "acknowledge")
    with database.read() as connection:
        assert outbox.first(connection, 10) == []


def test_what_retention_dropped_ends_with_an_empty_record(running: Desk, clock: Clock) -> None:
    producer = Producer()
    sending = publisher(running, producer, clock)
    running.take(first())
    running.take(later(first(), "resolved", resolved_at="2026-11-21T09:00:00Z"))
    sending.some()
    clock.now_ms += 31 * DAY_MS
    running.prune(Retention(evidence_days=10, alert_days=30))
    sending.some()
    assert producer.sent[-1] == (ID, None)
    assert sum(value is None for _, value in producer.sent) == 1


def test_what_nobody_published_goes_in_the_end(running: Desk, clock: Clock) -> None:
    running.take(first())
    clock.now_ms += 31 * DAY_MS
    plan = Retention(evidence_days=10, alert_days=30)
    assert running.prune(plan)["outbox rows"] == 1
    with running.database.read() as connection:
        assert outbox.first(connection, 10) == []


def test_the_document_names_every_field() -> None:
    page = Path(__file__).parents[2].joinpath("docs/alert.md").read_text(encoding="utf-8")
    about = page.partition("## States")[2].partition("\n## ")[0]
    missing = [name for name in AlertState.__struct_fields__ if f"`{name}`" not in about]
    assert missing == []
