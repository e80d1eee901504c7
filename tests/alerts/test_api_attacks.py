"""The attack table: what a stranger, a thief or a curious colleague would try."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
from pathlib import Path

import msgspec
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import Connection

from alerts.playbook.records import Bilingual
from alerts.store import access
from alerts.store.access import TokenRow
from alerts.store.database import Database
from tests.alerts.calling import Api, problem
from tests.alerts.responding import NOW, first

ID = first().id
PATH = f"/v1/alerts/{ID}"
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{1234*5678}}"
OPEN = {"/health/live", "/health/ready", "/ack/{token}"}


@pytest.fixture
def api(tmp_path: Path) -> Api:
    made = Api(Database(tmp_path / "response.db"))
    made.desk.take(first())
    return made


def routes(api: Api) -> list[tuple[str, str]]:
    """Every method and path that the application answers."""
    found = []
    for route in iter_route_contexts(api.app.routes):
        assert route.path is not None
        found += [(method, route.path) for method in sorted(route.methods or ())]
    assert len(found) > 25
    return found


# who may enter --------------------------------------------------------------------------------


def test_every_route_but_health_and_the_link_page_asks_for_a_token(api: Api) -> None:
    wrong = {"authorization": f"Bearer {api.secrets['admin'][:-1]}x"}
    basic = {"authorization": f"Basic {base64.b64encode(b'admin:admin').decode()}"}
    with api.client(None) as nobody:
        for method, path in routes(api):
            if path in OPEN:
                continue
            at = re.sub(r"\{\w+\}", "x", path)
            for headers in ({}, wrong, basic, {"authorization": "Bearer"}):
                answer = nobody.request(method, at, headers=headers, json={})
                assert answer.status_code == 401, (method, path, headers)
                assert answer.headers["www-authenticate"] == 'Bearer realm="nadhir"'
        for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
            assert nobody.get(path).status_code == 404


def test_open_routes_are_those_we_know(api: Api) -> None:
    assert {path for _, path in routes(api)} >= OPEN
    reads = {"/v1/silences:preview"}  # a question with a body
    with api.client("viewer") as viewer:
        for method, path in routes(api):
            if method in ("GET", "HEAD") or path in OPEN | reads:
                continue
            at = re.sub(r"\{\w+\}", "x", path)
            answer = viewer.request(method, at, json={}, headers={"if-match": "*"})
            assert problem(answer)["status"] == 403, (method, path)


def test_a_responder_makes_no_tokens(api: Api) -> None:
    with api.client("responder") as responder:
        sent = {"name": "mine", "role": "admin"}
        assert responder.post("/v1/tokens", json=sent).status_code == 403
        assert responder.get("/v1/tokens").status_code == 403
        assert responder.delete("/v1/tokens/admin").status_code == 403
    assert {row.name for row in api.desk.tokens.rows()} == {"viewer", "responder", "admin"}


def test_a_responder_neither_erases_nor_sends_again(api: Api) -> None:
    with api.client("responder") as responder:
        sent = {"platform": "x", "author": "77", "handles": ["tariq_dxb"]}
        assert responder.post("/v1/erasures", json=sent).status_code == 403
        assert responder.post("/v1/notifications/replay", json={}).status_code == 403
    assert api.desk.alert(ID).alert == first()


def test_a_token_counts_only_in_its_header(api: Api) -> None:
    secret = api.secrets["admin"]
    with api.client(None) as nobody:
        for params, headers in (
            ({"access_token": secret}, {}),
            ({"token": secret}, {}),
            ({}, {"cookie": f"token={secret}; authorization=Bearer {secret}"}),
            ({}, {"x-api-key": secret}),
        ):
            assert nobody.get("/v1/alerts", params=params, headers=headers).status_code == 401


def test_secrets_are_found_by_hash_and_compared_in_constant_time(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # timing: what is looked up is SHA-256 of what was shown, which nobody can steer byte by byte
    asked: list[str] = []
    found = access.token_by_digest

    def spied(connection: Connection, digest: str) -> tuple[TokenRow, str] | None:
        asked.append(digest)
        return found(connection, digest)

    monkeypatch.setattr(access, "token_by_digest", spied)
    secret = api.secrets["viewer"]
    with api.client("viewer") as viewer:
        assert viewer.get("/v1/alerts").status_code == 200
        assert asked == [hashlib.sha256(secret.encode()).hexdigest()]
        # one that only begins alike is looked for in another place
        near = secret[:-1] + ("a" if secret[-1] != "a" else "b")
        headers = {"authorization": f"Bearer {near}"}
        assert viewer.get("/v1/alerts", headers=headers).status_code == 401
        assert asked[1:] == [hashlib.sha256(near.encode()).hexdigest()]
        # whatever the database gives back, what opens is the comparison in constant time
        monkeypatch.setattr(hmac, "compare_digest", lambda *_: False)
        assert viewer.get("/v1/alerts").status_code == 401


def test_no_secret_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")  # the client's own log
    with api.client("admin") as admin:
        made = admin.post("/v1/tokens", json={"name": "omar", "role": "viewer"}).json()
        admin.get("/v1/alerts", headers={"authorization": f"Bearer {made['secret']}x"})
    link = api.desk.links.token(ID, 1, "mail", now_ms=NOW)
    with api.client(None) as nobody:
        nobody.post(f"/ack/{link}")
    for secret in (*api.secrets.values(), made["secret"], link):
        assert secret not in caplog.text


ANY = {"if-match": "*"}

# what may be sent -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        {"reason": "x", "state": "resolved"},
        {"reason": "x", "acknowledged_by": "boss"},
        {"reason": "x", "version": 9},
        {"actor": "boss"},
        {"id": "a-other"},
        {"__class__": "x"},
    ],
)
def test_no_field_can_be_smuggled_in(api: Api, sent: dict[str, object]) -> None:
    with api.client("responder") as responder:
        answer = responder.post(f"{PATH}/acknowledge", json=sent, headers={"if-match": "*"})
        assert answer.status_code == 422
        silence = {
            "matchers": {"brands": ["x"]}, "starts_at": "2026-11-21T00:00:00Z",
            "ends_at": "2026-11-22T00:00:00Z", "reason": "x",
        }  # fmt: skip
        for field in ("owner", "id", "created_ms", "ended_ms"):
            assert responder.post("/v1/silences", json=silence | {field: "x"}).status_code == 422
        message = f"{PATH}/messages/holding:web:en"
        for field in ("state", "approvals", "edited_by", "needs", "severity"):
            approved = {"posts": ["x"], field: "approved"}
            assert responder.put(message, json=approved, headers=ANY).status_code == 422
            noted = {"where": "x", field: "amal"}
            assert responder.post(f"{message}/sent", json=noted, headers=ANY).status_code == 422
    found = api.desk.alert(ID).summary
    assert (found.state, found.version) == ("open", 1)
    assert {m.state for m in api.desk.messages(ID).messages} == {"draft"}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("if-match", '"1" OR 1=1'),
        ("if-match", 'W/"1"'),
        ("if-match", '"1", "2"'),
        ("if-match", '"-1"'),
        ("idempotency-key", "a b"),
        ("idempotency-key", "x" * 256),
        ("idempotency-key", "a\tb"),
    ],
)
def test_headers_are_read_strictly(api: Api, header: str, value: str) -> None:
    headers = {"if-match": "*"} | {header: value}
    with api.client("responder") as responder:
        answer = responder.post(f"{PATH}/acknowledge", json={}, headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "at", ["a%0d%0aX-Evil:%201", "a%00", "..%2f..%2fetc", "%22", "é", "x" * 81]
)
def test_nothing_of_a_path_reaches_a_header(api: Api, at: str) -> None:
    with api.client("viewer") as viewer:
        answer = viewer.get(f"/v1/alerts/{at}")
    assert answer.status_code in (404, 422)
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "nadhir", "link:mail", "Admin", "admin\x00"])
def test_token_names_cannot_be_mistaken_for_others(api: Api, name: str) -> None:
    with api.client("admin") as admin:
        answer = admin.post("/v1/tokens", json={"name": name, "role": "viewer"})
    assert answer.status_code in (409, 422)


@pytest.mark.parametrize("value", ["' OR '1'='1", "x'; DROP TABLE alerts; --", "%", "_"])
def test_what_is_asked_for_is_no_sql(api: Api, value: str) -> None:
    with api.client("viewer") as viewer:
        answer = viewer.get("/v1/alerts", params={"assignee": value})
        assert answer.json() == {"alerts": [], "next": None}
        assert len(viewer.get("/v1/alerts").json()["alerts"]) == 1


def test_headers_of_every_answer_are_strict(api: Api) -> None:
    token = api.desk.links.token(ID, 1, "mail", now_ms=NOW)
    with api.client("viewer") as viewer:
        for path in ("/v1/alerts", "/nowhere", "/health/live", f"/ack/{token}", "/v1/alerts/%00"):
            headers = viewer.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cache-control"] == "no-store"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert "access-control-allow-origin" not in headers


# the link page --------------------------------------------------------------------------------


def test_mention_text_on_the_page_stays_text(tmp_path: Path) -> None:
    api = Api(Database(tmp_path / "response.db"))
    api.desk.take(msgspec.structs.replace(first(), title=Bilingual(ar=EVIL, en=EVIL)))
    token = api.desk.links.token(ID, 1, EVIL, now_ms=NOW)
    with api.client(None) as nobody:
        pages = [nobody.get(f"/ack/{token}"), nobody.post(f"/ack/{token}")]
        other = api.desk.links.token(ID, 1, "mail", now_ms=NOW)
        pages.append(nobody.post(f"/ack/{other}"))  # tells who has it: a receiver's name
    for page in pages:
        assert "<script" not in page.text
        assert "<img" not in page.text
        assert "7006652" not in page.text
        assert "&lt;script&gt;" in page.text
        nonces = re.findall(r"'nonce-([^']+)'", page.headers["content-security-policy"])
        assert f'<style nonce="{nonces[0]}">' in page.text
    assert len({page.headers["content-security-policy"] for page in pages}) == 3


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: f"{t}A", lambda t: t[::-1], lambda t: f"{t}%0d%0aX:1"]
)
def test_a_spoilt_link_opens_nothing(api: Api, spoil: object) -> None:
    assert callable(spoil)
    token = spoil(api.desk.links.token(ID, 1, "mail", now_ms=NOW))
    with api.client(None) as nobody:
        assert nobody.get(f"/ack/{token}").status_code == 404
        assert nobody.post(f"/ack/{token}").status_code == 404
    assert api.desk.alert(ID).summary.state == "open"


def test_links_are_slowed_down_too(tmp_path: Path) -> None:
    api = Api(Database(tmp_path / "response.db"), rate_per_min=5)
    with api.client(None) as nobody:
        statuses = [nobody.get(f"/ack/guess{n}").status_code for n in range(8)]
    assert statuses == [404] * 5 + [429] * 3
