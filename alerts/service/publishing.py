"""The state of an alert as it is published: what people did about it, beside what fusion says."""

from __future__ import annotations

import msgspec

from alerts.lifecycle import Lifecycle
from alerts.playbook.records import Severity
from alerts.records import rfc3339
from alerts.service.records import time_or_none
from alerts.store.rows import Row

STATE_VERSION = 1


class AlertState(msgspec.Struct, frozen=True, kw_only=True):
    """How an alert stands.

    Attributes
    ----------
    schema : int
        Version of this format.
    id, brand, type, severity, score, drill
        Those of the alert.
    version : int
        Goes up with every change: of two records of an alert, the higher one holds.
    state : {"open", "acknowledged", "resolved"}
    acknowledged_by, resolved_by, assignee : str or None
        Names of tokens, or ``link:<receiver>``; resolved by nobody: it fell quiet.
    opened_at, updated_at, acknowledged_at, resolved_at : str or None
        RFC 3339.
    """

    schema: int
    id: str
    version: int
    state: Lifecycle
    brand: str
    type: str
    severity: Severity
    score: int
    drill: bool
    opened_at: str
    updated_at: str
    acknowledged_by: str | None
    acknowledged_at: str | None
    resolved_by: str | None
    resolved_at: str | None
    assignee: str | None


def state_of(row: Row) -> AlertState:
    """The state of an alert."""
    return AlertState(
        schema=STATE_VERSION,
        id=row.id,
        version=row.version,
        state=row.state,
        brand=row.brand,
        type=row.type,
        severity=row.severity,
        score=row.score,
        drill=row.drill,
        opened_at=rfc3339(row.opened_ms),
        updated_at=rfc3339(row.updated_ms),
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=time_or_none(row.acknowledged_ms),
        resolved_by=row.resolved_by,
        resolved_at=time_or_none(row.resolved_ms),
        assignee=row.assignee,
    )
