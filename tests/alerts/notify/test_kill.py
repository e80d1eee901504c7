"""The dispatcher is killed (`kill -9`) at random moments; receivers fail, hang and lag."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import msgspec
import pytest

from alerts.notify.channels.webhook import signature
from alerts.notify.dispatcher import Pace
from alerts.notify.records import Notification
from alerts.store.database import Database
from tests.alerts.notify import dispatching
from tests.alerts.notify.build import FakeReceiver, Received, alert_of, answer, told
from tests.alerts.notify.dispatching import Notifications
from tests.running import ROOT, environment, eventually

KILLS, ALERTS = 30, 500
SHORT = Pace(poll_ms=20, lease_ms=500, sending_ms=320, batch=20)
LONG = Pace(poll_ms=20, lease_ms=60_000, sending_ms=320, batch=20)
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
            self.http.released.wait(5 * dispatching.TIMEOUT_S)
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


class Nursery:
    """Dispatchers, one after the other, each of which is killed."""

    def __init__(self, place: Path | str, receivers: dict[str, Flaky]) -> None:
        self._place, self._receivers, self._number = place, receivers, 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", dispatching.__name__], env=environment(), cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def start(self, pace: Pace) -> None:
        self._number += 1
        urls = {name: each.http.url for name, each in self._receivers.items()}
        order = [str(self._place), urls, self._number, msgspec.to_builtins(pace)]
        self._child = int(self._ask(json.dumps(order)))

    def kill(self) -> None:
        os.kill(self._child, signal.SIGKILL)
        assert int(self._ask("")) == -signal.SIGKILL
        for each in self._receivers.values():
            each.settle()

    def _ask(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def notifications(numbers: range) -> list[Notification]:
    return [
        told(alert=alert_of(number), receiver=name)
        for number in numbers
        for name in ("flaky", "slow")
    ]


class Office:
    """People who acknowledge; ``most`` is how many pages may be on their way just then."""

    def __init__(
        self, queue: Notifications, receivers: dict[str, Flaky], draw: random.Random
    ) -> None:
        self.done: list[tuple[list[str], dict[str, int], int]] = []
        self._queue, self._receivers, self._draw = queue, receivers, draw

    def acknowledge(self, count: int, *, most: int) -> None:
        waiting = self._queue.waiting()
        alerts = self._draw.sample(waiting, min(count, len(waiting)))
        self._queue.cancel(*alerts)
        arrived = {name: len(each.arrived) for name, each in self._receivers.items()}
        self.done.append((alerts, arrived, most))
        news = [
            told("acknowledged", alert_of(int(alert.rpartition("-")[2])), receiver=name, version=2)
            for alert in alerts
            for name in self._receivers
        ]
        self._queue.put(*news)

    @property
    def alerts(self) -> set[str]:
        return {alert for alerts, *_ in self.done for alert in alerts}


def test_killed_at_random_moments(
    place: Path | str, database: Database, receivers: dict[str, Flaky]
) -> None:
    draw = random.Random(SEED)
    queue = Notifications(database)
    office = Office(queue, receivers, draw)
    portion = -(-ALERTS // KILLS)
    with Nursery(place, receivers) as nursery:
        for turn in range(KILLS):
            queue.put(*notifications(range(turn * portion, min(ALERTS, (turn + 1) * portion))))
            before = arrived(receivers)
            nursery.start(SHORT)
            if turn % 6:  # else while it starts
                eventually(lambda: arrived(receivers) > before, every_s=0.002)  # noqa: B023
            time.sleep(draw.uniform(0.0, 0.12))
            nursery.kill()
            office.acknowledge(2, most=0)  # nobody is at work
        assert queue.statuses()["queued"], "it was killed at its work"
        nursery.start(SHORT)
        eventually(lambda: not queue.statuses().get("queued"), 120)
        nursery.kill()

    assert set(queue.statuses()) == {"sent", "cancelled"}, "nothing is lost or given up"
    assert len(office.alerts) > KILLS
    flaky = receivers["flaky"]
    assert len(flaky.arrived) > len(flaky.taken) + 50, "it did fail, and was tried again"
    for name, each in receivers.items():
        check(name, each, office)


def arrived(receivers: dict[str, Flaky]) -> int:
    return sum(len(each.arrived) for each in receivers.values())


def test_acknowledged_at_work(
    place: Path | str, database: Database, receivers: dict[str, Flaky]
) -> None:
    """Of all that was claimed already, only the page that is on its way still arrives."""
    queue = Notifications(database)
    office = Office(queue, receivers, random.Random(SEED))
    queue.put(*notifications(range(100)))
    with Nursery(place, receivers) as nursery:
        nursery.start(LONG)
        eventually(lambda: all(len(each.arrived) > 3 for each in receivers.values()), every_s=0.001)
        office.acknowledge(100, most=1)  # a receiver is sent one message at a time
        eventually(lambda: not queue.statuses().get("queued"), 120)
        nursery.kill()
    for name, each in receivers.items():
        check(name, each, office, 100)


def check(name: str, receiver: Flaky, office: Office, count: int = ALERTS) -> None:
    """Every alert arrived; twice only with the same key and content; none after its end."""
    assert receiver.wrong == [], "every signature is right"
    for number in range(count):
        alert = alert_of(number)
        if alert.id in office.alerts:
            expected = told("acknowledged", alert, receiver=name, version=2)
        else:
            expected = told("opened", alert, receiver=name)
        assert receiver.taken[expected.key], alert.id
    for alerts, arrived, most in office.done:
        pages = {f"{alert}:1:opened:{name}" for alert in alerts}
        assert sum(key in pages for key in receiver.arrived[arrived[name] :]) <= most
    twice = {key: bodies for key, bodies in receiver.taken.items() if len(bodies) > 1}
    assert all(len(set(bodies)) == 1 for bodies in twice.values()), "the same key, the same event"
