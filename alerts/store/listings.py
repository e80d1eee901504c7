"""Entries of allow and block lists in the database."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, or_, select

from alerts.store.tables import listings
from models.records import Judgement, ListName


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, when it was made, and when it was taken away."""

    id: str
    version: int
    created_ms: int
    removed_ms: int | None
    judgement: Judgement


def insert(connection: Connection, entry: Entry) -> None:
    """Add an entry."""
    one = entry.judgement
    connection.execute(
        listings.insert().values(
            id=entry.id,
            version=entry.version,
            list=one.list,
            brand=one.brand,
            created_ms=entry.created_ms,
            removed_ms=entry.removed_ms,
            body=msgspec.json.encode(one),
        )
    )


def remove(connection: Connection, entry: Entry, now_ms: int) -> Entry:
    """Take a locked entry away; it stays to be read."""
    gone = msgspec.structs.replace(entry, version=entry.version + 1, removed_ms=now_ms)
    values = {"version": gone.version, "removed_ms": now_ms}
    connection.execute(listings.update().where(listings.c.id == entry.id).values(**values))
    return gone


def find(connection: Connection, id_: str, *, lock: bool = False) -> Entry | None:
    """One entry."""
    query = select(listings).where(listings.c.id == id_)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _entry(row)


def page(
    connection: Connection,
    *,
    brand: str | None,
    list_: ListName | None,
    removed: bool,
    before: tuple[int, str] | None,
    limit: int,
) -> list[Entry]:
    """Entries, the newest first, that come after ``before`` (when made, id) in that order."""
    query = select(listings)
    if brand is not None:
        query = query.where(listings.c.brand == brand)
    if list_ is not None:
        query = query.where(listings.c.list == list_)
    if not removed:
        query = query.where(listings.c.removed_ms.is_(None))
    if before is not None:
        created_ms, id_ = before
        same = and_(listings.c.created_ms == created_ms, listings.c.id < id_)
        query = query.where(or_(listings.c.created_ms < created_ms, same))
    query = query.order_by(listings.c.created_ms.desc(), listings.c.id.desc()).limit(limit)
    return [_entry(row) for row in connection.execute(query)]


def current(connection: Connection, brand: str | None = None) -> list[Judgement]:
    """What holds, of one brand or all; an entry whose time is over is among it."""
    query = select(listings.c.body).where(listings.c.removed_ms.is_(None))
    if brand is not None:
        query = query.where(listings.c.brand == brand)
    found = connection.execute(query.order_by(listings.c.created_ms, listings.c.id))
    return [msgspec.json.decode(body, type=Judgement) for (body,) in found]


def count(connection: Connection) -> int:
    """How many hold."""
    query = select(func.count()).select_from(listings).where(listings.c.removed_ms.is_(None))
    return int(connection.execute(query).scalar_one())


def mark(connection: Connection) -> tuple[int, int, int]:
    """What changes whenever an entry is made or taken away."""
    newest = func.coalesce(func.max(listings.c.created_ms), 0)  # retention takes entries away
    query = select(func.count(), func.coalesce(func.sum(listings.c.version), 0), newest)
    found = connection.execute(query.select_from(listings)).one()
    return int(found[0]), int(found[1]), int(found[2])


def _entry(row: Any) -> Entry:
    return Entry(
        id=row.id,
        version=row.version,
        created_ms=row.created_ms,
        removed_ms=row.removed_ms,
        judgement=msgspec.json.decode(row.body, type=Judgement),
    )
