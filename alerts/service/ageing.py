"""Retention in the response database: what is old goes, in short transactions, by kind of data.

What is open or acknowledged is kept whole.  Of what was resolved, evidence goes first, with
messages and notifications, which repeat it; the rest of the alert later.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from alerts.privacy import stripped
from alerts.retention import DAY_MS, Retention
from alerts.service.tx import Tx
from alerts.store import ageing, audit, rows

SOME = 100  # alerts in one transaction; of what is small, ten times as many
KEYS_KEPT_MS = 48 * 3_600_000  # longer than a link lives

Step = Callable[[Tx, Retention], int]


def _evidence(tx: Tx, plan: Retention) -> int:
    before_ms = tx.now_ms - plan.evidence_days * DAY_MS
    ids = ageing.old(tx.connection, before_ms, SOME, bare=False)
    for id_ in ids:
        row = rows.find(tx.connection, id_, lock=True)
        assert row is not None
        bare = stripped(rows.body(tx.connection, id_))
        ageing.strip(tx.connection, id_, row.version + 1, bare)
        tx.publish(msgspec.structs.replace(row, version=row.version + 1))
    return _noted(tx, "evidence_pruned", len(ids))


def _alerts(tx: Tx, plan: Retention) -> int:
    before_ms = tx.now_ms - plan.alert_days * DAY_MS
    ids = ageing.old(tx.connection, before_ms, SOME, bare=None)
    if ids:
        ageing.drop(tx.connection, ids)
        tx.publish_end(ids)
    return _noted(tx, "alerts_pruned", len(ids))


def _notifications(tx: Tx, plan: Retention) -> int:
    before_ms = tx.now_ms - plan.notification_days * DAY_MS
    return ageing.forget_notifications(tx.connection, before_ms, 10 * SOME)


def _judgements(tx: Tx, plan: Retention) -> int:
    before_ms = tx.now_ms - plan.evidence_days * DAY_MS
    return ageing.forget_judgements(tx.connection, before_ms, 10 * SOME)


def _silences(tx: Tx, plan: Retention) -> int:
    before_ms = tx.now_ms - plan.alert_days * DAY_MS
    return ageing.forget_silences(tx.connection, before_ms, 10 * SOME)


def _keys(tx: Tx, _: Retention) -> int:
    return ageing.forget_keys(tx.connection, tx.now_ms - KEYS_KEPT_MS, 10 * SOME)


def _links(tx: Tx, _: Retention) -> int:
    return ageing.forget_links(tx.connection, tx.now_ms - KEYS_KEPT_MS, 10 * SOME)


def _outbox(tx: Tx, plan: Retention) -> int:
    before_ms = tx.now_ms - plan.alert_days * DAY_MS
    return ageing.forget_outbox(tx.connection, before_ms, 10 * SOME)


def _audit(tx: Tx, plan: Retention) -> int:
    return audit.prune(
        tx.connection,
        before_ms=tx.now_ms - plan.audit_days * DAY_MS,
        at_ms=tx.now_ms,
        actor=tx.actor,
        most=10 * SOME,
    )


STEPS: dict[str, Step] = {
    "evidence": _evidence,
    "alerts": _alerts,
    "notifications": _notifications,
    "list entries": _judgements,
    "silences": _silences,
    "idempotency keys": _keys,
    "used links": _links,
    "outbox rows": _outbox,
    "audit rows": _audit,
}
"""By kind of data: does some of it, and tells how much; nothing is left where it did nothing."""


def _noted(tx: Tx, action: str, count: int) -> int:
    if count:
        tx.record(action, None, {"alerts": count})
    return count
