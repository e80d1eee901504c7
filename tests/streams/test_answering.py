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

from alerts.notify.channels.webhook import signature
from tests.running import Running, crisis, eventually, write_config, write_lines

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
