"""Messages of an alert: read, edited, approved, taken back, noted as sent, held to new facts.

A message that nobody touched is not stored: it follows from its alert, and its version is the
number of news that the alert has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from alerts.messages import (
    MessageError,
    OutgoingMessage,
    approve,
    edit,
    prepare,
    refresh,
    send,
    withdraw,
)
from alerts.records import Alert
from alerts.service.errors import Conflict, Invalid, Missing, Stale
from alerts.service.message_records import MessageList, MessageView, name_of, view
from alerts.service.tx import Tx
from alerts.store import drafts, rows
from alerts.store.drafts import Held
from alerts.store.rows import Row
from alerts.texts import Phrases

_OF_TEXT = ("blank", "too_long")  # faults of what was sent, not of the state


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a message: what the audit trail calls it, and what it does."""

    action: str
    work: Callable[[OutgoingMessage, Alert], OutgoingMessage]
    field: str = "posts"
    details: Mapping[str, Any] = {}


def listed(connection: Connection, id_: str, phrases: Phrases) -> MessageList:
    """All messages of an alert, by name.

    Raises
    ------
    Missing
    """
    row = rows.find(connection, id_)
    if row is None:
        raise Missing(f"there is no alert {id_}")
    alert = rows.body(connection, id_)
    prepared = prepare(alert)
    held = _held(connection, row, prepared)
    views = (view(held[name], prepared, phrases) for name in sorted(held))
    return MessageList(messages=tuple(views))


def change(
    tx: Tx, id_: str, name: str, step: Change, *, version: int | None, phrases: Phrases
) -> MessageView:
    """Take a message one step further.

    Raises
    ------
    Missing, Stale
    Invalid
        If the text is at fault.
    Conflict
        If its state does not allow it.
    """
    row = tx.locked(id_)
    alert = rows.body(tx.connection, id_)
    prepared = prepare(alert)
    held = _held(tx.connection, row, prepared).get(name)
    if held is None:
        raise Missing(f"there is no message {name} of alert {id_}")
    if version is not None and held.version != version:
        raise Stale(None, held.version)
    try:
        changed = step.work(held.message, alert)
    except MessageError as error:
        fault = (step.field, error.code, error.sentence)
        if error.code in _OF_TEXT:
            raise Invalid([fault]) from None
        said = f"message {name}: {error.sentence.en.rstrip('.')}"
        raise Conflict(said, tx.summary(row), [fault]) from None
    stored = name in drafts.of_alert(tx.connection, id_)
    after = Held(name=name, version=held.version + 1, message=changed)
    (drafts.update if stored else drafts.insert)(tx.connection, after)
    tx.note(row, step.action, _details(changed, step.details))
    return view(after, prepared, phrases)


def edited(by: str, posts: tuple[str, ...], phrases: Phrases) -> Change:
    """Write it anew."""
    return Change(
        action="message_edited",
        work=lambda message, alert: edit(message, posts, by, alert, phrases),
    )


def approved(by: str, at_ms: int, digest: str, phrases: Phrases) -> Change:
    """Approve what was shown."""
    return Change(
        action="message_approved",
        work=lambda message, _: approve(message, by, at_ms, digest, phrases),
        field="digest",
    )


def withdrawn(by: str, reason: str, phrases: Phrases) -> Change:
    """Take the approvals back; one that nobody edited follows its alert again."""
    return Change(
        action="message_withdrawn",
        work=lambda message, alert: refresh(withdraw(message, by, phrases), alert, phrases),
        details={"reason": reason},
    )


def sent(by: str, where: str, at_ms: int, phrases: Phrases) -> Change:
    """Note where somebody published it."""
    return Change(
        action="message_sent",
        work=lambda message, _: send(message, where, by, at_ms, phrases),
        field="where",
        details={"where": where},
    )


def refreshed(tx: Tx, row: Row, alert: Alert, phrases: Phrases) -> None:
    """Hold the stored messages of a locked alert against what it says now; note what locks."""
    for held in drafts.of_alert(tx.connection, row.id).values():
        now = refresh(held.message, alert, phrases)
        if now == held.message:
            continue
        drafts.update(tx.connection, Held(name=held.name, version=held.version + 1, message=now))
        if now.locked and not held.message.locked:
            fields = [change.field for change in now.changed]
            tx.note(row, "message_locked", _details(now, {"changed": fields}))


def _held(
    connection: Connection, row: Row, prepared: tuple[OutgoingMessage, ...]
) -> dict[str, Held]:
    fresh = {
        name_of(message): Held(name=name_of(message), version=row.news, message=message)
        for message in prepared
    }
    return fresh | drafts.of_alert(connection, row.id)


def _details(message: OutgoingMessage, more: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit trail says: which text by its digest, not the text."""
    return {
        "message": name_of(message),
        "digest": message.digest,
        "message_state": message.state,
        "approvals": len(message.approvals),
        **more,
    }
