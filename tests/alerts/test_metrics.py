"""Metrics of the response database: from the audit trail, so that they outlive a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

import alerts.metrics
from alerts.drills import MARK
from alerts.metrics import ResponseMetrics
from alerts.service import Desk
from alerts.store.audit import Entry
from alerts.store.database import Database
from tests.alerts.responding import NOW, RECEIVERS, Clock, desk, first, later

ID = first().id
SEVERITY = first().severity
ACKNOWLEDGED = "nadhir_alert_time_to_acknowledge_seconds"
MESSAGED = "nadhir_alert_time_to_first_message_seconds"


class Case:
    """A desk whose clock is moved by hand, and what its metrics say."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.desk: Desk = desk(database, self.clock)
        self.metrics = ResponseMetrics(self.desk)

    def act(self, what: Any, after_s: int = 0) -> None:
        self.clock.now_ms += after_s * 1000
        self.desk.act("amal", ID, what, version=None, reason="", once=None)

    def take(self, *events: Any, after_s: int = 0, **changes: Any) -> None:
        self.clock.now_ms += after_s * 1000
        before = self.desk.alert(ID).alert
        self.desk.take(later(before, *events, **changes))

    def value(self, name: str, **labels: str) -> float | None:
        registry = CollectorRegistry()
        registry.register(self.metrics)
        return registry.get_sample_value(name, labels)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    database = Database(tmp_path / "response.db")
    found = Case(database)
    found.desk.take(first())
    yield found
    database.close()


def test_everything_begins_at_nought(tmp_path: Path) -> None:
    found = Case(Database(tmp_path / "response.db"))
    for severity in ("watch", "warning", "critical"):
        assert found.value(f"{ACKNOWLEDGED}_count", severity=severity) == 0
        for state in ("open", "acknowledged", "resolved"):
            assert found.value("nadhir_alerts", state=state, severity=severity) == 0
    for verdict in ("true", "false", "duplicate"):
        assert found.value("nadhir_alert_verdicts_total", verdict=verdict) == 0
    for receiver in RECEIVERS:
        assert found.value("nadhir_notifications_pending", receiver=receiver) == 0
        assert found.value("nadhir_notification_dead_letters", receiver=receiver) == 0
    found.desk.database.close()


def test_a_call_lasts_until_somebody_acknowledges_it(case: Case) -> None:
    case.act("acknowledge", after_s=90)
    assert case.value(f"{ACKNOWLEDGED}_sum", severity=SEVERITY) == 90
    assert case.value(f"{ACKNOWLEDGED}_bucket", severity=SEVERITY, le="60.0") == 0
    assert case.value(f"{ACKNOWLEDGED}_bucket", severity=SEVERITY, le="120.0") == 1
    case.act("unacknowledge", after_s=600)  # a call of its own
    case.act("acknowledge", after_s=10)
    assert case.value(f"{ACKNOWLEDGED}_sum", severity=SEVERITY) == 100
    assert case.value(f"{ACKNOWLEDGED}_count", severity=SEVERITY) == 2


def test_a_rise_of_what_nobody_took_is_no_second_call(case: Case) -> None:
    case.take("raised", after_s=50, severity="critical", score=90)
    case.act("acknowledge", after_s=50)
    assert case.value(f"{ACKNOWLEDGED}_sum", severity="critical") == 100
    assert case.value(f"{ACKNOWLEDGED}_count", severity=SEVERITY) == 0


def test_what_ended_by_itself_was_not_acknowledged(case: Case) -> None:
    case.take("resolved", after_s=500)
    case.act("reopen", after_s=500)
    case.act("acknowledge", after_s=30)
    assert case.value(f"{ACKNOWLEDGED}_sum", severity=SEVERITY) == 30


def test_the_first_message_counts_from_the_opening(case: Case) -> None:
    shown = case.desk.messages(ID).messages
    for message in shown[:2]:
        case.clock.now_ms += 100_000
        said = {"version": None, "once": None}
        case.desk.approve_message("amal", ID, message.name, message.digest, **said)
        case.desk.sent_message("omar", ID, message.name, "https://x.example", **said)
    assert case.value(f"{MESSAGED}_count", severity=SEVERITY) == 1
    assert case.value(f"{MESSAGED}_sum", severity=SEVERITY) == 100


def test_verdicts(case: Case) -> None:
    for word in ("false", "true"):
        case.desk.judge("amal", ID, word, version=None, reason="", duplicate_of=None, once=None)  # type: ignore[arg-type]
    assert case.value("nadhir_alert_verdicts_total", verdict="false") == 1
    assert case.value("nadhir_alert_verdicts_total", verdict="true") == 1


def test_another_process_tells_the_same_and_counts_nothing_twice(case: Case) -> None:
    case.act("acknowledge", after_s=90)
    before = case.value(f"{ACKNOWLEDGED}_count", severity=SEVERITY)
    assert case.value(f"{ACKNOWLEDGED}_count", severity=SEVERITY) == before == 1
    case.metrics = ResponseMetrics(case.desk)
    assert case.value(f"{ACKNOWLEDGED}_count", severity=SEVERITY) == 1


def test_a_long_trail_is_read_in_parts_and_told_when_it_is_whole(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        case.act("acknowledge", after_s=1)
        case.act("unacknowledge", after_s=1)
    monkeypatch.setattr(alerts.metrics, "_ROWS", 2)
    monkeypatch.setattr(alerts.metrics, "_TURNS", 2)
    case.metrics = ResponseMetrics(case.desk)
    told = []
    while (count := case.value(f"{ACKNOWLEDGED}_count", severity=SEVERITY)) is None:
        told.append(count)
    assert told, "not in one scrape"
    assert count == 4
    assert case.value("nadhir_audit_rows_total") == 9


def test_drills_count_as_nothing(case: Case) -> None:
    drill = msgspec.structs.replace(first(), id="a-drill", brand=first().brand + MARK)
    case.desk.take(drill)
    case.desk.act("amal", "a-drill", "acknowledge", version=None, reason="", once=None)
    assert case.value(f"{ACKNOWLEDGED}_count", severity=SEVERITY) == 0
    assert case.value("nadhir_alerts", state="acknowledged", severity=SEVERITY) == 0


def test_without_its_database_the_rest_is_told_still(case: Case) -> None:
    assert case.value("nadhir_response_database_up") == 1
    with case.desk.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE chain")
    assert case.value("nadhir_response_database_up") == 0
    assert case.value("nadhir_audit_rows_total") is None


def test_rows_that_are_about_no_alert_are_passed_over() -> None:
    history = alerts.metrics.History()
    row = Entry(
        seq=1, at_ms=NOW, actor="amal", action="opened", alert=None, details={}, hash="0"
    )  # fmt: skip
    history.fold(row)
    assert not history.verdicts
