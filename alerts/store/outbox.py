"""States of alerts that are to be published, in the order in which they came about.

Rows are written in the transaction of what they tell, and go when they were published.  One process
at a time publishes: whoever has the turn, which ends by itself if that process does not renew it.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from alerts.store.tables import outbox, turns


class Waiting(NamedTuple):
    """What is to be published; without a body, that the alert is gone."""

    seq: int
    alert: str
    body: bytes | None


def put(connection: Connection, alert: str, body: bytes | None, now_ms: int) -> None:
    """Note what is to be published of a locked alert, in the caller's transaction."""
    connection.execute(outbox.insert().values(alert=alert, at_ms=now_ms, body=body))


def first(connection: Connection, limit: int) -> list[Waiting]:
    """What is to be published next, in order."""
    columns = (outbox.c.seq, outbox.c.alert, outbox.c.body)
    query = select(*columns).order_by(outbox.c.seq).limit(limit)
    return [Waiting(*row) for row in connection.execute(query)]


def published(connection: Connection, seqs: list[int]) -> None:
    """Take out what was published."""
    connection.execute(outbox.delete().where(outbox.c.seq.in_(seqs)))


def take_turn(connection: Connection, name: str, holder: str, now_ms: int, for_ms: int) -> bool:
    """Take a turn, or keep it; False while somebody else has it."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"name": name, "holder": holder, "until_ms": now_ms + for_ms}
    free = or_(turns.c.holder == holder, turns.c.until_ms <= now_ms)
    statement = make(turns).values(**values)
    statement = statement.on_conflict_do_update(
        index_elements=[turns.c.name],
        set_={"holder": holder, "until_ms": now_ms + for_ms},
        where=free,
    )
    return connection.execute(statement.returning(turns.c.name)).first() is not None


def end_turn(connection: Connection, name: str, holder: str) -> None:
    """Let others have the turn at once."""
    connection.execute(
        turns.update().where(turns.c.name == name, turns.c.holder == holder).values(until_ms=0)
    )
