"""What retention finds to do, some rows at a time: each call is a short transaction's work."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, select, tuple_

from alerts.records import Alert
from alerts.store.tables import (
    alerts,
    comments,
    escalations,
    gone,
    idempotency,
    listings,
    messages,
    notifications,
    outbox,
    silences,
    used_links,
    verdicts,
)

_OF_ALERT = (comments, escalations, messages, notifications, verdicts)


def overwrite(connection: Connection) -> None:
    """Have SQLite write zeros over what is deleted; PostgreSQL reuses the space in its time."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def old(connection: Connection, before_ms: int, most: int, *, bare: bool | None) -> list[str]:
    """Resolved alerts to which nothing happened since a moment, locked; ``bare`` are stripped."""
    query = select(alerts.c.id).where(alerts.c.state == "resolved", alerts.c.updated_ms < before_ms)
    if bare is not None:
        query = query.where(alerts.c.bare.is_(bare))
    query = query.order_by(alerts.c.id).limit(most).with_for_update()
    return [id_ for (id_,) in connection.execute(query)]


def strip(connection: Connection, id_: str, version: int, alert: Alert) -> None:
    """Put an alert in its own place without evidence, with messages and notifications gone."""
    values = {
        "version": version,
        "bare": True,
        "title_ar": alert.title.ar,
        "title_en": alert.title.en,
        "body": msgspec.json.encode(alert),
    }
    connection.execute(alerts.update().where(alerts.c.id == id_).values(**values))
    for table in (messages, notifications):
        connection.execute(table.delete().where(table.c.alert == id_))


def drop(connection: Connection, ids: list[str]) -> None:
    """Drop alerts with all that hangs on them; their ids stay."""
    for table in _OF_ALERT:
        connection.execute(table.delete().where(table.c.alert.in_(ids)))
    connection.execute(gone.delete().where(gone.c.id.in_(ids)))  # it had come back
    kept = select(alerts.c.id, alerts.c.news).where(alerts.c.id.in_(ids))
    connection.execute(gone.insert().from_select(["id", "news"], kept))
    connection.execute(alerts.delete().where(alerts.c.id.in_(ids)))


def news_gone(connection: Connection, id_: str) -> int:
    """How many entries of its timeline an alert had when retention dropped it; 0 if it did not."""
    found = connection.execute(select(gone.c.news).where(gone.c.id == id_)).scalar()
    return 0 if found is None else int(found)


def forget_notifications(connection: Connection, before_ms: int, most: int) -> int:
    """Drop notifications whose outcome is older, of alerts that are resolved."""
    over = select(alerts.c.id).where(alerts.c.state == "resolved")
    old_ = (
        (notifications.c.outcome_ms < before_ms)
        & (notifications.c.status != "queued")
        & notifications.c.alert.in_(over)
    )
    return _delete(connection, notifications, old_, most)


def forget_judgements(connection: Connection, before_ms: int, most: int) -> int:
    """Drop entries of lists that were taken away before a moment."""
    return _delete(connection, listings, listings.c.removed_ms < before_ms, most)


def forget_silences(connection: Connection, before_ms: int, most: int) -> int:
    """Drop silences that were over before a moment."""
    return _delete(connection, silences, silences.c.ends_ms < before_ms, most)


def forget_keys(connection: Connection, before_ms: int, most: int) -> int:
    """Drop idempotency keys of before a moment."""
    return _delete(connection, idempotency, idempotency.c.at_ms < before_ms, most)


def forget_links(connection: Connection, before_ms: int, most: int) -> int:
    """Drop what says that links were used, of before a moment."""
    return _delete(connection, used_links, used_links.c.at_ms < before_ms, most)


def forget_outbox(connection: Connection, before_ms: int, most: int) -> int:
    """Drop what nobody published for so long: Kafka was given up."""
    return _delete(connection, outbox, outbox.c.at_ms < before_ms, most)


def _delete(connection: Connection, table: Table, old_: ColumnElement[Any], most: int) -> int:
    columns = list(table.primary_key.columns)
    key = columns[0] if len(columns) == 1 else tuple_(*columns)
    some = select(*columns).where(old_).limit(most)
    return int(connection.execute(table.delete().where(key.in_(some))).rowcount)
