"""Messages over SQLite and PostgreSQL: edited, approved, locked, taken back, noted as sent."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from alerts.records import Alert
from alerts.store import audit
from alerts.store.database import Database
from alerts.store.tables import metadata
from tests.alerts.calling import Api, problem
from tests.alerts.responding import desk, first, later

ID = first().id
PATH = f"/v1/alerts/{ID}/messages"
NAME = "holding:web:en"


@pytest.fixture
def api(database: Database) -> Api:
    made = Api(database)
    made.desk.take(first())
    for name in ("amal", "badr"):
        made.admit(name, "responder")
    return made


def shown(api: Api, name: str = NAME) -> dict[str, Any]:
    with api.client("viewer") as client:
        found = client.get(PATH).json()["messages"]
    (one,) = (m for m in found if m["name"] == name)
    return dict(one)


def step(
    api: Api, who: str, what: str, sent: dict[str, Any], version: str = "*", **headers: str
) -> httpx.Response:
    with api.client(who) as client:
        path = f"{PATH}/{NAME}" + (f"/{what}" if what else "")
        method = "POST" if what else "PUT"
        return client.request(method, path, json=sent, headers={"if-match": version, **headers})


def approve(api: Api, who: str) -> httpx.Response:
    return step(api, who, "approve", {"digest": shown(api)["digest"]})


def actions(api: Api) -> list[str]:
    with api.desk.database.read() as connection:
        audit.verify(connection)
        found = audit.entries(connection, alert=ID)
    return [e.action for e in found if e.action.startswith("message")]


def critical() -> Alert:
    return later(first(), "raised", severity="critical", score=90)


def test_every_message_of_the_playbook_is_there_in_both_languages(api: Api) -> None:
    with api.client("viewer") as client:
        found = client.get(PATH).json()["messages"]
    assert sum(len(m["posts"]) for m in found) == len(first().playbook.messages)
    assert {m["language"] for m in found} == {"ar", "en"}
    assert {(m["state"], m["version"], m["needs"], m["locked"]) for m in found} == {
        ("draft", len(first().timeline), 1, False)
    }


def test_the_way_of_a_message(api: Api) -> None:
    assert problem(step(api, "badr", "sent", {"where": "x"}))["errors"][0]["code"] == "not_approved"
    written = step(api, "badr", "", {"posts": ["We look into it, 77 of us."]}, '"1"')
    assert (written.status_code, written.headers["etag"]) == (200, '"2"')
    assert written.json()["edited_by"] == "badr"
    assert [d["en"] for d in written.json()["doubts"]] == [
        "the number 77 is none of the alert's facts."
    ]
    late = problem(step(api, "amal", "", {"posts": ["Mine."]}, '"1"'))
    assert (late["status"], late["version"]) == (412, 2)
    done = approve(api, "amal").json()
    assert (done["state"], [a["by"] for a in done["approvals"]]) == ("approved", ["amal"])
    sent = step(api, "badr", "sent", {"where": "https://rimal.example/status"}).json()
    assert (sent["state"], sent["sent"][0]["where"]) == ("sent", "https://rimal.example/status")
    assert shown(api) == sent
    assert actions(api) == ["message_edited", "message_approved", "message_sent"]
    assert api.desk.alert(ID).summary.version == 1, "nobody's acknowledgement goes stale"


def test_what_is_critical_takes_two_different_people(api: Api) -> None:
    api.desk.take(critical())
    assert approve(api, "amal").json()["state"] == "draft"
    again = problem(approve(api, "amal"))
    assert (again["status"], again["errors"][0]["code"]) == (409, "approved_twice")
    assert again["errors"][0]["sentence"]["ar"]
    assert problem(step(api, "badr", "sent", {"where": "x"}))["status"] == 409
    assert approve(api, "badr").json()["state"] == "approved"


def test_it_locks_when_the_facts_change_and_says_what_changed(api: Api) -> None:
    approve(api, "amal")
    api.desk.take(critical())
    locked = shown(api)
    assert (locked["locked"], [c["field"] for c in locked["changed"]]) == (
        True, ["severity", "score"],
    )  # fmt: skip
    assert locked["changed"][0]["sentence"]["en"] == "severity: was warning, is now critical."
    refused = problem(step(api, "badr", "sent", {"where": "x"}))
    assert (refused["status"], refused["errors"][0]["code"]) == (409, "locked")
    assert problem(step(api, "badr", "sent", {"where": "x"}, '"2"'))["status"] == 412
    fresh = step(api, "badr", "", {"posts": ["Written anew."]}, f'"{locked["version"]}"').json()
    assert (fresh["locked"], fresh["needs"], fresh["approvals"]) == (False, 2, [])
    assert actions(api) == ["message_approved", "message_locked", "message_edited"]


def test_an_approval_is_given_to_what_was_shown(api: Api) -> None:
    digest = shown(api)["digest"]
    step(api, "badr", "", {"posts": ["Something else."]})
    refused = problem(step(api, "amal", "approve", {"digest": digest}))
    assert (refused["status"], refused["errors"][0]["code"]) == (409, "stale")


def test_an_untouched_draft_follows_its_alert(api: Api) -> None:
    before = shown(api)
    api.desk.take(critical())
    after = shown(api)
    assert (after["severity"], after["needs"], after["changed"]) == ("critical", 2, [])
    assert after["version"] > before["version"]
    assert problem(approve_at(api, before))["status"] == 412


def approve_at(api: Api, seen: dict[str, Any]) -> httpx.Response:
    return step(api, "amal", "approve", {"digest": seen["digest"]}, f'"{seen["version"]}"')


def test_what_was_taken_back_follows_its_alert_again(api: Api) -> None:
    approve(api, "amal")
    api.desk.take(critical())
    back = step(api, "badr", "withdraw", {"reason": "figures moved"}).json()
    assert (back["state"], back["severity"], back["changed"]) == ("draft", "critical", [])
    assert problem(step(api, "badr", "withdraw", {}))["errors"][0]["code"] == "nothing_approved"
    assert actions(api) == ["message_approved", "message_locked", "message_withdrawn"]


def test_a_text_that_makes_no_sense_is_refused(api: Api) -> None:
    for posts, code in ((["  "], "blank"), (["a " * 5_000 + "b"], "string_too_long")):
        refused = problem(step(api, "amal", "", {"posts": posts}))
        assert (refused["status"], refused["errors"][0]["code"]) == (422, code)
    refused = problem(step(api, "amal", "", {"posts": ["a", "b"]}))
    assert (refused["status"], refused["errors"][0]["code"]) == (422, "too_long")


def test_what_is_not_there_is_missing_and_a_viewer_only_looks(api: Api) -> None:
    with api.client("viewer") as client:
        assert client.get("/v1/alerts/a-none/messages").status_code == 404
        sent = {"posts": ["x"]}
        path = f"{PATH}/{NAME}"
        assert client.put(path, json=sent, headers={"if-match": "*"}).status_code == 403
    with api.client("amal") as client:
        path = f"{PATH}/report:web:en"
        assert client.put(path, json=sent, headers={"if-match": "*"}).status_code == 404
        assert client.put(f"{PATH}/{NAME}", json=sent).status_code == 428


def test_the_same_key_approves_once(api: Api) -> None:
    api.desk.take(critical())
    sent = {"digest": shown(api)["digest"]}
    key = {"idempotency-key": "k1"}
    answers = [step(api, "amal", "approve", sent, **key) for _ in range(3)]
    assert {(a.status_code, a.text) for a in answers} == {(200, answers[0].text)}
    assert actions(api) == ["message_approved"]


def test_of_many_at_once_each_approves_once(api: Api) -> None:
    """The third finds it approved: no approval is lost, and none counts twice."""
    api.desk.take(critical())
    people = ("amal", "badr", "responder", "admin")
    digest = {"digest": shown(api)["digest"]}
    statuses: list[int] = []

    def work(who: str) -> None:
        statuses.append(step(api, who, "approve", digest).status_code)

    threads = [threading.Thread(target=work, args=(who,)) for who in people * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 2 + [409] * 6
    assert len({a["by"] for a in shown(api)["approvals"]}) == 2


def test_a_database_of_before_has_messages_too(place: Path | str) -> None:
    older = Database(place)
    desk(older).take(first())
    since = [
        *(f"DROP TABLE {name}" for name in ("messages", "listings", "gone", "outbox", "turns")),
        *(f"DROP INDEX {name}" for name in ("alerts_ageing", "notifications_ageing")),
        "ALTER TABLE alerts DROP COLUMN bare",
        "UPDATE alembic_version SET version_num = '0001'",
    ]
    if older.dialect == "postgresql":
        since += ["DROP TRIGGER audit_ages ON audit", "DROP FUNCTION audit_ages"]
    with older.write() as connection:
        for statement in since:
            connection.execute(text(statement))
    older.close()
    newer = Database(place)
    found = desk(newer).messages(ID).messages
    with newer.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert audit.verify(connection) == 1
    newer.close()
    assert [m.name for m in found].count(NAME) == 1
