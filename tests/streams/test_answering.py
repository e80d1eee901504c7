"""`nadhir run` tells receivers, calls who is next in the chain, and stops when somebody comes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alerts.notify.channels.webhook import signature
from streams import desk as desk_module
from streams.desk import opened_desk, send_waiting
from tests.alerts.notify.dispatching import now_ms
from tests.alerts.responding import first
from tests.running import Running, crisis, eventually, nadhir, write_config, write_lines
from tests.streams.test_config import read

SECRET = "a-secret-of-sixteen"


class Hook:
    """A webhook receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                id_, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
                signed = self.headers["webhook-signature"] == signature(SECRET, id_, int(at), body)
                if signed:
                    hook.got.append(json.loads(body))
                self.send_response(204 if signed else 401)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def whys(self) -> list[str]:
        return [event["data"]["why"] for event in self.got]


@contextmanager
def hooks(*names: str) -> Iterator[dict[str, Hook]]:
    made = {name: Hook() for name in names}
    for hook in made.values():
        threading.Thread(target=hook.server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        for hook in made.values():
            hook.server.shutdown()
            hook.server.server_close()


def test_a_run_that_ends_by_itself_tells_people_first(tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "m.jsonl", crisis())
    with hooks("team") as made:
        port = made["team"].server.server_address[1]
        receivers = [
            {"name": "team", "type": "webhook", "secret": SECRET, "allow_private": True,
             "url": f"http://127.0.0.1:{port}/"},
        ]  # fmt: skip
        write_config(tmp_path, receivers=receivers)
        done = nadhir("run", "--until-done", lines, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert b"wait to be sent" not in done.stderr
        whys = made["team"].whys()
        assert whys[-1] == "resolved"
        assert len(whys) == len({event["id"] for event in made["team"].got})


def test_what_cannot_be_sent_before_the_end_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = read(
        tmp_path,
        "brands: [{id: acme, names: [Acme]}]\n"
        "receivers: [{name: team, type: webhook, url: 'http://127.0.0.1:9/', allow_private: true,"
        f" secret: {SECRET}}}]\n",
    )
    monkeypatch.setattr(desk_module, "_SENDING_S", 0.3)
    with opened_desk(config, now_ms) as desk:
        assert send_waiting(config, desk, now_ms, lambda: False) == 0
        desk.take(first())
        assert send_waiting(config, desk, now_ms, lambda: False) == 1
        assert send_waiting(config, desk, now_ms, lambda: True) == 1
        (told,) = desk.alert(first().id).notifications
        assert told.status == "queued"


def test_who_is_called_and_when_it_stops(tmp_path: Path) -> None:
    some = [line for line in crisis() if json.loads(line)["published_at"] < "2026-03-02T10:00"]
    with hooks("team", "pager", "boss") as made:
        receivers = [
            {"name": name, "type": "webhook", "secret": SECRET, "allow_private": True,
             "url": f"http://127.0.0.1:{hook.server.server_address[1]}/"}
            for name, hook in made.items()
        ]  # fmt: skip
        steps = [
            {"after_min": 0, "receivers": ["pager"], "schedule": "team"},
            {"after_min": 60, "receivers": ["boss"]},
        ]
        turns = {"people": ["amal"], "first": "2026-01-01"}
        write_config(
            tmp_path,
            receivers=receivers,
            schedules=[{"name": "team", "rotation": turns}],
            escalation={"chains": [{"name": "page", "steps": steps}]},
        )
        with Running(tmp_path, write_lines(tmp_path / "m.jsonl", some)) as process:
            (secret,) = eventually(
                lambda: re.findall(r"^nadhir_[\w-]{43}$", "".join(process.log), re.M)
            )
            headers = {"authorization": f"Bearer {secret}"}
            eventually(lambda: "escalated" in made["pager"].whys())
            eventually(lambda: "opened" in made["team"].whys())
            (alert,) = process.http.get("/v1/alerts", headers=headers).json()["alerts"]
            answer = process.http.post(
                f"/v1/alerts/{alert['id']}/acknowledge",
                json={},
                headers=headers | {"if-match": f'"{alert["version"]}"'},
            )
            assert answer.status_code == 200
            for name in ("team", "pager"):
                eventually(lambda name=name: made[name].whys()[-1] == "acknowledged")
            assert process.stop() == 0, "".join(process.log)
        with Running(tmp_path) as process:  # goes on without calling anybody again
            eventually(lambda: process.http.get("/health/ready").status_code == 200)
            assert process.stop() == 0
        assert made["pager"].whys()[0] == "escalated"
        assert made["pager"].got[0]["data"]["to"] == ["amal"]
        assert made["boss"].got == []  # whose turn never came hears nothing
