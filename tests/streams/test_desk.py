"""`nadhir run`, `nadhir api` and `nadhir tokens` as processes: an alert is acknowledged."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerts.records import Alert
from alerts.service import Desk
from alerts.store import audit
from alerts.store.errors import DatabaseUnavailable
from streams.desk import Taker, opened_desk
from streams.engine_view import WatchedStore
from streams.store import Store
from tests.alerts.calling import DECISIONS
from tests.alerts.notify.build import FakeReceiver
from tests.alerts.responding import NOW, first
from tests.documented import documented
from tests.documented import told as told_by
from tests.running import Running, crisis, eventually, nadhir, write_config, write_lines
from tests.streams.test_cli import call
from tests.streams.test_config import read

SECRET = re.compile(r"^nadhir_[\w-]{43}$", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path)
    return tmp_path


def token(folder: Path, role: str, name: str = "amal") -> dict[str, str]:
    made = nadhir("tokens", "create", name, "--role", role, cwd=folder)
    assert made.returncode == 0, made.stderr
    assert SECRET.fullmatch(made.stdout.decode().strip())
    return {"authorization": f"Bearer {made.stdout.decode().strip()}"}


def alerts_of(process: Running, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = process.http.get("/v1/alerts", headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["alerts"]
    return found


def look_at_the_console(process: Running, secret: str, alert: dict[str, Any]) -> None:
    """Log in and read of the alert; what the engine knows is there."""
    here = str(process.http.base_url).rstrip("/")
    assert f"console at {here}/" in "".join(process.log)
    with httpx.Client(base_url=here, headers={"origin": here, "accept": "text/html"}) as browser:
        assert browser.get("/").headers["location"] == "/login?next=%2F"
        assert browser.post("/login", data={"token": secret}).status_code == 303
        page = browser.get("/").text
        assert alert["title"]["en"] in page
        assert '<svg class="spark"' in page
        assert browser.get(f"/alerts/{alert['id']}").status_code == 200


def test_run_alone_gives_an_api_that_acknowledges(folder: Path) -> None:
    lines = crisis()
    # the alert opens, and nothing comes after: it stays open
    some = [line for line in lines if json.loads(line)["published_at"] < "2026-03-02T10:00"]
    with Running(folder, write_lines(folder / "m.jsonl", some)) as process:
        (secret,) = eventually(lambda: SECRET.findall("".join(process.log)))
        admin = {"authorization": f"Bearer {secret}"}
        (alert,) = eventually(lambda: alerts_of(process, admin))
        path = f"/v1/alerts/{alert['id']}"
        look_at_the_console(process, secret, alert)
        with httpx.stream(
            "GET", process.http.base_url.join("/v1/events"), headers=admin | {"last-event-id": "0"}
        ) as stream:
            # a listener does not keep the process from ending
            assert next(stream.iter_lines()) == "retry: 2000"
            headers = admin | {"if-match": f'"{alert["version"]}"'}
            taken = process.http.post(f"{path}/acknowledge", json={}, headers=headers)
            assert taken.json()["state"] == "acknowledged"
            assert process.http.get("/v1/alerts").status_code == 401
            assert process.http.get("/v1/mentions").status_code == 405
            text = process.http.get("/metrics").text
            assert "nadhir_mentions_received_total" in text
            assert 'nadhir_alerts{severity="critical",state="acknowledged"} 1.0' in text
            decisions = process.http.get("/v1/decisions", headers=admin).json()["decisions"]
            assert {d["outcome"] for d in decisions} >= {"opened"}
            brands = process.http.get("/v1/brands", headers=admin).json()["brands"]
            assert [b["unresolved"] for b in brands] == [1, 0]
            process.post([b'{"id": 1}'])
            (bad,) = eventually(
                lambda: process.http.get("/v1/rejected", headers=admin).json()["rejected"]
            )
            assert (bad["raw"], bad["source"]) == ('{"id": 1}', "intake")
            assert process.stop() == 0
    with Running(folder) as process:  # without another first token
        assert not SECRET.search("".join(process.log))
        (alert,) = alerts_of(process, admin)
        assert (alert["state"], alert["acknowledged_by"]) == ("acknowledged", "first-admin")
        assert process.stop() == 0


def test_api_serves_what_run_left(folder: Path) -> None:
    headers = token(folder, "responder")
    assert nadhir(
        "run", "--until-done", write_lines(folder / "m.jsonl", crisis()), cwd=folder
    ).returncode == 0  # fmt: skip
    with Running(folder, command="api") as process:
        (alert,) = alerts_of(process, headers)
        assert alert["state"] == "resolved"
        assert process.http.get("/health/ready").json() == {"status": "ok", "blind": []}
        assert process.http.get("/v1/playbooks", headers=headers).json()["playbooks"]
        assert process.http.get("/v1/decisions", headers=headers).json()["decisions"]
        assert told_by(process.http.get("/metrics").text).keys() == documented("A").keys()
        assert process.stop() == 0
    assert "Traceback" not in "".join(process.log)


def test_tokens_are_listed_and_revoked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    call("tokens", "create", "root", "--role", "admin")
    call("tokens", "create", "amal", "--role", "viewer")
    listed = call("tokens", "list").stdout_bytes.splitlines()
    assert [(t["name"], t["role"], t["revoked_at"]) for t in map(json.loads, listed)] == [
        ("amal", "viewer", None), ("root", "admin", None),
    ]  # fmt: skip
    assert not SECRET.search(b"\n".join(listed).decode())
    assert call("tokens", "revoke", "amal").exit_code == 0
    for arguments, told in (
        (["revoke", "amal"], "no token amal that still opens anything"),
        (["revoke", "root"], "root is the last administrator"),
        (["create", "amal", "--role", "admin"], "there was a token amal before"),
        (["create", "A B", "--role", "admin"], "cannot name a token"),
    ):
        failed = call("tokens", *arguments)
        assert (failed.exit_code, failed.stdout) == (1, "")
        assert told in failed.stderr


def test_a_database_that_is_not_there_is_told_without_its_password(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(folder, database={"url": "postgresql://me:hunter2" + "@127.0.0.1:1/x"})
    monkeypatch.chdir(folder)
    for command in (["tokens", "list"], ["run", "--until-done"]):
        failed = call(*command)
        assert failed.exit_code == 1
        assert "127.0.0.1" in failed.stderr
        assert "hunter2" not in failed.output


def test_an_address_of_another_kind_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(folder, database={"url": "mysql://localhost/x"})
    monkeypatch.chdir(folder)
    failed = call("tokens", "list")
    assert (failed.exit_code, failed.stderr) == (
        1, "Error: database.url: mysql is not postgresql\n",
    )  # fmt: skip


class Broken(Desk):
    """A desk whose database is away."""

    def __init__(self) -> None:
        pass

    def take(self, alert: Alert) -> bool:
        raise DatabaseUnavailable("away")


def test_the_engine_keeps_what_the_desk_cannot_take() -> None:
    with pytest.raises(OSError, match="away"):
        Taker(Broken()).deliver(first())


def test_a_desk_as_configured(tmp_path: Path) -> None:
    config = read(tmp_path, "brands: [{id: acme, names: [Acme]}]\n")
    with opened_desk(config, lambda: NOW) as desk:
        Taker(desk).deliver(first())
        Taker(desk).deliver(first())
    with opened_desk(config, lambda: NOW) as desk, desk.database.read() as connection:
        assert audit.verify(connection) == 1
    assert (config.paths.data / "response.db").exists()


def test_pages_of_the_store(tmp_path: Path) -> None:
    config = read(tmp_path, "brands: [{id: acme, names: [Acme]}]\n")
    store = Store(tmp_path / "nadhir.db")
    view = WatchedStore(config, store)
    assert view.blind() is None
    with store.step():
        store.add_decisions(DECISIONS)
        store.set_meta("blind", '["acme"]')
    found = view.decisions(brand="rimal-bank", outcome=None, before=4, limit=2)
    assert [(number, decision.id) for number, decision in found] == [(3, "d-3"), (2, "d-2")]
    assert view.decisions(brand="other", outcome=None, before=None, limit=2) == []
    assert view.blind() == ["acme"]
    store.close()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"receivers": [{"name": "team", "type": "apprise", "urls": ["nonsense://s3cret"]}]},
         "receiver team: URL 1 is none that apprise knows"),
        ({"schedules": [{"name": "week", "calendar": "odd.ics", "timezone": "Asia/Riyadh"}]},
         "odd.ics: "),
    ],
)  # fmt: skip
def test_what_keeps_people_from_being_told_ends_the_start_in_words(
    folder: Path, settings: dict[str, Any], said: str
) -> None:
    write_config(folder, **settings)
    (folder / "odd.ics").write_text("nothing of the kind")
    for command in ("run", "api"):
        failed = nadhir(command, "--port", "0", cwd=folder)
        assert failed.returncode == 2
        assert said in failed.stderr.decode()
        assert b"Traceback" not in failed.stderr
        assert b"s3cret" not in failed.stderr


def test_people_are_told_also_where_no_http_is_served(folder: Path) -> None:
    some = [line for line in crisis() if json.loads(line)["published_at"] < "2026-03-02T10:00"]
    lines = write_lines(folder / "m.jsonl", some)
    with FakeReceiver() as hook:
        url = f"http://127.0.0.1:{hook.port}/x"
        receiver = {"name": "hook", "type": "webhook", "url": url, "secret": "s" * 32}
        write_config(
            folder,
            receivers=[{**receiver, "allow_private": True}],
            intake={"enabled": False},
            api={"enabled": False},
        )
        with Running(folder, lines, serves=False) as process:
            eventually(lambda: hook.received)
            assert process.stop() == 0
