"""The outbox of notifications: stored in the transaction that caused them, sent later.

Statuses: ``queued``, ``sent``, ``dead`` (given up, can be replayed), ``dropped`` (a stage said
why), ``cancelled`` (somebody acknowledged first).  A claim is a lease: it moves the due time, so a
dispatcher that dies leaves its notifications to the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, func, select

from alerts.lifecycle import PAGING
from alerts.notify.queue import Queued
from alerts.notify.records import Notification
from alerts.store.database import Database
from alerts.store.tables import alerts, notifications

Status = Literal["queued", "sent", "dead", "dropped", "cancelled"]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A notification and what became of it: the answer to "why was I not told?"."""

    id: int
    key: str
    alert: str
    receiver: str
    why: str
    status: str
    attempts: int
    first_ms: int
    due_ms: int
    outcome_ms: int | None
    stage: str | None
    detail: str | None


def enqueue(connection: Connection, made: Iterable[Notification], now_ms: int) -> None:
    """Store notifications that are due now, in the caller's transaction."""
    for one in made:
        connection.execute(
            notifications.insert().values(
                key=one.key,
                receiver=one.receiver,
                why=one.why,
                alert=one.alert.id,
                paging=one.why in PAGING,
                status="queued",
                attempts=0,
                first_ms=now_ms,
                due_ms=now_ms,
                body=msgspec.json.encode(one),
            )
        )


def cancel_paging(
    connection: Connection, alert: str, now_ms: int, reason: str, also: Sequence[str] = ()
) -> int:
    """Cancel what still waits and asks somebody to come, or has a reason of ``also``; how many."""
    waiting = (
        (notifications.c.alert == alert)
        & (notifications.c.status == "queued")
        & (notifications.c.paging.is_(True) | notifications.c.why.in_(also))
    )
    done = connection.execute(
        notifications.update()
        .where(waiting)
        .values(status="cancelled", outcome_ms=now_ms, detail=reason)
    )
    return int(done.rowcount)


def was_told(connection: Connection, alert: str, receiver: str) -> bool:
    """Whether a receiver was told of an alert, or may have been, or will be.

    One that was claimed before it was cancelled may be on its way, or have arrived unanswered.
    """
    here = (
        (notifications.c.alert == alert)
        & (notifications.c.receiver == receiver)
        & ((notifications.c.status != "cancelled") | (notifications.c.attempts > 0))
    )
    return connection.execute(select(notifications.c.id).where(here).limit(1)).first() is not None


def was_sent(connection: Connection, alert: str, receiver: str) -> bool:
    """Whether a receiver took anything about an alert."""
    here = (
        (notifications.c.alert == alert)
        & (notifications.c.receiver == receiver)
        & (notifications.c.status == "sent")
    )
    return connection.execute(select(notifications.c.id).where(here).limit(1)).first() is not None


def told(connection: Connection, alert: str) -> list[Told]:
    """Notifications of an alert, in order."""
    columns = [notifications.c[name] for name in Told.__struct_fields__]
    query = select(*columns).where(notifications.c.alert == alert).order_by(notifications.c.id)
    return [Told(**row._mapping) for row in connection.execute(query)]


def page(
    connection: Connection,
    *,
    status: Status | None,
    receiver: str | None,
    before: int | None,
    limit: int,
) -> list[Told]:
    """Notifications of all alerts numbered below ``before``, the newest first."""
    columns = [notifications.c[name] for name in Told.__struct_fields__]
    query = select(*columns).order_by(notifications.c.id.desc()).limit(limit)
    for column, wanted in ((notifications.c.status, status), (notifications.c.receiver, receiver)):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(notifications.c.id < before)
    return [Told(**row._mapping) for row in connection.execute(query)]


def replay(connection: Connection, now_ms: int, receiver: str | None = None) -> tuple[int, int]:
    """Queue dead letters again, of one receiver or all; how many, and how many were cancelled.

    One that asks somebody to come is cancelled where somebody came meanwhile.
    """
    dead = notifications.c.status == "dead"
    if receiver is not None:
        dead &= notifications.c.receiver == receiver
    mine = select(notifications.c.alert).where(dead)
    # in the order of every writer: first the alert, so that nobody acknowledges between the two
    taken = select(alerts.c.id).where(alerts.c.id.in_(mine), alerts.c.state != "open")
    lock = select(alerts.c.id).where(alerts.c.id.in_(mine)).order_by(alerts.c.id)
    connection.execute(lock.with_for_update()).all()
    over = dead & notifications.c.paging.is_(True) & notifications.c.alert.in_(taken)
    reason = "somebody came before it was sent again"
    gone = {"status": "cancelled", "outcome_ms": now_ms, "detail": reason}
    again = {"status": "queued", "due_ms": now_ms, "attempts": 0, "outcome_ms": None}
    cancelled = connection.execute(notifications.update().where(over).values(gone)).rowcount
    queued = connection.execute(notifications.update().where(dead).values(again)).rowcount
    return int(queued), int(cancelled)


def each(connection: Connection, some: int) -> Iterator[tuple[int, Notification]]:
    """Every notification with its number, some at a time."""
    query = select(notifications.c.id, notifications.c.body).order_by(notifications.c.id)
    after = 0
    while found := connection.execute(query.where(notifications.c.id > after).limit(some)).all():
        for row in found:
            yield row.id, msgspec.json.decode(row.body, type=Notification)
        after = found[-1].id


def rewrite(connection: Connection, id_: int, told: Notification) -> None:
    """Replace what a notification says; whether it was sent stays."""
    here = notifications.c.id == id_
    body = msgspec.json.encode(told)
    connection.execute(notifications.update().where(here).values(body=body))


def counts(connection: Connection, statuses: Sequence[Status]) -> list[tuple[str, str, int]]:
    """Number of notifications of some statuses by receiver and status."""
    columns = (notifications.c.receiver, notifications.c.status)
    query = select(*columns, func.count()).where(notifications.c.status.in_(statuses))
    query = query.group_by(*columns)
    return [(receiver, status, int(n)) for receiver, status, n in connection.execute(query)]


class StoredQueue:
    """The `alerts.notify.queue.Queue` over a response database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, now_ms: int, limit: int, lease_ms: int) -> list[Queued]:
        """Take due ones, oldest first; nobody else gets them until the lease runs out."""
        due = (notifications.c.status == "queued") & (notifications.c.due_ms <= now_ms)
        query = select(
            notifications.c.id,
            notifications.c.body,
            notifications.c.attempts,
            notifications.c.first_ms,
        )
        query = query.where(due).order_by(notifications.c.due_ms, notifications.c.id).limit(limit)
        with self._database.write() as connection:
            found = connection.execute(query.with_for_update(skip_locked=True)).all()
            if found:
                mine = notifications.c.id.in_([row.id for row in found])
                leased = {"due_ms": now_ms + lease_ms, "attempts": notifications.c.attempts + 1}
                connection.execute(notifications.update().where(mine).values(leased))
        return [
            Queued(
                id=row.id,
                notification=msgspec.json.decode(row.body, type=Notification),
                attempts=row.attempts,
                first_at_ms=row.first_ms,
            )
            for row in found
        ]

    def waiting(self, until_ms: int | None = None) -> int:
        """How many wait to be sent; of those due by a moment, if one is given."""
        here = notifications.c.status == "queued"
        if until_ms is not None:
            here &= notifications.c.due_ms <= until_ms
        query = select(func.count()).select_from(notifications).where(here)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def sent(self, id: int, now_ms: int, detail: str) -> None:  # noqa: A002
        """Record that the receiver took it, even if it was cancelled meanwhile."""
        self._record(id, ("queued", "cancelled"), status="sent", outcome_ms=now_ms, detail=detail)

    def retry(self, id: int, due_ms: int, reason: str) -> None:  # noqa: A002
        """Try again at ``due_ms``."""
        self._record(id, ("queued",), due_ms=due_ms, detail=reason)

    def delay(self, id: int, due_ms: int, reason: str) -> None:  # noqa: A002
        """Look at it again at ``due_ms``; being claimed was no attempt."""
        before = notifications.c.attempts - 1
        self._record(id, ("queued",), due_ms=due_ms, detail=reason, attempts=before)

    def dead(self, id: int, now_ms: int, reason: str) -> None:  # noqa: A002
        """Give up."""
        self._record(id, ("queued",), status="dead", outcome_ms=now_ms, detail=reason)

    def dropped(self, id: int, now_ms: int, stage: str, reason: str) -> None:  # noqa: A002
        """Record the stage that dropped it."""
        values = {"status": "dropped", "outcome_ms": now_ms, "stage": stage, "detail": reason}
        self._record(id, ("queued",), **values)

    def wanted(self, id: int) -> bool:  # noqa: A002
        """Whether it still waits."""
        query = select(notifications.c.status).where(notifications.c.id == id)
        with self._database.read() as connection:
            return connection.execute(query).scalar() == "queued"

    def replay(self, now_ms: int, receiver: str | None = None) -> int:
        """Queue dead letters again, of one receiver or all; how many."""
        with self._database.write() as connection:
            return replay(connection, now_ms, receiver)[0]

    def _record(self, id_: int, from_: tuple[str, ...], **values: Any) -> None:
        here = (notifications.c.id == id_) & notifications.c.status.in_(from_)
        with self._database.write() as connection:
            connection.execute(notifications.update().where(here).values(**values))
