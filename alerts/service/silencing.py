"""Silences: made, changed, ended, and tried on the past."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from alerts.records import Event, rfc3339
from alerts.service.errors import Invalid, Missing, Stale
from alerts.service.records import (
    MutedEvent,
    PreviewItem,
    SilencePreview,
    SilenceView,
    WindowView,
    time_or_none,
)
from alerts.service.tx import Tx
from alerts.silences import Matchers, Recurring, Silence, active_at, check, next_windows, preview
from alerts.store import mutes, rows
from alerts.texts import Phrases

_DAY_MS = 86_400_000
PREVIEW_MS = 30 * _DAY_MS
_MOST_EXAMINED = 500  # alerts of a preview


class SilenceDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a responder says of a silence; the rest is ours to fill in."""

    matchers: Matchers
    starts_ms: int
    ends_ms: int
    reason: str
    recurring: Recurring | None = None


def create(tx: Tx, draft: SilenceDraft, phrases: Phrases) -> SilenceView:
    """Add a silence, owned by who asks.

    Raises
    ------
    Invalid
        With everything that is wrong with it.
    """
    made = _silence(draft, f"sil-{secrets.token_hex(8)}", tx.actor, tx.now_ms)
    _checked(made, phrases)
    mutes.insert(tx.connection, made)
    tx.record("silence_created", None, _details(made))
    return view(made, 1, tx.now_ms)


def change(
    tx: Tx, id_: str, draft: SilenceDraft, phrases: Phrases, *, version: int | None
) -> SilenceView:
    """Replace what a silence says; its owner stays.

    Raises
    ------
    Invalid, Missing, Stale
    """
    held, at = _locked(tx, id_, version)
    changed = _silence(draft, id_, held.owner, held.created_ms)
    _checked(changed, phrases)
    mutes.update(tx.connection, changed, at + 1)
    tx.record("silence_changed", None, _details(changed))
    return view(changed, at + 1, tx.now_ms)


def end(tx: Tx, id_: str, *, version: int | None) -> SilenceView:
    """End a silence now; it stays to be read."""
    held, at = _locked(tx, id_, version)
    if held.ended_ms is not None:
        return view(held, at, tx.now_ms)
    ended = msgspec.structs.replace(held, ended_ms=max(tx.now_ms, held.starts_ms))
    mutes.update(tx.connection, ended, at + 1)
    tx.record("silence_ended", None, {"silence": id_})
    return view(ended, at + 1, tx.now_ms)


def try_on(
    connection: Connection, draft: SilenceDraft, phrases: Phrases, *, now_ms: int
) -> SilencePreview:
    """What a silence would have muted in the last 30 days."""
    silence = _silence(draft, "preview", "preview", now_ms)
    _checked(silence, phrases)
    from_ms = now_ms - PREVIEW_MS
    found = rows.past(connection, from_ms, _MOST_EXAMINED + 1)
    examined = found[:_MOST_EXAMINED]
    items = (
        PreviewItem(
            alert=item.alert,
            brand=item.brand,
            title=item.title,
            muted=tuple(map(_event, item.muted)),
            told=tuple(map(_event, item.told)),
        )
        for item in preview(silence, examined, from_ms, now_ms)
    )
    return SilencePreview(
        from_at=rfc3339(from_ms),
        to_at=rfc3339(now_ms),
        examined=len(examined),
        complete=len(found) <= _MOST_EXAMINED,
        alerts=tuple(items),
    )


def view(silence: Silence, version: int, now_ms: int) -> SilenceView:
    """A silence as it is shown."""
    return SilenceView(
        id=silence.id,
        version=version,
        matchers=silence.matchers,
        starts_at=rfc3339(silence.starts_ms),
        ends_at=rfc3339(silence.ends_ms),
        recurring=silence.recurring,
        owner=silence.owner,
        reason=silence.reason,
        created_at=rfc3339(silence.created_ms),
        ended_at=time_or_none(silence.ended_ms),
        active=active_at(silence, now_ms) is not None,
        next=tuple(
            WindowView(starts_at=rfc3339(w.start_ms), ends_at=rfc3339(w.end_ms))
            for w in next_windows(silence, now_ms)
        ),
    )


def _locked(tx: Tx, id_: str, version: int | None) -> tuple[Silence, int]:
    found = mutes.find(tx.connection, id_, lock=True)
    if found is None:
        raise Missing(f"there is no silence {id_}")
    if version is not None and found[1] != version:
        raise Stale(None, found[1])
    return found


def _silence(draft: SilenceDraft, id_: str, owner: str, created_ms: int) -> Silence:
    said: Mapping[str, Any] = msgspec.structs.asdict(draft)
    return Silence(id=id_, owner=owner, created_ms=created_ms, **said)


def _checked(silence: Silence, phrases: Phrases) -> None:
    faults = [(f.field, f.code, f.sentence) for f in check(silence, phrases)]
    if faults:
        raise Invalid(faults)


def _details(silence: Silence) -> dict[str, Any]:
    kept = ("matchers", "starts_ms", "ends_ms", "reason", "recurring")
    said = msgspec.to_builtins(silence)
    return {"silence": silence.id, **{name: said[name] for name in kept}}


def _event(event: Event) -> MutedEvent:
    return MutedEvent(at=event.at, event=event.event, severity=event.severity)
