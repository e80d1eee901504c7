"""Erasure, dead letters and who was told of an alert, over SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, text

from alerts.privacy import ERASED, Author
from alerts.records import Alert
from alerts.service.desk import Desk
from alerts.service.erasing import erased_message
from alerts.store import audit
from alerts.store.database import Database
from alerts.store.queue import StoredQueue
from alerts.store.tables import metadata
from tests.alerts.calling import Api, problem
from tests.alerts.responding import NOW, copies, first
from tests.alerts.test_service import at_once

ID = first().id
THEIRS = ("tariq_dxb", "Card declined at the till", "x-1901", "status/1901")
WHO = {"platform": "X", "author": "77", "handles": ["@Tariq_DXB"]}


@pytest.fixture
def api(database: Database) -> Api:
    return Api(database)


def held(database: Database) -> str:
    """Every value of every table, as text."""
    found: list[str] = []
    with database.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(table.select()):
                values = (v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in row)
                found += map(str, values)
    return "\n".join(found)


def traces(database: Database) -> set[str]:
    found = held(database)
    return {trace for trace in THEIRS if trace in found}


def actions(api: Api) -> list[str]:
    with api.desk.database.read() as connection:
        audit.verify(connection)
        return [e.action for e in audit.entries(connection)]


# erasure --------------------------------------------------------------------------------------


def named() -> Alert:
    """An alert whose terms name somebody."""
    return msgspec.structs.replace(first(), terms=("tariq_dxb", "app"))


def touched(desk: Desk, *, approve: bool = True) -> None:
    """Two messages: one that names the author and one that does not."""
    for name, post in (
        ("reply:x:en", "@tariq_dxb we are on it."),
        ("holding:web:en", "We look into it."),
    ):
        desk.edit_message("amal", ID, name, (post,), version=None, once=None)
        (message,) = (m for m in desk.messages(ID).messages if m.name == name)
        if approve:
            desk.approve_message("badr", ID, name, message.digest, version=None, once=None)


def test_nothing_of_an_author_is_left_in_any_table(api: Api) -> None:
    database = api.desk.database
    for alert in (named(), *copies(2)):
        api.desk.take(alert)
    api.desk.comment("amal", ID, "tariq is a customer of ours", once=None)
    touched(api.desk)
    (claimed,) = StoredQueue(database).claim(NOW, 1, 1_000)
    StoredQueue(database).sent(claimed.id, NOW, "200")
    assert traces(database) == set(THEIRS)
    with api.client("admin") as admin:
        headers = {"idempotency-key": "e1"}
        answers = [admin.post("/v1/erasures", json=WHO, headers=headers) for _ in range(2)]
        counts = answers[0].json()
        assert answers[1].json() == counts
        assert (counts["alerts"], counts["messages"], counts["notifications"]) == (3, 2, 6)
        again = admin.post("/v1/erasures", json=WHO).json()
    assert traces(database) == set()
    assert (again["alerts"], again["notifications"], again["author"]) == (0, 0, counts["author"])
    assert "tariq is a customer of ours" in held(database), "comments stay"
    assert actions(api).count("evidence_erased") == 3
    assert actions(api).count("author_erased") == 2


def test_what_one_alert_knows_of_an_author_is_looked_for_in_all(api: Api) -> None:
    one, other = first().evidence[1:3]
    known = msgspec.structs.replace(one, author_id="77")
    names = msgspec.structs.replace(other, text="Ask @tariq_dxb about it")
    (before,) = copies(1, evidence=(names,))
    assert before.id < ID, "it is rewritten before the one that knows the handle"
    for alert in (before, msgspec.structs.replace(first(), evidence=(known,))):
        api.desk.take(alert)
    with api.client("admin") as admin:
        counts = admin.post("/v1/erasures", json={"platform": "x", "author": "77"}).json()
    assert (counts["alerts"], counts["notifications"]) == (2, 4)
    assert api.desk.alert(before.id).alert.evidence[0].text == "Ask @erased about it"


def test_what_was_not_theirs_stays_and_what_is_shown_is_at_a_new_version(api: Api) -> None:
    api.desk.take(first())
    with api.client("admin") as admin:
        admin.post("/v1/erasures", json=WHO)
    found = api.desk.alert(ID)
    assert (found.summary.version, found.summary.state) == (2, "open")
    before, after = first().evidence, found.alert.evidence
    assert [old == new for old, new in zip(before, after, strict=True)].count(False) == 1
    (gone,) = (e for e in after if e.id.startswith(f"{ERASED}:"))
    assert (gone.handle, gone.text, gone.reach) == (None, "", before[1].reach)
    assert found.alert.negative == first().negative


def test_an_approval_outlives_erasure_unless_its_text_does_not(api: Api) -> None:
    api.desk.take(first())
    touched(api.desk)
    with api.client("admin") as admin:
        admin.post("/v1/erasures", json=WHO)
    found = {m.name: m for m in api.desk.messages(ID).messages}
    told, plain = found["reply:x:en"], found["holding:web:en"]
    assert (told.posts, told.state, told.approvals) == (("@erased we are on it.",), "draft", ())
    assert (plain.state, plain.locked, plain.changed) == ("approved", False, ())


def test_what_was_sent_stays_sent(api: Api) -> None:
    api.desk.take(first())
    touched(api.desk)
    api.desk.sent_message("amal", ID, "reply:x:en", "x.example/1", version=None, once=None)
    with api.client("admin") as admin:
        admin.post("/v1/erasures", json=WHO)
    (told,) = (m for m in api.desk.messages(ID).messages if m.name == "reply:x:en")
    assert (told.posts, told.state) == (("@erased we are on it.",), "sent")


def test_a_fault_leaves_everything_as_it_was(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.desk.take(first())
    before = held(api.desk.database)
    calls: list[object] = []

    def fails(*given: Any) -> Any:
        calls.append(given)
        raise RuntimeError("in the middle")

    monkeypatch.setattr("alerts.service.erasing._rewrite", fails)
    with api.client("admin") as admin:
        assert problem(admin.post("/v1/erasures", json=WHO))["status"] == 500
    assert calls
    after = held(api.desk.database)
    assert after == before


def test_no_byte_is_left_in_a_file(tmp_path: Path) -> None:
    database = Database(tmp_path / "response.db")
    database.close()  # what is opened from here on overwrites nothing by itself

    @event.listens_for(database._engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.execute("PRAGMA secure_delete = OFF")

    api = Api(database)
    long = msgspec.structs.replace(first().evidence[1], text="Card declined at the till. " * 500)
    talker = msgspec.structs.replace(first(), id="a-talker", evidence=(long,) * 20)
    for alert in (named(), *copies(30), talker):
        api.desk.take(alert)

    def there() -> set[str]:
        files = [path.read_bytes() for path in tmp_path.iterdir()]
        return {t for t in THEIRS if any(t.encode() in file for file in files)}

    assert there() == set(THEIRS)
    with api.client("admin") as admin:
        assert admin.post("/v1/erasures", json=WHO).status_code == 200
    assert there() == set()
    database.close()


def test_erasing_while_people_act_waits_for_no_one_forever(api: Api) -> None:
    """Alerts open and are acknowledged and sent meanwhile; nothing fails, nothing is left."""
    desk = api.desk
    some = copies(12)
    for alert in some[:6]:
        desk.take(alert)
    author = Author(platform="x", id="77", handles=frozenset({"tariq_dxb"}))

    def send() -> None:
        queue = StoredQueue(desk.database)
        for item in queue.claim(NOW, 100, 60_000):
            queue.sent(item.id, NOW, "200")

    def acknowledge(alert: Alert) -> None:
        desk.act("amal", alert.id, "acknowledge", version=None, reason="", once=None)

    calls = [lambda alert=alert: acknowledge(alert) for alert in some[:6]]
    calls += [lambda alert=alert: desk.take(alert) for alert in some[6:]]
    calls += [lambda: desk.erase_author("admin", author)] * 2 + [send] * 2
    at_once(calls)
    desk.erase_author("admin", author)  # what opened meanwhile
    assert traces(desk.database) == set()
    assert actions(api).count("opened") == 12
    assert actions(api).count("acknowledged") == 6


@pytest.mark.parametrize(
    "spoil", [{"platform": ""}, {"author": ""}, {"handles": "x"}, {"author": "a\x00"}, {"more": 1}]
)
def test_an_erasure_that_makes_no_sense_is_refused(api: Api, spoil: dict[str, Any]) -> None:
    with api.client("admin") as admin:
        assert problem(admin.post("/v1/erasures", json=WHO | spoil))["status"] == 422


def test_a_message_of_older_facts_loses_the_ids_too() -> None:
    from alerts.messages import edit, prepare
    from alerts.privacy import erase
    from tests.alerts.responding import RESPONSE

    older = edit(prepare(first())[0], ("Said.",), "amal", first(), RESPONSE)
    now = msgspec.structs.replace(first(), evidence=first().evidence[2:])
    author = Author(
        platform="x", id="77", handles=frozenset({"tariq_dxb"}), posts=frozenset({"x-1901"})
    )
    erased = erased_message(older, author, now, erase(now, author), RESPONSE)
    assert f"x/{ERASED}" in erased.facts.values["evidence"]  # type: ignore[operator]
    assert "x-1901" not in str(erased)
    assert [c.field for c in erased.changed] == ["evidence"]


# dead letters ---------------------------------------------------------------------------------


def give_up(api: Api) -> None:
    queue = StoredQueue(api.desk.database)
    for item in queue.claim(NOW, 100, 1_000):
        queue.dead(item.id, NOW, "refused: 410 Gone")


def statuses(api: Api) -> list[tuple[str, str, str]]:
    with api.client("viewer") as viewer:
        found = viewer.get("/v1/notifications").json()["notifications"]
    return sorted((n["alert"], n["receiver"], n["status"]) for n in found)


def test_what_was_given_up_is_listed_and_sent_again(api: Api) -> None:
    for alert in (first(), *copies(2)):
        api.desk.take(alert)
    give_up(api)
    with api.client("viewer") as viewer:
        pages, cursor = [], None
        while True:
            asked = {"status": "dead", "limit": 4} | ({"cursor": cursor} if cursor else {})
            page = viewer.get("/v1/notifications", params=asked).json()
            pages.append([n["detail"] for n in page["notifications"]])
            cursor = page["next"]
            if cursor is None:
                break
        assert [len(page) for page in pages] == [4, 2]
        assert {detail for page in pages for detail in page} == {"refused: 410 Gone"}
        of_mail = viewer.get("/v1/notifications", params={"receiver": "mail"}).json()
        assert len(of_mail["notifications"]) == 3
        assert viewer.post("/v1/notifications/replay", json={}).status_code == 403
    with api.client("admin") as admin:
        sent = {"receiver": "mail"}
        assert admin.post("/v1/notifications/replay", json=sent).json() == {
            "queued": 3, "cancelled": 0,
        }  # fmt: skip
    assert {(r, s) for _, r, s in statuses(api)} == {("mail", "queued"), ("pager", "dead")}
    assert len(StoredQueue(api.desk.database).claim(NOW, 10, 1)) == 3
    assert actions(api)[-1] == "notifications_replayed"


def test_nobody_is_called_again_to_what_somebody_has(api: Api) -> None:
    for alert in (first(), *copies(1)):
        api.desk.take(alert)
    give_up(api)
    api.desk.act("amal", ID, "acknowledge", version=None, reason="", once=None)
    give_up(api)  # that it was acknowledged asks nobody to come
    with api.client("admin") as admin:
        answers = [
            admin.post("/v1/notifications/replay", json={}, headers={"idempotency-key": "r"})
            for _ in range(2)
        ]
    assert [a.json() for a in answers] == [{"queued": 4, "cancelled": 2}] * 2
    assert [s for a, _, s in statuses(api) if a == ID] == ["cancelled", "queued"] * 2
    found = StoredQueue(api.desk.database).claim(NOW, 10, 1)
    assert sorted((q.notification.alert.id, q.notification.why) for q in found) == [
        (copies(1)[0].id, "opened"), (copies(1)[0].id, "opened"),
        (ID, "acknowledged"), (ID, "acknowledged"),
    ]  # fmt: skip


def test_why_was_i_not_told(api: Api) -> None:
    api.desk.take(first())
    queue = StoredQueue(api.desk.database)
    one, other = queue.claim(NOW, 10, 1_000)
    queue.dropped(one.id, NOW, "quiet_hours", "it is night")
    queue.sent(other.id, NOW, "200")
    with api.desk.database.write() as connection:
        connection.execute(text("UPDATE notifications SET receiver = 'gone' WHERE id = 2"))
    with api.client("viewer") as viewer:
        found = viewer.get(f"/v1/alerts/{ID}/notifications").json()
        assert viewer.get("/v1/alerts/a-none/notifications").status_code == 404
    assert [(n["receiver"], n["status"], n["stage"]) for n in found["notifications"]] == [
        ("mail", "dropped", "quiet_hours"), ("gone", "sent", None),
    ]  # fmt: skip
    assert found["untold"] == ["pager"]
