"""Silences in the database."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from alerts.silences import Silence
from alerts.store.tables import silences


def current(connection: Connection, now_ms: int) -> list[Silence]:
    """Silences that are not over, by id."""
    query = select(silences.c.body).where(silences.c.ends_ms > now_ms).order_by(silences.c.id)
    return [msgspec.json.decode(body, type=Silence) for (body,) in connection.execute(query)]


def every(connection: Connection, limit: int) -> list[tuple[Silence, int]]:
    """All silences with their versions, the one that lasts longest first."""
    query = select(silences.c.body, silences.c.version)
    query = query.order_by(silences.c.ends_ms.desc(), silences.c.id).limit(limit)
    return [
        (msgspec.json.decode(row.body, type=Silence), row.version)
        for row in connection.execute(query)
    ]


def find(connection: Connection, id_: str, *, lock: bool = False) -> tuple[Silence, int] | None:
    """One silence with its version."""
    query = select(silences.c.body, silences.c.version).where(silences.c.id == id_)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else (msgspec.json.decode(row.body, type=Silence), row.version)


def insert(connection: Connection, silence: Silence) -> None:
    """Add a silence at version 1."""
    values = {"id": silence.id, "version": 1, "ends_ms": silence.last_ms}
    connection.execute(silences.insert().values(**values, body=msgspec.json.encode(silence)))


def update(connection: Connection, silence: Silence, version: int) -> None:
    """Replace a locked silence."""
    values = {"version": version, "ends_ms": silence.last_ms, "body": msgspec.json.encode(silence)}
    connection.execute(silences.update().where(silences.c.id == silence.id).values(**values))
