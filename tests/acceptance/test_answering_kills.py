"""`nadhir run` killed thirty times while it tells two bad receivers of five hundred alerts."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alerts.store import audit
from alerts.store.database import Database
from streams.desk import RECEIVER
from streams.store import Store
from tests.alerts.responding import copies
from tests.running import Running, eventually, nadhir, write_config

ALERTS, KILLS, TAKEN = 500, 30, 60
PAGING = ("opened", "raised", "reopened", "escalated")


class Bad:
    """A receiver that now and then refuses, hangs, or is slow; it keeps what it took."""

    def __init__(self, seed: int, slow_s: float) -> None:
        self.taken: list[tuple[int, str, str, str]] = []  # life of the process, alert, why, key
        self.life = 0
        draw, bad = random.Random(seed), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                luck = draw.random()
                time.sleep(2.0 if luck < 0.005 else slow_s)
                if luck < 0.2:
                    self.send_response(503)
                    self.end_headers()
                    return
                events = body if isinstance(body, list) else [body]
                for event in events:
                    data = event["data"]
                    bad.taken.append((bad.life, data["alert"]["id"], data["why"], event["id"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@contextmanager
def listening(*bad: Bad) -> Iterator[None]:
    for each in bad:
        threading.Thread(target=each.server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        for each in bad:
            each.server.shutdown()
            each.server.server_close()


@pytest.mark.soak
def test_thirty_kills_lose_nothing_and_page_nobody_again(tmp_path: Path) -> None:
    draw = random.Random(7)
    receivers = {"flaky": Bad(1, 0.0), "slow": Bad(2, 0.02)}
    write_config(
        tmp_path,
        receivers=[
            {"name": name, "type": "webhook", "secret": "a-secret-of-sixteen",
             "url": f"http://127.0.0.1:{bad.server.server_address[1]}/", "allow_private": True}
            for name, bad in receivers.items()
        ],
    )  # fmt: skip
    made = nadhir("tokens", "create", "amal", "--role", "responder", cwd=tmp_path)
    headers = {"authorization": f"Bearer {made.stdout.decode().strip()}", "if-match": "*"}
    crises = copies(ALERTS)
    with closing(Store(tmp_path / "nadhir-data" / "nadhir.db")) as store, store.step():
        for alert in crises:
            store.post([RECEIVER], alert)
    acknowledged: dict[str, int] = {}  # alert: life of the process in which somebody took it
    ids = [alert.id for alert in crises]
    with listening(*receivers.values()):
        for life in range(KILLS):
            for bad in receivers.values():
                bad.life = life
            with Running(tmp_path) as process:
                time.sleep(draw.uniform(0.0, 2.0))
                for id_ in draw.sample(ids, TAKEN // KILLS):
                    path = f"/v1/alerts/{id_}/acknowledge"
                    answer = process.http.post(path, json={}, headers=headers)
                    if answer.status_code == 200:
                        acknowledged.setdefault(id_, life)
                process.stop(signal.SIGKILL)
        for bad in receivers.values():
            bad.life = KILLS
        with Running(tmp_path) as process:

            def done() -> bool:
                waiting = process.http.get(
                    "/v1/notifications", params={"status": "queued"}, headers=headers
                )
                listed = process.http.get("/v1/alerts", headers=headers).json()["alerts"]
                return bool(listed) and waiting.json()["notifications"] == []

            eventually(done, within_s=900.0, every_s=1.0)
            assert process.stop() == 0
    assert acknowledged
    place = tmp_path / "nadhir-data" / "response.db"
    with closing(Database(place)) as database, database.read() as connection:
        audit.verify(connection)
        known = {entry.alert for entry in audit.entries(connection, limit=100 * ALERTS)}
    assert known >= set(ids)
    for name, bad in receivers.items():
        keys = defaultdict(set)
        for _, alert, why, key in bad.taken:
            keys[alert, why].add(key)
        assert all(len(found) == 1 for found in keys.values()), name
        told = {alert for _, alert, why, _ in bad.taken if why == "opened"}
        # who was acknowledged before the page went out is told of that instead
        assert told >= set(ids) - acknowledged.keys(), name
        assert {a for _, a, why, _ in bad.taken if why == "acknowledged"} >= acknowledged.keys()
        late = [
            (alert, why)
            for life, alert, why, _ in bad.taken
            if why in PAGING and life > acknowledged.get(alert, KILLS)
        ]
        assert late == [], name
