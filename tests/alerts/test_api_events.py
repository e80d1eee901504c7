"""Live updates over a real server: in order, resumable, and over when the token is."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerts.api import feed as feeding
from alerts.api.feed import Feed
from alerts.api.routes import events
from alerts.store.database import Database
from alerts.store.errors import DatabaseUnavailable
from tests.alerts.calling import Api
from tests.alerts.responding import NOW, copies, first
from tests.alerts.serving import serving
from tests.running import eventually

ID = first().id


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with closing(Database(tmp_path / "response.db")) as database:
        yield Api(database)


class Listener:
    """Listens in a thread of its own, to its end."""

    def __init__(self, url: str, secret: str, **headers: str) -> None:
        self.heard: list[dict[str, Any]] = []
        self.status = 0
        self._at = f"{url}/v1/events"
        self._headers = {"authorization": f"Bearer {secret}", **headers}
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        with httpx.stream("GET", self._at, headers=self._headers, timeout=60) as answer:
            self.status = answer.status_code
            event: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                elif "id" in event:
                    entry = json.loads(event["data"])
                    assert (str(entry["seq"]), entry["action"]) == (event["id"], event["event"])
                    self.heard.append(entry)
                    event = {}


def test_listeners_hear_everything_in_order(api: Api) -> None:
    desk = api.desk
    desk.take(first())
    before = desk.last_seq()
    with serving(api.app) as url:
        listeners = [Listener(url, api.secrets["viewer"]) for _ in range(3)]
        eventually(lambda: all(one.status == 200 for one in listeners))
        late = Listener(url, api.secrets["viewer"], **{"last-event-id": "0"})
        eventually(lambda: len(late.heard) == before)
        # whoever has just been answered may not have been given its first number yet
        eventually(lambda: desk.act("amal", ID, "acknowledge", version=None, reason="", once=None))
        for alert in copies(5):
            desk.take(alert)
        eventually(
            lambda: all(one.heard and one.heard[-1]["seq"] == before + 6 for one in listeners)
        )
    for one in [*listeners, late]:
        one.thread.join(20)
        seqs = [entry["seq"] for entry in one.heard]
        assert seqs == list(range(seqs[0], before + 7)), "no gap, nothing twice, in order"
    assert late.heard[0]["seq"] == 1
    assert late.heard[before]["details"]["state"] == "acknowledged"


def test_listeners_that_come_at_once_hear_nothing_twice(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, feed, together = api.desk, Feed(api.desk), threading.Event()
    seq = desk.last_seq

    def slow() -> int:
        together.wait(0.3)  # so long that everybody has asked
        return seq()

    monkeypatch.setattr(desk, "last_seq", slow)
    last = seq() + 5

    async def listen() -> list[int]:
        heard: list[int] = []
        async for entry in feed.follow(0, 0.5, "amal"):
            if entry is not None:
                heard.append(entry.seq)
            elif last in heard:
                break  # nothing came after it
        return heard

    async def all_of_them() -> list[list[int]]:
        asked = [asyncio.create_task(listen()) for _ in range(3)]
        await asyncio.sleep(1)  # every one of them listens
        for alert in copies(5):
            await asyncio.to_thread(desk.take, alert)
        found = await asyncio.gather(*asked)
        feed.stop()
        return found

    assert asyncio.run(all_of_them()) == [list(range(1, last + 1))] * 3


def test_who_comes_back_goes_on_where_it_was(api: Api) -> None:
    for alert in copies(4):
        api.desk.take(alert)
    with serving(api.app) as url:
        again = Listener(url, api.secrets["viewer"], **{"last-event-id": "5"})
        eventually(lambda: [entry["seq"] for entry in again.heard] == [6, 7])


def test_who_heard_more_than_a_restored_database_has_hears_what_comes(api: Api) -> None:
    with serving(api.app) as url:
        again = Listener(url, api.secrets["viewer"], **{"last-event-id": "5000"})
        eventually(lambda: again.status == 200)
        for alert in copies(4):
            api.desk.take(alert)
        eventually(lambda: len(again.heard) >= 4)


def test_a_stream_ends_with_its_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PAUSE_S", 0.5)
    secret = api.desk.tokens.create("guest", "viewer", by="test", now_ms=NOW)
    with serving(api.app) as url:
        guest = Listener(url, secret)
        eventually(lambda: guest.status == 200)
        api.desk.tokens.revoke("guest", by="test", now_ms=NOW)
        guest.thread.join(20)
        assert not guest.thread.is_alive()


def test_a_stream_ends_with_its_token_also_while_much_happens(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PAUSE_S", 1.5)
    secret = api.desk.tokens.create("guest", "viewer", by="test", now_ms=NOW)
    with serving(api.app) as url:
        guest = Listener(url, secret)
        eventually(lambda: guest.status == 200)
        api.desk.tokens.revoke("guest", by="test", now_ms=NOW)
        for alert in copies(40):
            api.desk.take(alert)
            guest.thread.join(0.2)
        assert not guest.thread.is_alive()
        assert len(guest.heard) < 40


def test_listeners_outlive_a_database_that_was_away(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "_RETRY_S", 0.05)
    whole, failed = api.desk.audit, threading.Event()

    def away(**asked: Any) -> Any:
        failed.set()
        raise DatabaseUnavailable("away")

    with serving(api.app) as url:
        one = Listener(url, api.secrets["viewer"])
        eventually(lambda: one.status == 200)
        monkeypatch.setattr(api.desk, "audit", away)
        assert failed.wait(20)
        monkeypatch.setattr(api.desk, "audit", whole)
        api.desk.take(first())
        eventually(lambda: [entry["alert"] for entry in one.heard][-1:] == [ID], 20)


def test_one_token_cannot_hold_all_places(api: Api) -> None:
    api.app.state.parts.feed._most_each = 2
    with serving(api.app) as url:
        mine = [Listener(url, api.secrets["viewer"]) for _ in range(2)]
        eventually(lambda: all(one.status == 200 for one in mine))
        feed = api.app.state.parts.feed
        eventually(lambda: feed.has_enough("viewer"))
        third = Listener(url, api.secrets["viewer"])
        third.thread.join(20)
        assert third.status == 429
        other = Listener(url, api.secrets["responder"])
        eventually(lambda: other.status == 200)
    for one in (*mine, other):
        one.thread.join(20)
    eventually(lambda: not feed.has_enough("viewer"))


def test_too_many_listeners_are_told(api: Api) -> None:
    api.app.state.parts.feed._most = 0
    with api.client("viewer") as viewer:
        answer = viewer.get("/v1/events")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert viewer.get("/v1/events", params={"after": "x"}).status_code == 422
