"""Alerts as fusion publishes them over time, and a desk over a database, for the tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

import alerts.texts
from alerts.records import Alert, Event, Happened
from alerts.service import Desk, Policy
from alerts.store.database import Database
from alerts.texts import load_phrases
from tests.alerts.build import MINUTE, START, signal, stage

RESPONSE = load_phrases(Path(alerts.texts.__file__).with_name("response.yaml"))
RECEIVERS = ("mail", "pager")
NOW = START + 90 * MINUTE


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now_ms: int = NOW) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


def desk(database: Database, clock: Clock | None = None, **more: Any) -> Desk:
    """A desk that tells two receivers."""
    policy = Policy(receivers=RECEIVERS, cooldown_ms=120 * MINUTE)
    given = {"policy": policy, "public_url": "https://nadhir.example"} | more
    return Desk(database, clock or Clock(), RESPONSE, **given)


@cache
def first() -> Alert:
    """An alert that has just opened."""
    (news,) = stage().handle([signal(observed=24, total=52)]).news
    return news


def later(alert: Alert, *events: Happened, **changes: Any) -> Alert:
    """The same alert after more news."""
    given = {"state": "resolved" if events[-1] == "resolved" else "open", **changes}
    changed = msgspec.structs.replace(alert, **given)
    news = tuple(
        Event(
            at=alert.updated_at,
            event=event,
            severity=changed.severity,
            score=changed.score,
            type=changed.type,
        )
        for event in events
    )
    return msgspec.structs.replace(changed, timeline=(*alert.timeline, *news))


def copies(count: int, **changes: Any) -> list[Alert]:
    """Alerts of many crises."""
    one = msgspec.structs.replace(first(), **changes)
    return [msgspec.structs.replace(one, id=f"a-{number:016x}") for number in range(count)]
