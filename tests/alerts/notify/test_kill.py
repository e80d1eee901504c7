"""The dispatcher is killed (`kill -9`) at random moments; receivers fail, hang and lag."""

from __future__ import annotations

import json
import multiprocessing
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx
import pytest

from alerts.notify.channels.webhook import signature
from alerts.notify.records import Notification
from tests.alerts.notify import sqlite_queue
from tests.alerts.notify.build import FakeReceiver, Received, alert_of, answer, told
from tests.alerts.notify.sqlite_queue import SqliteQueue
from tests.running import eventually

KILLS, ALERTS = 30, 500
SEED = 20_261_122
BARRIER = "/barrier"


class Flaky:
    """A receiver that fails, hangs or answers slowly, and knows which events it took.

    Attributes
    ----------
    taken : dict of str to list of bytes
        Bodies it answered 200 to, by key.
    arrived : list of str
        Every key that reached it, whatever it answered.
    """

    def __init__(self, seed: int, *, fails: float, hangs: float, lag_s: float) -> None:
        self._draw = random.Random(seed)
        self._fails, self._hangs, self._lag_s = fails, hangs, lag_s
        self.taken: dict[str, list[bytes]] = defaultdict(list)
        self.arrived: list[str] = []
        self.wrong: list[str] = []
        self.http = FakeReceiver(self._behave)

    def _behave(self, handler: BaseHTTPRequestHandler, got: Received) -> None:
        if got.path == BARRIER:
            answer(200)(handler, got)
            return
        if len(got.body) < int(got.headers["content-length"]):
            return  # its sender was killed meanwhile
        event = json.loads(got.body)
        self.arrived.append(event["id"])
        self._check(got)
        luck = self._draw.random()
        if luck < self._hangs:
            self.http.released.wait(5 * sqlite_queue.TIMEOUT_S)
            return
        if luck < self._hangs + self._fails:
            answer(503)(handler, got)
            return
        time.sleep(self._lag_s * self._draw.random())
        self.taken[event["id"]].append(got.body)  # before: whoever hears 200 finds it taken
        try:
            answer(200)(handler, got)
        except OSError:
            return  # its sender was killed meanwhile

    def _check(self, got: Received) -> None:
        at = int(got.headers["webhook-timestamp"])
        if got.headers["webhook-signature"] != signature(
            "s3cret", got.headers["webhook-id"], at, got.body
        ):
            self.wrong.append(got.headers["webhook-id"])

    def settle(self) -> None:
        """Wait until everything that was sent to it has been read.

        Connections are accepted in their order, so what came before the barrier is counted.
        """
        httpx.post(self.http.url + BARRIER)
        eventually(lambda: self.http.reading == 0)


@pytest.fixture
def receivers() -> Iterator[dict[str, Flaky]]:
    first = Flaky(1, fails=0.2, hangs=0.02, lag_s=0.0)
    second = Flaky(2, fails=0.02, hangs=0.005, lag_s=0.02)
    with first.http, second.http:
        yield {"flaky": first, "slow": second}


def start(path: Path, receivers: dict[str, Flaky], seed: int) -> ForkServerProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([sqlite_queue.__name__])
    urls = {name: each.http.url for name, each in receivers.items()}
    process = context.Process(
        target=sqlite_queue.dispatch, args=(str(path), urls, seed), daemon=True
    )
    process.start()
    return process


def kill(process: ForkServerProcess) -> None:
    process.kill()
    process.join(20)
    assert process.exitcode == -9


def notifications(numbers: range) -> list[Notification]:
    return [
        told(alert=alert_of(number), receiver=name)
        for number in numbers
        for name in ("flaky", "slow")
    ]


def test_killed_at_random_moments(tmp_path: Path, receivers: dict[str, Flaky]) -> None:
    draw, path = random.Random(SEED), tmp_path / "queue.db"
    queue = SqliteQueue(path)
    acknowledged: dict[str, dict[str, int]] = {}
    portion = -(-ALERTS // KILLS)
    for turn in range(KILLS):
        queue.put(*notifications(range(turn * portion, min(ALERTS, (turn + 1) * portion))))
        process = start(path, receivers, turn)
        time.sleep(draw.uniform(0.0, 0.4))
        kill(process)
        for each in receivers.values():
            each.settle()
        # people acknowledge while nobody runs: from here on nothing may page for these alerts
        for alert in draw.sample(queue.waiting(), min(2, len(queue.waiting()))):
            queue.cancel(alert)
            acknowledged[alert] = {n: len(each.arrived) for n, each in receivers.items()}
            number = int(alert.rpartition("-")[2])
            queue.put(
                *(told("acknowledged", alert_of(number), receiver=n, version=2) for n in receivers)
            )
    assert queue.statuses()["queued"], "it was killed at its work"
    process = start(path, receivers, KILLS)
    eventually(lambda: not queue.statuses().get("queued"), 120)
    kill(process)
    for each in receivers.values():
        each.settle()

    assert set(queue.statuses()) == {"sent", "cancelled"}, "nothing is lost or given up"
    assert len(acknowledged) > KILLS
    for name, each in receivers.items():
        check(name, each, acknowledged)
    queue.close()


def check(name: str, receiver: Flaky, acknowledged: dict[str, dict[str, int]]) -> None:
    """Every alert arrived; twice only with the same key and content; none after its end."""
    assert receiver.wrong == []
    for number in range(ALERTS):
        alert = alert_of(number)
        page = told(alert=alert, receiver=name).key
        if alert.id in acknowledged:
            news = told("acknowledged", alert, receiver=name, version=2).key
            assert receiver.taken[news], "that it was acknowledged is told"
            assert page not in receiver.arrived[acknowledged[alert.id][name] :]
        else:
            assert receiver.taken[page], alert.id
    twice = {key: bodies for key, bodies in receiver.taken.items() if len(bodies) > 1}
    assert all(len(set(bodies)) == 1 for bodies in twice.values())
    assert all(key.count(":") == 3 for key in receiver.taken)
    assert len(receiver.arrived) > len(receiver.taken), "it did fail, and was tried again"
