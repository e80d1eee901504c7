"""What responders do about an alert."""

from __future__ import annotations

from typing import Any

from alerts.lifecycle import Act, Refused, acted
from alerts.links import Link
from alerts.notify.records import Why
from alerts.service.errors import Conflict, LinkRefused, Missing, Stale
from alerts.service.records import BulkItem, BulkResult, Judged, VerdictWord
from alerts.service.take import NOBODY
from alerts.service.tx import Tx
from alerts.store import access, rows
from alerts.store.rows import Row


def act(tx: Tx, id_: str, what: Act, *, version: int | None, reason: str) -> Row:
    """Acknowledge, unacknowledge, resolve or reopen.

    Raises
    ------
    Missing, Stale
    Conflict
        If the state does not allow it.
    """
    row = tx.locked(id_, version)
    try:
        step = acted(row.state, what)
    except Refused as error:
        raise Conflict(_refusal(row, error), tx.summary(row)) from None
    changes: dict[str, Any] = {"state": step.to}
    if what == "acknowledge":
        changes |= {"acknowledged_by": tx.actor, "acknowledged_ms": tx.now_ms}
    elif what == "resolve":
        changes |= {"resolved_by": tx.actor, "resolved_ms": tx.now_ms}
    else:
        changes |= NOBODY
    assert step.why is not None  # every act is told
    return tx.change(row, step.why, changes, why=step.why, details={"reason": reason})


def _refusal(row: Row, error: Refused) -> str:
    who = row.acknowledged_by if row.state == "acknowledged" else row.resolved_by
    return f"{error}, by {who}" if who else str(error)


def assign(tx: Tx, id_: str, assignee: str | None, *, version: int | None) -> Row:
    """Give an alert to somebody, or to nobody."""
    row = tx.locked(id_, version)
    why: Why | None = "assigned" if assignee is not None else None
    details = {"assignee": assignee, "before": row.assignee}
    return tx.change(row, "assigned", {"assignee": assignee}, why=why, details=details)


def comment(tx: Tx, id_: str, text: str) -> Row:
    """Write about an alert; it stays at its version, so that nobody's acknowledgement goes stale.

    The audit trail notes that a comment was written, not what it says: comments can be erased.
    """
    row = tx.locked(id_)
    rows.add_comment(tx.connection, id_, at_ms=tx.now_ms, author=tx.actor, text=text)
    tx.note(row, "commented", {"characters": len(text)})
    return row


def escalate(tx: Tx, id_: str, *, version: int | None, reason: str) -> Row:
    """Call everybody now.

    Raises
    ------
    Conflict
        If it is resolved.
    """
    row = tx.locked(id_, version)
    if row.state == "resolved":
        raise Conflict("an alert that is resolved calls nobody; reopen it", tx.summary(row))
    changed = tx.change(row, "escalated", {}, details={"reason": reason})
    tx.escalate(changed)
    return changed


def judge(
    tx: Tx,
    id_: str,
    word: VerdictWord,
    *,
    version: int | None,
    reason: str,
    duplicate_of: str | None,
) -> Judged:
    """Say what an alert turned out to be, and learn what that would change."""
    row = tx.locked(id_, version)
    if duplicate_of is not None:
        if duplicate_of == id_:
            raise Conflict("an alert is no duplicate of itself", tx.summary(row))
        if rows.find(tx.connection, duplicate_of) is None:
            raise Missing(f"there is no alert {duplicate_of}")
    rows.add_verdict(
        tx.connection,
        id_,
        at_ms=tx.now_ms,
        actor=tx.actor,
        verdict=word,
        duplicate_of=duplicate_of,
        reason=reason,
    )
    details = {"verdict": word, "duplicate_of": duplicate_of, "reason": reason}
    changed = tx.change(row, "judged", {}, details=details)
    alert = rows.body(tx.connection, id_)
    stopped = alert.explanation.would_have_stopped_it if word == "false" else ()
    return Judged(
        summary=tx.summary(changed),
        verdict=word,
        would_change=stopped,
        of_this_type=rows.latest_verdicts(tx.connection, row.brand, row.type),
    )


def bulk(tx: Tx, items: dict[str, int | None], what: Act, *, reason: str) -> BulkResult:
    """The same act on many alerts; each succeeds or fails for itself.

    All are locked first, in one order, so that two such requests cannot wait for each other.
    """
    rows.lock(tx.connection, items)  # before the first of them locks the audit trail
    results: dict[str, BulkItem] = {}
    for id_ in items:
        try:
            row = act(tx, id_, what, version=items[id_], reason=reason)
            results[id_] = BulkItem(id=id_, status=200, detail=None, current=tx.summary(row))
        except Missing as error:
            results[id_] = BulkItem(id=id_, status=404, detail=str(error), current=None)
        except Conflict as error:
            results[id_] = BulkItem(id=id_, status=409, detail=str(error), current=error.current)
        except Stale as error:
            results[id_] = BulkItem(id=id_, status=412, detail=str(error), current=error.current)
    return BulkResult(results=tuple(results[id_] for id_ in items))


def follow(tx: Tx, link: Link) -> Row:
    """Acknowledge by a signed link.

    Raises
    ------
    LinkRefused
        If it was used, or the alert has called people anew since it was sent.
    Missing, Conflict
    """
    if not access.use_link(tx.connection, link.nonce, tx.now_ms):
        raise LinkRefused("used")
    row = tx.locked(link.alert)
    if row.state == "open" and link.version < row.paged_version:
        raise LinkRefused("outdated")
    return act(tx, link.alert, "acknowledge", version=None, reason="link")
