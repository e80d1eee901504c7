"""Due times of escalations: stored, so that a restart neither forgets nor repeats a step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec
from sqlalchemy import Connection, select

from alerts.store.tables import escalations


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A step that waits for its time; ``body`` is what `alerts.escalation` needs to take it.

    ``key`` is derived from alert, chain, step and round: storing it twice does nothing.
    """

    key: str
    alert: str
    chain: str
    due_ms: int
    body: bytes


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step and what became of it: ``waiting``, ``done``, ``superseded`` or ``cancelled``."""

    key: str
    chain: str
    due_ms: int
    status: str


def plan(connection: Connection, steps: Iterable[Due]) -> None:
    """Store steps that are not known yet; call it with their alert locked."""
    for step in steps:
        known = select(escalations.c.key).where(escalations.c.key == step.key)
        if connection.execute(known).first() is None:
            values = msgspec.structs.asdict(step) | {"status": "waiting"}
            connection.execute(escalations.insert().values(**values))


def due(connection: Connection, now_ms: int, limit: int) -> list[Due]:
    """Steps whose time has come, in order; `take` each with its alert locked."""
    waiting = (escalations.c.status == "waiting") & (escalations.c.due_ms <= now_ms)
    columns = [escalations.c[name] for name in Due.__struct_fields__]
    query = select(*columns).where(waiting).order_by(escalations.c.due_ms, escalations.c.key)
    return [Due(**row._mapping) for row in connection.execute(query.limit(limit))]


def due_of(connection: Connection, alert: str, now_ms: int) -> list[Due]:
    """All steps of a locked alert whose time has come, in order."""
    waiting = (escalations.c.status == "waiting") & (escalations.c.due_ms <= now_ms)
    columns = [escalations.c[name] for name in Due.__struct_fields__]
    query = select(*columns).where(waiting, escalations.c.alert == alert)
    query = query.order_by(escalations.c.due_ms, escalations.c.key)
    return [Due(**row._mapping) for row in connection.execute(query)]


def of_alert(connection: Connection, alert: str) -> list[Step]:
    """All steps of an alert that there ever were, in order."""
    columns = [escalations.c[name] for name in Step.__struct_fields__]
    query = select(*columns).where(escalations.c.alert == alert)
    query = query.order_by(escalations.c.due_ms, escalations.c.key)
    return [Step(**row._mapping) for row in connection.execute(query)]


def take(connection: Connection, key: str, outcome: Literal["done", "superseded"] = "done") -> bool:
    """Give a step its outcome; False if somebody took or cancelled it meanwhile."""
    here = (escalations.c.key == key) & (escalations.c.status == "waiting")
    return bool(
        connection.execute(escalations.update().where(here).values(status=outcome)).rowcount
    )


def postpone(connection: Connection, alert: str, now_ms: int, until_ms: int) -> None:
    """Let the steps of a locked alert whose time has come be due later."""
    waiting = (escalations.c.status == "waiting") & (escalations.c.due_ms <= now_ms)
    here = waiting & (escalations.c.alert == alert)
    connection.execute(escalations.update().where(here).values(due_ms=until_ms))


def running(connection: Connection, alert: str) -> str | None:
    """The chain of which steps still wait for an alert."""
    here = (escalations.c.alert == alert) & (escalations.c.status == "waiting")
    found: str | None = connection.execute(select(escalations.c.chain).where(here)).scalar()
    return found


def cancel(connection: Connection, alert: str) -> int:
    """Stop what waits for an alert; how many steps."""
    here = (escalations.c.alert == alert) & (escalations.c.status == "waiting")
    return int(
        connection.execute(escalations.update().where(here).values(status="cancelled")).rowcount
    )
