"""Retention in the response database, over SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import select, text

from alerts.retention import DAY_MS, Retention
from alerts.service import Desk, Once, ageing
from alerts.service.list_records import ListDraft
from alerts.service.silencing import SilenceDraft
from alerts.silences import Matchers
from alerts.store import audit
from alerts.store.audit import BrokenChain
from alerts.store.database import Database
from alerts.store.queue import StoredQueue
from alerts.store.tables import metadata
from tests.alerts.build import RIMAL
from tests.alerts.responding import NOW, Clock, copies, desk, first, later
from tests.alerts.test_api_kept import THEIRS, held

PLAN = Retention(evidence_days=10, alert_days=30, notification_days=5, audit_days=60)
ID = first().id
ENDED = later(first(), "resolved", resolved_at="2026-11-21T09:00:00Z")


def rows_of(database: Database, name: str) -> int:
    with database.read() as connection:
        return len(connection.execute(select(metadata.tables[name])).all())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def running(database: Database, clock: Clock) -> Desk:
    made = desk(database, clock)
    made.take(first())
    return made


def ended(running: Desk) -> None:
    """The alert with all that can hang on one, resolved; what was told is sent."""
    running.comment("amal", ID, "a note", once=None)
    running.judge(
        "amal", ID, "true", version=None, reason="", duplicate_of=None, once=None
    )  # fmt: skip
    running.edit_message(
        "amal", ID, "holding:web:en", ("We look into it.",), version=None, once=None
    )
    running.take(ENDED)
    queue = StoredQueue(running.database)
    for item in queue.claim(NOW, 100, 1_000):
        queue.sent(item.id, NOW, "200")


def test_evidence_goes_first_and_the_rest_of_the_alert_later(running: Desk, clock: Clock) -> None:
    ended(running)
    before = running.alert(ID)
    clock.now_ms += 10 * DAY_MS
    assert not any(running.prune(PLAN)[name] for name in ("evidence", "alerts"))
    assert set(THEIRS) & {t for t in THEIRS if t in held(running.database)}

    clock.now_ms += DAY_MS
    assert running.prune(PLAN)["evidence"] == 1
    assert not [trace for trace in THEIRS if trace in held(running.database)]
    after = running.alert(ID)
    assert after.summary.version == before.summary.version + 1
    assert after.alert.score == before.alert.score
    assert [c.text for c in after.comments] == ["a note"]
    assert rows_of(running.database, "messages") == 0
    assert running.prune(PLAN)["evidence"] == 0, "it is not looked at again"

    clock.now_ms += 20 * DAY_MS
    assert running.prune(PLAN)["alerts"] == 1
    for name in ("alerts", "comments", "verdicts", "notifications", "escalations"):
        assert rows_of(running.database, name) == 0, name
    with running.database.read() as connection:
        assert audit.verify(connection) > 3, "the trail stays for its own time"


def test_what_went_is_not_taken_up_again(running: Desk, clock: Clock) -> None:
    ended(running)
    clock.now_ms += 31 * DAY_MS
    running.prune(PLAN)
    assert running.take(ENDED) is False
    assert rows_of(running.database, "notifications") == 0
    again = later(ENDED, "reopened", resolved_at=None)
    assert running.take(again), "but what opens again is news"
    running.take(later(again, "resolved", resolved_at="2026-12-30T09:00:00Z"))
    clock.now_ms += 31 * DAY_MS
    assert running.prune(PLAN)["alerts"] == 1
    assert running.take(again) is False


@pytest.mark.parametrize("acknowledge", [False, True])
def test_what_is_not_over_is_kept_whole(running: Desk, clock: Clock, acknowledge: bool) -> None:
    if acknowledge:
        running.act("amal", ID, "acknowledge", version=None, reason="", once=None)
    queue = StoredQueue(running.database)
    for item in queue.claim(NOW, 100, 1_000):
        queue.sent(item.id, NOW, "200")
    before = held(running.database)
    clock.now_ms += 50 * DAY_MS
    assert not any(running.prune(PLAN).values())
    assert held(running.database) == before


def test_what_was_told_goes_by_its_own_time(running: Desk, clock: Clock) -> None:
    ended(running)
    told = rows_of(running.database, "notifications")
    assert told >= 2
    clock.now_ms += 6 * DAY_MS
    assert running.prune(PLAN)["notifications"] == told
    assert running.alert(ID).alert.evidence, "the alert has its evidence still"


def test_what_is_still_to_be_sent_stays(running: Desk, clock: Clock) -> None:
    running.take(ENDED)
    waiting = [n for n in running.alert(ID).notifications if n.status == "queued"]
    assert waiting
    clock.now_ms += 6 * DAY_MS
    running.prune(PLAN)
    assert [n for n in running.alert(ID).notifications if n.status == "queued"] == waiting


def test_keys_links_silences_and_list_entries(running: Desk, clock: Clock) -> None:
    once = Once(key="k1", fingerprint="f1")
    running.comment("amal", ID, "one", once=once)
    draft = SilenceDraft(
        matchers=Matchers(brands=("rimal-bank",)),
        starts_ms=NOW,
        ends_ms=NOW + 60_000,
        reason="work",
    )
    running.create_silence("amal", draft, once=None)
    entry = ListDraft(list="block", reason="fraud", handle="rimal_help")
    made = running.add_listing("amal", RIMAL.id, (RIMAL,), entry, once=None)
    id_ = msgspec.json.decode(made.body)["id"]
    url = running.links.url(ID, 1, "mail", now_ms=NOW)
    assert url is not None
    running.follow_link(url.rpartition("/")[2])
    clock.now_ms += 3 * DAY_MS
    counts = running.prune(PLAN)
    assert (counts["idempotency keys"], counts["used links"]) == (1, 1)
    assert (counts["silences"], counts["list entries"]) == (0, 0)
    running.remove_listing("amal", id_, version=None, once=None)
    clock.now_ms += 31 * DAY_MS
    counts = running.prune(PLAN)
    assert (counts["silences"], counts["list entries"]) == (1, 1)


def test_it_is_done_in_short_steps(
    running: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for alert in copies(
        7, timeline=ENDED.timeline, state="resolved", resolved_at=ENDED.resolved_at
    ):
        running.take(alert)
    monkeypatch.setattr(ageing, "SOME", 3)
    clock.now_ms += 31 * DAY_MS
    counts = running.prune(PLAN)
    assert (counts["evidence"], counts["alerts"]) == (7, 7)
    with running.database.read() as connection:
        found = audit.entries(connection)
        assert audit.verify(connection)
    sizes = [e.details["alerts"] for e in found if e.action == "alerts_pruned"]
    assert sizes == [3, 3, 1]


# the audit trail ------------------------------------------------------------------------------


def aged(running: Desk, clock: Clock) -> int:
    """A trail of which the beginning went; the number of the last row that went."""
    for number in range(5):
        running.comment("amal", ID, f"{number}", once=None)
    clock.now_ms += 40 * DAY_MS
    running.comment("amal", ID, "later", once=None)
    with running.database.read() as connection:
        last = audit.head(connection)[0] - 1
    clock.now_ms += 30 * DAY_MS
    assert running.prune(PLAN)["audit rows"] == last
    return last


def test_the_beginning_goes_and_the_chain_holds(running: Desk, clock: Clock) -> None:
    last = aged(running, clock)
    with running.database.read() as connection:
        found = audit.entries(connection)
        assert [(e.seq, e.action) for e in found] == [
            (last + 1, "commented"), (last + 2, "audit_pruned"),
        ]  # fmt: skip
        assert found[-1].details["upto"] == last
        assert audit.anchor(connection) == (last, found[-1].details["hash"])
        assert audit.verify(connection) == last + 2
    clock.now_ms += 31 * DAY_MS
    assert running.prune(PLAN)["audit rows"] == 1, "and again"
    with running.database.read() as connection:
        assert audit.verify(connection) == last + 3
    assert running.prune(PLAN)["audit rows"] == 0


def test_what_is_kept_stays_append_only(running: Desk, clock: Clock) -> None:
    aged(running, clock)
    for statement in ("DELETE FROM audit", "UPDATE audit SET actor = 'omar'"):
        with pytest.raises(Exception, match="append-only"), running.database.write() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["UPDATE chain SET seq = 7 WHERE id = 2", "DELETE FROM audit WHERE seq = 7"],
         "is not what was written"),
        (["DELETE FROM chain WHERE id = 2"], "row 1 is missing"),
        (["UPDATE chain SET hash = 'x' WHERE id = 2"], "is not what was written"),
        (["UPDATE chain SET seq = 8, hash = (SELECT hash FROM audit WHERE seq = 8) WHERE id = 2",
          "DELETE FROM audit WHERE seq <= 8"], "nothing says that rows up to 8 were dropped"),
    ],
)  # fmt: skip
def test_an_anchor_that_somebody_moved_is_found_out(
    running: Desk, clock: Clock, statements: list[str], told: str
) -> None:
    assert aged(running, clock) == 6
    with running.database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))
    with running.database.read() as connection, pytest.raises(BrokenChain, match=told):
        audit.verify(connection)


def test_nobody_hears_of_an_alert_without_its_evidence(running: Desk, clock: Clock) -> None:
    """A person may reopen what was stripped; it is told without what strangers wrote."""
    ended(running)
    clock.now_ms += 11 * DAY_MS
    running.prune(PLAN)
    running.act("amal", ID, "reopen", version=None, reason="", once=None)
    told: list[Any] = StoredQueue(running.database).claim(clock.now_ms, 10, 1_000)
    assert told
    assert all(not item.notification.alert.evidence for item in told)
