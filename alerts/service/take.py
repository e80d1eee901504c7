"""Taking up what fusion publishes: idempotent, in any number of copies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from alerts.drills import is_drill
from alerts.lifecycle import Step, told
from alerts.records import Alert
from alerts.service.messaging import refreshed
from alerts.service.tx import Tx
from alerts.store import ageing, audit, rows
from alerts.store.rows import Row
from alerts.texts import Phrases


class TakeAgain(Exception):
    """Another process took the alert up in the same moment."""


def take(tx: Tx, alert: Alert, phrases: Phrases) -> Row | None:
    """Fold an alert into the database; None if its news were taken before, or retention took it.

    The timeline tells what is new, so that a copy that comes again, or late, changes nothing.
    """
    row = rows.find(tx.connection, alert.id, lock=True)
    if row is None:
        known = 0 < len(alert.timeline) <= ageing.news_gone(tx.connection, alert.id)
        return None if known else _first(tx, alert)
    if len(alert.timeline) <= row.news:
        return None
    step = told(row.state, [event.event for event in alert.timeline[row.news :]])
    changed = tx.change(
        row,
        step.why or "updated",
        _said(alert) | _state(row, step, alert),
        why=step.why,
        alert=alert,
        details=_details(alert, row.news),
    )
    refreshed(tx, changed, alert, phrases)
    return changed


def _first(tx: Tx, alert: Alert) -> Row:
    audit.lock(tx.connection)
    if rows.find(tx.connection, alert.id) is not None:
        raise TakeAgain
    step = told(None, [event.event for event in alert.timeline] or ["opened"])
    row = Row(
        id=alert.id,
        version=1,
        **_said(alert),
        state=step.to,
        drill=is_drill(alert.brand),
        opened_ms=_ms(alert.opened_at),
        updated_ms=tx.now_ms,
        acknowledged_by=None,
        acknowledged_ms=None,
        resolved_by=None,
        resolved_ms=_ms(alert.resolved_at) if alert.resolved_at else None,
        assignee=None,
        paged_version=1,
    )
    rows.insert(tx.connection, row, alert)
    tx.announce(row, alert, step.why)
    tx.publish(row)
    tx.note(row, step.why or "opened", _details(alert, 0))
    return row


def _said(alert: Alert) -> dict[str, Any]:
    return {
        "brand": alert.brand,
        "type": alert.type,
        "severity": alert.severity,
        "score": alert.score,
        "kind": alert.kind,
        "title_ar": alert.title.ar,
        "title_en": alert.title.en,
        "news": len(alert.timeline),
    }


def _state(row: Row, step: Step, alert: Alert) -> dict[str, Any]:
    changes: dict[str, Any] = {"state": step.to}
    if step.to == "open" and row.state != "open":
        changes |= NOBODY
    elif step.to == "resolved" and row.state != "resolved":
        resolved_ms = _ms(alert.resolved_at or alert.updated_at)
        changes |= {"resolved_by": None, "resolved_ms": resolved_ms}
    return changes


NOBODY = {
    "acknowledged_by": None,
    "acknowledged_ms": None,
    "resolved_by": None,
    "resolved_ms": None,
}
"""What an alert that is open again has lost."""


def _details(alert: Alert, from_: int) -> dict[str, Any]:
    news = [event.event for event in alert.timeline[from_:]]
    return {"news": news, "score": alert.score, "type": alert.type}


def _ms(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1000)
