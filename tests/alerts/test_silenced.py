"""What a silence holds back is told at its end, if nobody has answered by then."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from alerts.notify.chain import Chain, Route
from alerts.notify.records import Notification
from alerts.notify.worker import Worker
from alerts.service import Desk
from alerts.service.standing import Standing
from alerts.silences import Matchers
from alerts.store.database import Database
from alerts.store.queue import StoredQueue
from tests.alerts.build import MINUTE
from tests.alerts.responding import RESPONSE, Clock, copies, desk, first, later
from tests.alerts.test_service import ID, acknowledge, draft, outcomes, rounds, whys


class Mail:
    """The receiver ``mail`` behind its stages; ``taken`` is what it was told."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.taken: list[str] = []
        self._queue, self._clock = StoredQueue(database), clock
        stages = Chain(Route(), Standing(database, RESPONSE))
        self._worker = Worker("mail", self, stages, self._queue, clock)

    def send(self, batch: Sequence[Notification]) -> str:
        self.taken += [told.why for told in batch]
        return "taken"

    def after(self, minutes: int) -> list[str]:
        """What it has been told some minutes later."""
        self._clock.now_ms += minutes * MINUTE
        due = self._queue.claim(self._clock(), 100, MINUTE)
        self._worker.handle([one for one in due if one.notification.receiver == "mail"])
        return self.taken


def silenced(running: Desk, **changes: object) -> str:
    made = running.create_silence("amal", draft(**changes), once=None)
    return str(msgspec.json.decode(made.body)["id"])


def test_who_nobody_answered_in_a_silence_is_told_of_at_its_end(database: Database) -> None:
    clock = Clock()
    running, mail = desk(database, clock), Mail(database, clock)
    silenced(running)
    running.take(first())
    assert mail.after(1) == mail.after(58) == []
    (waits, _) = running.told_of(ID).notifications
    assert (waits.status, waits.attempts) == ("queued", 0)
    assert "Silenced until 2026-11-21T10:11:00Z by amal: maintenance" in (waits.detail or "")
    assert mail.after(1) == ["opened"]


def test_a_silence_that_ends_early_holds_back_no_longer(database: Database) -> None:
    clock = Clock()
    running, mail = desk(database, clock), Mail(database, clock)
    id_ = silenced(running)
    running.take(first())
    assert mail.after(1) == []
    running.end_silence("omar", id_, version=1, once=None)
    assert mail.after(2) == ["opened"]


def test_who_was_answered_in_a_silence_calls_nobody_at_its_end(database: Database) -> None:
    clock = Clock()
    running, mail = desk(database, clock, escalator=rounds(clock)), Mail(database, clock)
    silenced(running)
    running.take(first())
    assert mail.after(1) == []
    acknowledge(running)
    assert mail.after(1) == []
    clock.now_ms += 60 * MINUTE
    assert (running.escalate_due(), mail.after(1)) == (0, [])


def test_the_end_of_what_was_told_is_told_in_a_silence_too(database: Database) -> None:
    clock = Clock()
    running, mail = desk(database, clock), Mail(database, clock)
    (known, unknown) = copies(2)
    running.take(known)
    assert mail.after(0) == ["opened"]
    silenced(running)
    running.take(unknown)
    assert mail.after(1) == ["opened"]
    for alert in (known, unknown):
        running.take(later(alert, "resolved"))
    assert mail.after(1) == ["opened", "resolved"], "of the other one nothing is known there"
    assert mail.after(120) == ["opened", "resolved"]


def test_steps_of_a_chain_wait_for_the_end_of_a_silence(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock, escalator=rounds(clock))
    silenced(running)
    running.take(first())
    for _ in range(59):
        clock.now_ms += MINUTE
        assert running.escalate_due() == 0
    clock.now_ms += MINUTE
    assert [running.escalate_due() for _ in range(2)] == [1, 0]
    assert outcomes(running) == ["superseded", "superseded", "done"]
    assert whys(running.alert(ID)).count("escalated") == 1


def test_steps_that_wait_for_a_silence_hold_up_no_other(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock, escalator=rounds(clock))
    silenced(running, matchers=Matchers(severities=("watch",)))
    many = copies(101)
    for alert in many:
        running.take(msgspec.structs.replace(alert, severity="watch"))
    clock.now_ms += 1
    loud = msgspec.structs.replace(first(), severity="critical")
    running.take(loud)
    assert sum(running.escalate_due() for _ in range(3)) == 1
    assert whys(running.alert(loud.id)).count("escalated") == 1
