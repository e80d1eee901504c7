"""Messages in the database: those that somebody touched; the others follow from their alert.

Whoever changes one holds the lock of its alert.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from alerts.messages import OutgoingMessage
from alerts.store.tables import messages


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its version."""

    name: str
    version: int
    message: OutgoingMessage


def of_alert(connection: Connection, alert: str) -> dict[str, Held]:
    """Stored messages of an alert by name."""
    query = select(messages).where(messages.c.alert == alert).order_by(messages.c.name)
    return {
        row.name: Held(
            name=row.name,
            version=row.version,
            message=msgspec.json.decode(row.body, type=OutgoingMessage),
        )
        for row in connection.execute(query)
    }


def insert(connection: Connection, held: Held) -> None:
    """Keep a message that was touched for the first time."""
    values = {"alert": held.message.alert, "name": held.name, **_values(held)}
    connection.execute(messages.insert().values(**values))


def update(connection: Connection, held: Held) -> None:
    """Replace a stored message."""
    here = (messages.c.alert == held.message.alert) & (messages.c.name == held.name)
    connection.execute(messages.update().where(here).values(**_values(held)))


def _values(held: Held) -> dict[str, object]:
    body = msgspec.json.encode(held.message)
    return {"version": held.version, "state": held.message.state, "body": body}
