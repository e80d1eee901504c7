"""The API over SQLite and PostgreSQL: what a responder does, and what each answer looks like."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from alerts.service import silencing
from alerts.store import audit
from alerts.store.database import Database
from tests.alerts.calling import Api, Client, problem
from tests.alerts.responding import Clock, copies, first, later

ID = first().id
PATH = f"/v1/alerts/{ID}"


@pytest.fixture
def api(database: Database) -> Api:
    made = Api(database)
    made.desk.take(first())
    return made


@pytest.fixture
def amal(api: Api) -> Iterator[Client]:
    with api.client("responder") as client:
        yield client


def test_the_way_of_an_alert(api: Api, amal: Client) -> None:
    (listed,) = amal.get("/v1/alerts", params={"state": "open"}).json()["alerts"]
    read = amal.get(f"/v1/alerts/{listed['id']}")
    assert read.headers["etag"] == '"1"'
    body = read.json()
    assert body["alert"]["evidence"][0]["text"] == first().evidence[0].text
    assert body["alert"]["playbook"]["messages"]
    assert body["alert"]["explanation"]["gates"]
    taken = amal.post(f"{PATH}/acknowledge", json={"reason": "mine"}, headers={"if-match": '"1"'})
    assert taken.status_code == 200
    assert taken.headers["etag"] == '"2"'
    assert (taken.json()["state"], taken.json()["acknowledged_by"]) == ("acknowledged", "responder")
    for step, sent in (
        ("assign", {"assignee": "أمل"}),
        ("escalate", {}),
        ("verdict", {"verdict": "true"}),
        ("resolve", {"reason": "fixed"}),
        ("reopen", {}),
        ("acknowledge", {}),
        ("unacknowledge", {}),
    ):
        done = amal.post(f"{PATH}/{step}", json=sent, headers={"if-match": "*"})
        assert done.status_code == 200, done.text
    assert amal.post(f"{PATH}/comments", json={"text": "أنا\nهنا"}).status_code == 200
    trail = amal.get(f"{PATH}/audit").json()["entries"]
    assert [e["action"] for e in trail] == [
        "opened", "acknowledged", "assigned", "escalated", "judged", "resolved", "reopened",
        "acknowledged", "unacknowledged", "commented",
    ]  # fmt: skip
    assert [e["seq"] for e in amal.get("/v1/audit", params={"after": 5}).json()["entries"]] == [
        *range(6, trail[-1]["seq"] + 1)
    ]
    with api.desk.database.read() as connection:
        audit.verify(connection)


def test_a_stale_write_gets_the_current_state(amal: Client) -> None:
    amal.post(f"{PATH}/acknowledge", json={}, headers={"if-match": '"1"'})
    late = amal.post(f"{PATH}/resolve", json={}, headers={"if-match": '"1"'})
    found = problem(late)
    assert (late.status_code, late.headers["etag"], found["version"]) == (412, '"2"', 2)
    assert found["current"]["acknowledged_by"] == "responder"
    again = problem(amal.post(f"{PATH}/acknowledge", json={}, headers={"if-match": "*"}))
    assert (again["status"], again["current"]["state"]) == (409, "acknowledged")
    assert problem(amal.post(f"{PATH}/resolve", json={}))["status"] == 428


def test_the_same_key_is_carried_out_once(amal: Client) -> None:
    headers = {"if-match": '"1"', "idempotency-key": "7f3a"}
    answers = [amal.post(f"{PATH}/acknowledge", json={}, headers=headers) for _ in range(3)]
    assert {(a.status_code, a.text, a.headers["etag"]) for a in answers} == {
        (200, answers[0].text, '"2"')
    }
    other = amal.post(f"{PATH}/acknowledge", json={"reason": "x"}, headers=headers)
    assert problem(other)["status"] == 422


def test_pages_and_filters(api: Api, amal: Client) -> None:
    for alert in copies(5):
        api.desk.take(alert)
    seen, cursor = [], None
    while True:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = amal.get("/v1/alerts", params=asked).json()
        seen += [a["id"] for a in page["alerts"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6
    for asked, count in (
        ({"brand": ["rimal-bank", "other"]}, 6),
        ({"severity": "critical", "state": "resolved"}, 0),
        ({"type": first().type, "drill": "false"}, 6),
        ({"opened_from": "2026-11-21T10:42:00+03:00"}, 0),
        ({"opened_to": "2026-11-21T10:42:00+03:00"}, 6),
    ):
        assert len(amal.get("/v1/alerts", params=asked).json()["alerts"]) == count, asked


def test_bulk(api: Api, amal: Client) -> None:
    some = copies(2)
    for alert in some:
        api.desk.take(alert)
    asked = [{"id": ID, "version": 7}, {"id": some[0].id, "version": 1}, {"id": "a-none"}]
    sent = {"act": "acknowledge", "alerts": asked}
    headers = {"idempotency-key": "k"}
    answers = [amal.post("/v1/alerts:bulk", json=sent, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert [r["status"] for r in answers[0].json()["results"]] == [412, 200, 404]


def test_silences(amal: Client) -> None:
    silence = {
        "matchers": {"brands": ["rimal-bank"]},
        "starts_at": "2026-11-21T00:00:00Z",
        "ends_at": "2026-11-22T00:00:00Z",
        "reason": "صيانة",
    }
    preview = amal.post("/v1/silences:preview", json=silence).json()
    assert [p["alert"] for p in preview["alerts"]] == [ID]
    made = amal.post("/v1/silences", json=silence)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    path = f"/v1/silences/{made.json()['id']}"
    shown = amal.get(PATH).json()["summary"]["suppressed"]
    assert shown == [{"reason": "silenced", "by": made.json()["id"]}]
    again = {"rule": "FREQ=WEEKLY;BYDAY=FR", "duration_min": 60, "timezone": "Asia/Riyadh"}
    sent = silence | {"recurring": again, "ends_at": "2027-11-22T00:00:00Z"}
    changed = amal.put(path, json=sent, headers={"if-match": '"1"'})
    assert (changed.status_code, len(changed.json()["next"])) == (200, 5)
    assert problem(amal.delete(path, headers={"if-match": '"1"'}))["status"] == 412
    assert amal.delete(path, headers={"if-match": '"2"'}).json()["ended_at"]
    assert [s["version"] for s in amal.get("/v1/silences").json()["silences"]] == [3]
    bad = problem(amal.post("/v1/silences", json=silence | {"ends_at": "2026-11-20T00:00:00Z"}))
    assert [(e["field"], e["code"]) for e in bad["errors"]] == [("ends", "ends_before_start")]
    assert bad["errors"][0]["sentence"]["ar"]


def test_a_preview_says_when_it_looked_at_some_alone(
    api: Api, amal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for alert in copies(3):
        api.desk.take(alert)
    monkeypatch.setattr(silencing, "_MOST_EXAMINED", 2)
    asked = {
        "matchers": {"brands": ["rimal-bank"]},
        "starts_at": "2026-11-21T00:00:00Z",
        "ends_at": "2026-11-22T00:00:00Z",
        "reason": "work",
    }
    found = amal.post("/v1/silences:preview", json=asked).json()
    assert (found["examined"], found["complete"], len(found["alerts"])) == (2, False, 2)
    monkeypatch.setattr(silencing, "_MOST_EXAMINED", 4)
    assert amal.post("/v1/silences:preview", json=asked).json()["complete"]


def test_tokens(api: Api) -> None:
    with api.client("admin") as admin:
        made = admin.post("/v1/tokens", json={"name": "omar", "role": "viewer"})
        assert made.status_code == 201
        headers = {"authorization": f"Bearer {made.json()['secret']}"}
        assert admin.get("/v1/alerts", headers=headers).status_code == 200
        listed = admin.get("/v1/tokens")
        assert made.json()["secret"] not in listed.text
        twice = admin.post("/v1/tokens", json={"name": "omar", "role": "viewer"})
        assert problem(twice)["status"] == 409
        assert admin.delete("/v1/tokens/omar").status_code == 204
        assert problem(admin.get("/v1/alerts", headers=headers))["status"] == 401
        assert problem(admin.delete("/v1/tokens/omar"))["status"] == 404
        assert problem(admin.delete("/v1/tokens/admin"))["status"] == 409


def test_what_the_engine_knows(amal: Client) -> None:
    brands = {b["id"]: b for b in amal.get("/v1/brands").json()["brands"]}
    assert (brands["rimal-bank"]["unresolved"], brands["rimal-bank"]["blind"]) == (1, False)
    assert brands["saqr-air"]["blind"] is True
    assert {p["type"] for p in amal.get("/v1/playbooks").json()["playbooks"]} >= {"rumour"}
    page = amal.get("/v1/decisions", params={"limit": 3}).json()
    rest = amal.get("/v1/decisions", params={"limit": 3, "cursor": page["next"]}).json()
    assert [d["id"] for d in page["decisions"] + rest["decisions"]] == [
        "d-5", "d-4", "d-3", "d-2", "d-1",
    ]  # fmt: skip
    assert rest["next"] is None
    (rejected,) = amal.get("/v1/rejected").json()["rejected"]
    assert rejected["raw"] == "\\xff<script>"


def test_health_tells_blind_from_calm(api: Api) -> None:
    with api.client(None) as nobody:
        assert nobody.get("/health/live").json()["status"] == "ok"
        assert nobody.get("/health/ready").json() == {"status": "ok", "blind": ["saqr-air"]}
    api.desk.database.close()


def test_metrics_count_alerts_and_notifications(api: Api, amal: Client) -> None:
    text = amal.get("/metrics").text
    severity = first().severity
    assert f'nadhir_alerts{{severity="{severity}",state="open"}} 1.0' in text
    assert 'nadhir_notifications_pending{receiver="pager"} 1.0' in text
    assert 'nadhir_notification_dead_letters{receiver="pager"} 0.0' in text
    assert "nadhir_audit_rows_total 4.0" in text


def test_the_token_of_the_configuration_opens_metrics_and_nothing_else(database: Database) -> None:
    api = Api(database, metrics_token="k3Xb9-wQ7zL1p0Rt")
    for shown, status in (("k3Xb9-wQ7zL1p0Rt", 200), ("k3Xb9-wQ7zL1p0R", 401), ("", 401)):
        with api.client(None) as nobody:
            headers = {"authorization": f"Bearer {shown}"}
            assert nobody.get("/metrics", headers=headers).status_code == status
            assert nobody.get("/v1/alerts", headers=headers).status_code == 401
    with api.client("viewer") as viewer:
        assert viewer.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:8080"}, 200),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:8080"}, 200),
        ({"host": "nadhir.example"}, 401),  # a proxy that keeps the name; a name made to lead here
        ({"host": "127.0.0.1.evil.example"}, 401),
        ({"host": "evil.example["}, 401),
        ({"host": ""}, 401),
        ({"host": "127.0.0.1:8080", "x-forwarded-for": "203.0.113.9"}, 401),
        ({"host": "127.0.0.1:8080", "forwarded": "for=203.0.113.9"}, 401),
    ],
)
def test_metrics_are_open_to_what_this_machine_asks_itself_alone(
    database: Database, headers: dict[str, str], status: int
) -> None:
    api = Api(database, open_metrics=True)
    with api.client(None) as nobody:
        assert nobody.get("/metrics", headers=headers).status_code == status
        assert nobody.get("/v1/alerts", headers=headers).status_code == 401
    with api.client("viewer") as viewer:
        assert viewer.get("/metrics", headers=headers).status_code == 200


async def chunks() -> AsyncIterator[bytes]:
    """A body whose length nobody says."""
    for _ in range(100):
        yield b"x" * 1_000


def test_errors_are_problems_and_repeat_nothing(amal: Client) -> None:
    evil = "<script>alert(1)</script>"
    for answer, status in (
        (amal.get("/v1/alerts/a-none"), 404),
        (amal.get("/nowhere"), 404),
        (amal.put("/v1/alerts"), 405),
        (amal.get("/v1/alerts", params={"state": evil}), 422),
        (amal.get("/v1/alerts", params={"cursor": evil}), 422),
        (amal.post(f"{PATH}/comments", json={"text": evil * 1_000}), 422),
        (amal.post(f"{PATH}/comments", json={"text": "a\x00b"}), 422),
        (amal.post(f"{PATH}/comments", content=b'{"text": "\\ud800"}',
                   headers={"content-type": "application/json"}), 422),
        (amal.post(f"{PATH}/comments", content=b'{"\\ud800": 1, "text": "x"}',
                   headers={"content-type": "application/json"}), 422),
        (amal.post(f"{PATH}/comments", content=b"{", headers={"content-type": "application/json"}),
         422),
        (amal.post(f"{PATH}/comments", content=b"x" * 100_000,
                   headers={"content-type": "application/json"}), 413),
        (amal.post(f"{PATH}/comments", content=chunks(),
                   headers={"content-type": "application/json"}), 413),
    ):  # fmt: skip
        assert problem(answer)["status"] == status, answer.text
        assert "<script>" not in answer.text


def test_who_asks_too_often_waits(database: Database) -> None:
    api = Api(database, rate_per_min=5)
    with api.client("viewer") as client:
        statuses = [client.get("/v1/alerts").status_code for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        assert int(client.get("/v1/alerts").headers["retry-after"]) >= 1
    with api.client(None) as client:
        guesses = [client.get("/v1/alerts").status_code for _ in range(7)]
        assert guesses == [401] * 5 + [429] * 2
    with api.client("responder") as amal:  # from the same address, as behind a proxy
        assert amal.get("/v1/alerts").status_code == 200, "who guesses locks nobody out"


def test_who_guesses_tokens_keeps_nobody_from_answering_a_call(database: Database) -> None:
    api = Api(database, rate_per_min=3)
    api.desk.take(first())
    token = api.desk.links.token(ID, 1, "mail", now_ms=Clock()())
    with api.client(None) as nobody:
        guesses = [nobody.get("/v1/alerts").status_code for _ in range(5)]
        assert guesses[-1] == 429
        assert nobody.get(f"/ack/{token}").status_code == 200
        seen = [nobody.get("/ack/forged").status_code for _ in range(4)]
        assert seen == [404, 404, 429, 429], "links have a limit, too"


def test_a_link_that_would_not_act_shows_no_button(api: Api, database: Database) -> None:
    token = api.desk.links.token(ID, 1, "mail", now_ms=Clock()())
    with api.client(None) as nobody:
        assert nobody.post(f"/ack/{token}").status_code == 200
        shown = nobody.get(f"/ack/{token}")
        assert (shown.status_code, "<button" in shown.text) == (200, False)
        assert "link:mail has had this alert since" in shown.text
        api.desk.act("amal", ID, "unacknowledge", version=None, reason="", once=None)
        used = nobody.get(f"/ack/{token}")
        assert (used.status_code, "<button" in used.text) == (410, False)
        assert "This link was used before." in used.text
        older = api.desk.links.token(ID, 1, "chat", now_ms=Clock()())
        assert nobody.get(f"/ack/{older}").status_code == 200
        api.desk.take(later(first(), "raised", severity="critical"))
        outdated = nobody.get(f"/ack/{older}")
        assert (outdated.status_code, "<button" in outdated.text) == (410, False)
        assert "use the newer link" in outdated.text


def test_a_link_page_shows_and_acts_only_when_pressed(api: Api, database: Database) -> None:
    token = api.desk.links.token(ID, 1, "mail", now_ms=Clock()())
    with api.client(None) as nobody:
        for _ in range(2):  # a robot that looks
            page = nobody.get(f"/ack/{token}")
            assert page.status_code == 200
            assert 'dir="rtl"' in page.text
            assert "Acknowledge" in page.text
        assert nobody.head(f"/ack/{token}").status_code == 405
        assert api.desk.alert(ID).summary.state == "open"
        done = nobody.post(f"/ack/{token}")
        assert done.status_code == 200
        assert "Done. You have this alert." in done.text
        assert api.desk.alert(ID).summary.acknowledged_by == "link:mail"
        assert nobody.post(f"/ack/{token}").status_code == 410
        other = api.desk.links.token(ID, 1, "chat", now_ms=Clock()())
        taken = nobody.post(f"/ack/{other}")
        assert taken.status_code == 409
        assert "link:mail has had this alert since" in taken.text
        api.desk.take(later(first(), "raised", severity="critical"))
        assert nobody.post(f"/ack/{other}").status_code == 410
