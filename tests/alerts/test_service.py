"""The use cases, over SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import msgspec
import pytest

from alerts import escalation
from alerts.drills import drill_id
from alerts.duty import Duty
from alerts.escalation import Step as ChainStep
from alerts.escalation import Target
from alerts.records import Alert
from alerts.retention import Retention
from alerts.service import Desk, Once, Policy
from alerts.service.calling import Calls
from alerts.service.drilled import drill_events
from alerts.service.errors import Conflict, Invalid, KeyReused, LinkRefused, Missing, Stale
from alerts.service.records import Detail, Judged, Summary
from alerts.service.silencing import SilenceDraft
from alerts.silences import Matchers
from alerts.store import audit
from alerts.store.database import Database
from alerts.store.due import Due
from alerts.store.queue import StoredQueue
from alerts.store.rows import Filter
from tests.alerts.build import MINUTE
from tests.alerts.responding import NOW, Clock, copies, desk, first, later

ID = first().id
PLAN = Retention(evidence_days=365, alert_days=1_095)


def whys(found: Detail, status: str | None = None) -> list[str]:
    """What the pager is told, in order."""
    mine = (n for n in found.notifications if n.receiver == "pager")
    return [n.why for n in mine if status is None or n.status == status]


def actions(running: Desk) -> list[str]:
    with running.database.read() as connection:
        audit.verify(connection)
        return [e.action for e in audit.entries(connection)]


def acknowledge(running: Desk, version: int | None = None, who: str = "amal") -> Summary:
    answer = running.act(who, ID, "acknowledge", version=version, reason="mine", once=None)
    return msgspec.json.decode(answer.body, type=Summary)


# taking up ------------------------------------------------------------------------------------


def test_an_alert_is_taken_once(database: Database) -> None:
    running = desk(database)
    assert [running.take(first()) for _ in range(3)] == [True, False, False]
    found = running.alert(ID)
    assert found.alert == first()
    assert (found.summary.state, found.summary.version) == ("open", 1)
    assert whys(found) == ["opened"]
    assert actions(running) == ["opened"]


def test_old_copies_change_nothing(database: Database) -> None:
    running = desk(database)
    raised = later(first(), "raised", severity="critical", score=90)
    over = later(raised, "resolved")
    for alert in (first(), raised, over, raised, first(), over):
        running.take(alert)
    found = running.alert(ID)
    assert (found.summary.state, found.summary.version, found.alert) == ("resolved", 3, over)
    assert whys(found) == ["opened", "raised", "resolved"]


def test_a_rise_calls_again_though_somebody_had_it(database: Database) -> None:
    running = desk(database)
    running.take(first())
    acknowledge(running)
    running.take(later(first(), "raised", severity="critical", score=90))
    found = running.alert(ID)
    assert (found.summary.state, found.summary.acknowledged_by) == ("open", None)
    assert whys(found, "queued") == ["acknowledged", "raised"]


def test_a_rise_after_a_person_resolved_it_reopens_it(database: Database) -> None:
    running = desk(database)
    running.take(first())
    running.act("amal", ID, "resolve", version=1, reason="false alarm", once=None)
    retyped = later(first(), "retyped", type="service_outage")
    running.take(retyped)
    assert running.alert(ID).summary.state == "resolved", "no reason to wake anybody"
    running.take(later(retyped, "raised", severity="critical"))
    found = running.alert(ID)
    assert (found.summary.state, found.summary.resolved_by) == ("open", None)
    assert whys(found)[-1] == "reopened"


def test_quiet_resolves_and_the_same_alert_reopens(database: Database) -> None:
    running = desk(database)
    running.take(first())
    acknowledge(running)
    over = later(first(), "resolved", resolved_at="2026-11-21T09:00:00Z")
    running.take(over)
    found = running.alert(ID).summary
    assert (found.state, found.resolved_by, found.resolved_at) == (
        "resolved", None, "2026-11-21T09:00:00Z",
    )  # fmt: skip
    assert [s.reason for s in found.suppressed] == ["cooldown"]
    running.take(later(over, "reopened", resolved_at=None))
    assert running.alert(ID).summary.state == "open"


def test_a_drill_is_marked(database: Database) -> None:
    running = desk(database)
    running.take(msgspec.structs.replace(first(), brand=drill_id(first().brand)))
    found = running.alert(ID)
    assert found.summary.drill
    assert [s.reason for s in found.summary.suppressed] == ["drill"]
    assert running.unresolved() == {}


def test_what_was_done_in_a_drill_is_read_from_the_audit_trail(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock)
    for alert in (first(), *copies(1)):
        running.take(msgspec.structs.replace(alert, brand=drill_id(alert.brand)))
    acknowledge(running)
    running.act("badr", copies(1)[0].id, "acknowledge", version=None, reason="", once=None)
    clock.now_ms += MINUTE
    running.act("amal", ID, "unacknowledge", version=None, reason="", once=None)
    acknowledge(running, who="omar")
    with database.write() as connection:  # as a message of it does when it is marked as sent
        audit.append(connection, at_ms=NOW + 2 * MINUTE, actor="omar", action="message_sent",
                     alert=ID)  # fmt: skip
    with database.read() as connection:
        found = drill_events(connection, [ID, "a-not-there"])
    assert [(e.at_ms, e.what, e.by) for e in found] == [
        (NOW, "acknowledged", "amal"),
        (NOW + MINUTE, "acknowledged", "omar"),
        (NOW + 2 * MINUTE, "message_sent", "omar"),
    ]
    assert {e.alert for e in found} == {ID}


def test_a_rush_of_copies_is_one_alert(database: Database) -> None:
    running = desk(database)
    many = [first(), *copies(5)] * 4
    at_once([lambda alert=alert: running.take(alert) for alert in many])
    assert sorted(actions(running)) == ["opened"] * 6


# acting ---------------------------------------------------------------------------------------


def test_acknowledging_cancels_what_would_call_people(database: Database) -> None:
    running = desk(database)
    running.take(first())
    queue = StoredQueue(database)
    held = queue.claim(NOW, 1, 60_000)  # a dispatcher is about to send this one
    assert queue.wanted(held[0].id)
    assert acknowledge(running, 1).acknowledged_by == "amal"
    assert not queue.wanted(held[0].id)
    found = running.alert(ID)
    assert whys(found, "cancelled") == ["opened"]
    assert {n.detail for n in found.notifications if n.status == "cancelled"} == {
        "acknowledged by amal"
    }
    assert whys(found, "queued") == ["acknowledged"]


def test_a_life(database: Database) -> None:
    running = desk(database)
    running.take(first())
    acknowledge(running, 1)
    running.act("amal", ID, "unacknowledge", version=2, reason="", once=None)
    running.assign("amal", ID, "omar", version=3, once=None)
    running.escalate("omar", ID, version=4, reason="need help", once=None)
    running.comment("omar", ID, "<b>looking</b>", once=None)
    running.act("omar", ID, "resolve", version=5, reason="fixed", once=None)
    running.act("amal", ID, "reopen", version=6, reason="not fixed", once=None)
    found = running.alert(ID)
    assert (found.summary.state, found.summary.version, found.summary.assignee) == (
        "open", 7, "omar",
    )  # fmt: skip
    assert [c.text for c in found.comments] == ["<b>looking</b>"]
    expected = [
        "opened", "acknowledged", "unacknowledged", "assigned", "escalated", "commented",
        "resolved", "reopened",
    ]  # fmt: skip
    assert actions(running) == expected
    assert whys(found) == [a for a in expected if a != "commented"]
    assert whys(found, "cancelled") == ["opened", "unacknowledged", "escalated"]


def test_a_stale_write_is_told_how_it_is_now(database: Database) -> None:
    running = desk(database)
    running.take(first())
    acknowledge(running, 1)
    for write in (
        lambda: running.act("omar", ID, "resolve", version=1, reason="", once=None),
        lambda: running.assign("omar", ID, "omar", version=1, once=None),
        lambda: running.escalate("omar", ID, version=1, reason="", once=None),
        lambda: judge(running, "true", version=1),
    ):
        with pytest.raises(Stale) as told:
            write()
        assert told.value.current is not None
        assert (told.value.current.acknowledged_by, told.value.version) == ("amal", 2)
    with pytest.raises(Conflict, match=r"acknowledge does not apply .* acknowledged, by amal"):
        acknowledge(running, None, "omar")
    with pytest.raises(Missing, match="no alert a-0"):
        running.act("omar", "a-0", "resolve", version=None, reason="", once=None)


def judge(running: Desk, word: str, **more: object) -> Judged:
    given = {"version": None, "reason": "", "duplicate_of": None, "once": None} | more
    answer = running.judge("amal", ID, word, **given)  # type: ignore[arg-type]
    return msgspec.json.decode(answer.body, type=Judged)


def test_a_verdict_says_what_it_would_change(database: Database) -> None:
    running = desk(database)
    running.take(first())
    other = copies(1)[0]
    running.take(other)
    judged = judge(running, "false")
    assert judged.would_change == first().explanation.would_have_stopped_it != ()
    assert judged.of_this_type == {"false": 1}
    assert judge(running, "true").would_change == ()
    judged = judge(running, "duplicate", duplicate_of=other.id)
    assert judged.of_this_type == {"duplicate": 1}, "the latest verdict counts"
    assert [v.verdict for v in running.alert(ID).verdicts] == ["false", "true", "duplicate"]
    with pytest.raises(Conflict, match="no duplicate of itself"):
        judge(running, "duplicate", duplicate_of=ID)
    with pytest.raises(Missing, match="no alert a-9"):
        judge(running, "duplicate", duplicate_of="a-9")


def test_bulk_succeeds_or_fails_one_by_one(database: Database) -> None:
    running = desk(database)
    some = copies(4)
    for alert in some:
        running.take(alert)
    ids = [alert.id for alert in some]
    running.act("omar", ids[1], "acknowledge", version=1, reason="", once=None)
    asked = {ids[2]: 1, "a-0": None, ids[1]: None, ids[0]: 9, ids[3]: None}
    answer = running.bulk("amal", asked, "acknowledge", reason="", once=None)
    results = msgspec.json.decode(answer.body)["results"]
    assert [(r["id"], r["status"]) for r in results] == [
        (ids[2], 200), ("a-0", 404), (ids[1], 409), (ids[0], 412), (ids[3], 200),
    ]  # fmt: skip
    assert [running.alert(id_).summary.acknowledged_by for id_ in ids] == [
        None, "omar", "amal", "amal",
    ]  # fmt: skip


# idempotency ----------------------------------------------------------------------------------


def test_a_key_is_answered_the_same_again(database: Database) -> None:
    running = desk(database)
    running.take(first())
    once = Once(key="k1", fingerprint="f1")
    answers = [running.comment("amal", ID, "hello", once=once) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(running.alert(ID).comments) == 1
    running.comment("omar", ID, "hello", once=once)
    assert len(running.alert(ID).comments) == 2, "keys of another are others"
    with pytest.raises(KeyReused):
        running.comment("amal", ID, "other", once=Once(key="k1", fingerprint="f2"))


def test_what_failed_is_tried_again(database: Database) -> None:
    running = desk(database)
    running.take(first())
    once = Once(key="k1", fingerprint="f1")
    with pytest.raises(Stale):
        running.act("amal", ID, "acknowledge", version=9, reason="", once=once)
    again = running.act("amal", ID, "acknowledge", version=1, reason="", once=once)
    assert again.version == 2


def test_keys_are_forgotten_after_two_days(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock)
    running.take(first())
    once = Once(key="k1", fingerprint="f1")
    running.comment("amal", ID, "one", once=once)
    clock.now_ms += 47 * 60 * MINUTE
    running.prune(PLAN)
    running.comment("amal", ID, "one", once=once)
    clock.now_ms += 2 * 60 * MINUTE
    running.prune(PLAN)
    running.comment("amal", ID, "one", once=once)
    assert len(running.alert(ID).comments) == 2


def at_once(calls: Sequence[Callable[[], object]]) -> None:
    """Make calls from as many threads, begun together."""
    gate = threading.Barrier(len(calls))
    broken: list[BaseException] = []

    def work(call: Callable[[], object]) -> None:
        gate.wait()
        try:
            call()
        except Exception as error:  # noqa: BLE001
            broken.append(error)

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []


def test_fifty_acknowledge_at_once_and_one_wins(database: Database) -> None:
    running = desk(database)
    some = copies(3)
    for alert in some:
        running.take(alert)
    outcomes: dict[str, list[tuple[str, str | None]]] = {alert.id: [] for alert in some}

    def client(who: str) -> None:
        for alert in some:
            try:
                running.act(who, alert.id, "acknowledge", version=1, reason="", once=None)
                outcomes[alert.id].append(("won", who))
            except Stale as error:
                who_has_it = error.current and error.current.acknowledged_by
                outcomes[alert.id].append(("told", who_has_it))

    at_once([lambda who=f"client-{n}": client(who) for n in range(50)])
    for id_, found in outcomes.items():
        (winner,) = [who for what, who in found if what == "won"]
        assert found.count(("told", winner)) == 49, "everybody else is told who has it"
        assert running.alert(id_).summary.acknowledged_by == winner
    assert actions(running) == ["opened"] * 3 + ["acknowledged"] * 3


def test_bulks_in_other_orders_wait_for_no_one_forever(database: Database) -> None:
    running = desk(database)
    ids = [alert.id for alert in copies(6) if running.take(alert)]
    forth, back = dict.fromkeys(ids), dict.fromkeys(reversed(ids))
    calls = [
        lambda asked=asked, who=f"c{n}": running.bulk(
            who, asked, "acknowledge", reason="", once=None
        )
        for n, asked in enumerate([forth, back] * 6)
    ]
    at_once(calls)
    assert actions(running).count("acknowledged") == 6


# escalation -----------------------------------------------------------------------------------


class Chain:
    """Calls the pager five minutes after each call that nobody answered."""

    def plan(self, alert: Alert, version: int, now_ms: int) -> list[Due]:
        key = f"{alert.id}:{version}:1"
        return [
            Due(
                key=key,
                alert=alert.id,
                chain=alert.severity,
                due_ms=now_ms + 5 * MINUTE,
                body=b"{}",
            )
        ]

    def targets(self, step: Due, alert: Alert) -> list[tuple[str, tuple[str, ...]]]:
        return [("pager", ("amal",))]

    def superseded(self, steps: Sequence[Due]) -> frozenset[str]:
        return frozenset()


def test_escalation_comes_when_due_once_and_survives_a_restart(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock, escalator=Chain())
    running.take(first())
    clock.now_ms += 5 * MINUTE - 1
    assert running.escalate_due() == 0
    clock.now_ms += 1
    again = desk(database, clock, escalator=Chain())
    assert [again.escalate_due() for _ in range(2)] == [1, 0]
    assert whys(again.alert(ID)) == ["opened", "escalated"]
    assert actions(again) == ["opened", "escalated"]


def test_a_rise_starts_the_chain_of_the_higher_severity(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock, escalator=Chain())
    running.take(first())
    clock.now_ms += 4 * MINUTE
    running.take(later(first(), "raised", severity="critical"))
    clock.now_ms += 4 * MINUTE
    assert running.escalate_due() == 0, "the first chain was stopped"
    clock.now_ms += MINUTE
    assert running.escalate_due() == 1


def test_acknowledging_stops_escalation(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock, escalator=Chain())
    running.take(first())
    acknowledge(running)
    clock.now_ms += 60 * MINUTE
    assert running.escalate_due() == 0
    running.act("amal", ID, "unacknowledge", version=2, reason="", once=None)
    clock.now_ms += 60 * MINUTE
    assert running.escalate_due() == 1


def rounds(clock: Clock) -> Calls:
    """A chain that calls the pager at once, and again every ten minutes, three times in all."""
    step = ChainStep(after_min=0, targets=(Target(receiver="pager"),))
    chain = escalation.Chain(name="page", steps=(step,), repeats=2, repeat_after_min=10)
    return Calls(Duty((chain,), {}, {}, clock))


def outcomes(running: Desk) -> list[str]:
    return [step.status for step in running.told_of(ID).steps]


def test_of_rounds_that_a_pause_let_fall_due_together_the_last_calls(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock, escalator=rounds(clock))
    running.take(first())
    clock.now_ms += 60 * MINUTE
    again = desk(database, clock, escalator=rounds(clock))
    assert [again.escalate_due() for _ in range(2)] == [1, 0]
    assert outcomes(again) == ["superseded", "superseded", "done"]
    assert whys(again.alert(ID)).count("escalated") == 1
    assert actions(again) == ["opened", "escalated"]


def test_rounds_that_come_in_time_each_call(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock, escalator=rounds(clock))
    running.take(first())
    taken = []
    for _ in range(3):
        taken.append(running.escalate_due())
        clock.now_ms += 10 * MINUTE
    assert (taken, outcomes(running)) == ([1, 1, 1], ["done"] * 3)


def test_steps_of_one_alert_do_not_wait_for_those_of_a_hundred_others(database: Database) -> None:
    """More is due than is taken in one go: a later round is seen all the same."""
    clock = Clock()
    running = desk(database, clock, escalator=rounds(clock))
    many = copies(60)
    for alert in many:
        running.take(alert)
    clock.now_ms += 60 * MINUTE
    taken = [running.escalate_due() for _ in range(3)]
    assert sum(taken) == len(many)
    steps = [s.status for alert in many for s in running.told_of(alert.id).steps]
    assert (steps.count("done"), steps.count("superseded")) == (60, 120)


class Faulty(Chain):
    """Whom to call for the first alert cannot be found out."""

    def targets(self, step: Due, alert: Alert) -> list[tuple[str, tuple[str, ...]]]:
        if alert.id == copies(1)[0].id:
            raise ValueError("a calendar that makes no sense")
        return super().targets(step, alert)


def test_one_alert_that_cannot_be_escalated_silences_no_other(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock, escalator=Faulty())
    bad, good = copies(2)
    for alert in (bad, good):
        running.take(alert)
    clock.now_ms += 5 * MINUTE
    assert running.escalate_due() == 1
    assert whys(running.alert(good.id)) == ["opened", "escalated"]
    assert whys(running.alert(bad.id)) == ["opened"]


# links ----------------------------------------------------------------------------------------


def link(running: Desk, receiver: str = "mail") -> str:
    """The token of the last link that a receiver was sent."""
    queued = StoredQueue(running.database).claim(NOW + 10**9, 100, 1)
    urls = [q.notification.acknowledge_url for q in queued if q.notification.receiver == receiver]
    found = [url for url in urls if url]
    assert found[-1].startswith("https://nadhir.example/ack/")
    return found[-1].rpartition("/")[2]


def test_a_link_acknowledges_once(database: Database) -> None:
    running = desk(database)
    running.take(first())
    token = link(running)
    for _ in range(3):
        assert running.read_link(token)[1].state == "open", "looking changes nothing"
    assert running.follow_link(token).acknowledged_by == "link:mail"
    with pytest.raises(LinkRefused, match="used"):
        running.follow_link(token)
    running.act("amal", ID, "unacknowledge", version=2, reason="", once=None)
    with pytest.raises(LinkRefused, match="used"):
        running.follow_link(token)


def test_a_link_of_an_earlier_call_opens_nothing(database: Database) -> None:
    running = desk(database)
    running.take(first())
    token = link(running)
    running.take(later(first(), "raised", severity="critical"))
    with pytest.raises(LinkRefused, match="outdated"):
        running.follow_link(token)


def test_a_link_runs_out(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock)
    running.take(first())
    token = link(running)
    clock.now_ms += 24 * 60 * MINUTE
    with pytest.raises(LinkRefused, match="expired"):
        running.follow_link(token)


@pytest.mark.parametrize("spoil", ["", "x", "é", "a.b", "cut", "swap", "long"])
def test_a_forged_link_opens_nothing(database: Database, spoil: str) -> None:
    running = desk(database)
    running.take(first())
    token = link(running)
    swapped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    bad = {"cut": token[:-1], "swap": swapped, "long": token * 50}.get(spoil, spoil)
    with pytest.raises(LinkRefused, match="forged"):
        running.follow_link(bad)
    assert running.alert(ID).summary.state == "open"


def test_another_database_signs_otherwise(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Database(tmp_path_factory.mktemp("other") / "r.db")
    token = desk(other).links.token(ID, 1, "mail", now_ms=NOW)
    running = desk(database)
    running.take(first())
    with pytest.raises(LinkRefused, match="forged"):
        running.follow_link(token)
    other.close()


# silences -------------------------------------------------------------------------------------


def draft(**changes: object) -> SilenceDraft:
    given = {
        "matchers": Matchers(brands=(first().brand,)),
        "starts_ms": NOW,
        "ends_ms": NOW + 60 * MINUTE,
        "reason": "maintenance",
    } | changes
    return SilenceDraft(**given)  # type: ignore[arg-type]


def test_a_silence_is_seen_on_its_alerts_and_ends(database: Database) -> None:
    clock = Clock()
    running = desk(database, clock)
    running.take(first())
    answer = running.create_silence("amal", draft(), once=None)
    made = msgspec.json.decode(answer.body)
    assert (answer.status, made["owner"], made["active"]) == (201, "amal", True)
    assert [s.by for s in running.alert(ID).summary.suppressed] == [made["id"]]
    with pytest.raises(Stale):
        running.end_silence("omar", made["id"], version=2, once=None)
    clock.now_ms += MINUTE
    running.end_silence("omar", made["id"], version=1, once=None)
    assert running.alert(ID).summary.suppressed == ()
    (kept,) = running.silences().silences
    assert (kept.version, kept.active, kept.ended_at) == (2, False, "2026-11-21T09:12:00Z")
    assert actions(running) == ["opened", "silence_created", "silence_ended"]


def test_a_silence_is_changed_by_who_saw_it(database: Database) -> None:
    running = desk(database)
    running.take(first())
    made = msgspec.json.decode(running.create_silence("amal", draft(), once=None).body)
    other = draft(matchers=Matchers(brands=("other",)))
    running.change_silence("omar", made["id"], other, version=1, once=None)
    assert running.silence(made["id"]).owner == "amal"
    assert running.alert(ID).summary.suppressed == ()
    with pytest.raises(Missing):
        running.silence("sil-0")


def test_a_silence_that_makes_no_sense_is_refused(database: Database) -> None:
    running = desk(database)
    bad = draft(matchers=Matchers(), ends_ms=0, reason=" ")
    for attempt in (
        lambda: running.create_silence("amal", bad, once=None),
        lambda: running.preview_silence(bad),
    ):
        with pytest.raises(Invalid) as told:
            attempt()
        assert {field for field, _, _ in told.value.faults} == {"matchers", "ends", "reason"}


def test_a_preview_shows_what_would_have_been_muted(database: Database) -> None:
    running = desk(database)
    running.take(first())
    found = running.preview_silence(draft())
    assert (found.examined, found.complete) == (1, True)
    assert [(p.alert, len(p.muted), p.told) for p in found.alerts] == [(ID, 1, ())]
    assert running.silences().silences == ()


# lists ----------------------------------------------------------------------------------------


def test_pages_hold_every_alert_once(database: Database) -> None:
    running = desk(database)
    for alert in copies(7):
        running.take(alert)
    running.take(first())
    seen: list[str] = []
    before: tuple[int, str] | None = None
    while True:
        page = running.alerts(Filter(), before=before, limit=3)
        seen += [a.id for a in page.alerts]
        if page.next is None:
            break
        opened_ms, _, id_ = page.next.partition(".")
        before = int(opened_ms), id_
    assert len(seen) == len(set(seen)) == 8


def test_filters(database: Database) -> None:
    running = desk(database)
    one, two, three = copies(3)
    running.take(one)
    running.take(msgspec.structs.replace(two, brand="other", severity="critical"))
    running.take(msgspec.structs.replace(three, type="rumour"))
    running.assign("amal", one.id, "omar", version=1, once=None)
    running.act("amal", two.id, "acknowledge", version=1, reason="", once=None)
    opened_ms = 1_795_246_901_000
    for wanted, ids in (
        (Filter(states=("acknowledged",)), {two.id}),
        (Filter(states=("open", "acknowledged")), {one.id, two.id, three.id}),
        (Filter(brands=("other",)), {two.id}),
        (Filter(severities=("critical",), types=("rumour",)), set()),
        (Filter(types=("rumour",)), {three.id}),
        (Filter(assignee="omar"), {one.id}),
        (Filter(drill=True), set()),
        (Filter(opened_from_ms=opened_ms), {one.id, two.id, three.id}),
        (Filter(opened_to_ms=opened_ms), set()),
    ):
        assert {a.id for a in running.alerts(wanted, before=None, limit=9).alerts} == ids, wanted


def test_a_lesser_alert_is_inhibited_by_a_critical_one(database: Database) -> None:
    running = desk(database)
    one, two = copies(2, severity="watch")
    running.take(one)
    running.take(msgspec.structs.replace(two, severity="critical"))
    assert [(s.reason, s.by) for s in running.alert(one.id).summary.suppressed] == [
        ("inhibited", two.id)
    ]
    assert running.alert(two.id).summary.suppressed == ()
    (impostor,) = copies(1, severity="watch", kind="phishing", subject="i-1")
    running.take(msgspec.structs.replace(impostor, id="a-impostor"))
    assert running.alert("a-impostor").summary.suppressed == ()


def test_who_is_in_a_chain_hears_of_an_alert_in_turn(database: Database) -> None:
    clock = Clock()
    page = escalation.Chain(
        name="page",
        steps=(
            ChainStep(after_min=5, targets=(Target(receiver="pager"),)),
            ChainStep(after_min=30, targets=(Target(receiver="boss"),)),
        ),
    )
    duty = Duty([page], {}, {}, clock)
    policy = Policy(receivers=("mail", "pager", "boss"), called=duty.receivers)
    running = desk(database, clock, policy=policy, escalator=Calls(duty))
    running.take(first())

    def told() -> list[tuple[str, str]]:
        return [(n.receiver, n.why) for n in running.alert(ID).notifications]

    assert told() == [("mail", "opened")]
    clock.now_ms += 5 * MINUTE
    assert running.escalate_due() == 1
    assert told()[1:] == [("pager", "escalated")]
    # the same chain goes on, and who was called hears that it became worse
    running.take(later(first(), "raised", severity="critical"))
    assert told()[2:] == [("mail", "raised"), ("pager", "raised")]
    acknowledge(running)
    assert told()[4:] == [("mail", "acknowledged")]
    clock.now_ms += 60 * MINUTE
    assert running.escalate_due() == 0
    assert "boss" not in dict(told())


def test_who_may_have_been_called_hears_that_somebody_came(database: Database) -> None:
    """A call that was on its way, or got no answer, may have arrived: the pager must stop."""
    clock = Clock()
    step = ChainStep(after_min=0, targets=(Target(receiver="pager"),))
    duty = Duty([escalation.Chain(name="page", steps=(step,))], {}, {}, clock)
    policy = Policy(receivers=("mail", "pager"), called=duty.receivers)
    running = desk(database, clock, policy=policy, escalator=Calls(duty))
    running.take(first())
    assert running.escalate_due() == 1
    queue = StoredQueue(database)
    (call,) = (q for q in queue.claim(clock(), 9, 1) if q.notification.receiver == "pager")
    queue.retry(call.id, clock(), "no answer in time")
    acknowledge(running)
    assert whys(running.alert(ID)) == ["escalated", "acknowledged"]
    assert whys(running.alert(ID), "cancelled") == ["escalated"]


def test_what_is_overtaken_by_an_answer_or_the_end_is_cancelled(database: Database) -> None:
    running = desk(database)
    running.take(first())
    acknowledge(running)
    running.act("amal", ID, "unacknowledge", version=None, reason="", once=None)
    acknowledge(running)
    assert whys(running.alert(ID), "cancelled") == ["opened", "unacknowledged"]
    changed = later(first(), "retyped", type="boycott")
    running.take(changed)
    assert whys(running.alert(ID), "queued")[-1] == "retyped"
    running.take(later(changed, "resolved"))
    assert whys(running.alert(ID), "cancelled")[-1] == "retyped"
    assert whys(running.alert(ID), "queued")[-1] == "resolved"
