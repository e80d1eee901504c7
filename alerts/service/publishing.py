"""The state of an alert as it is published: what people did about it, beside what fusion says."""

from __future__ import annotations

from alerts.service.records import Standing, standing_of
from alerts.store.rows import Row

STATE_VERSION = 1


class AlertState(Standing, frozen=True, kw_only=True):
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


def state_of(row: Row) -> AlertState:
    """The state of an alert."""
    return AlertState(schema=STATE_VERSION, **standing_of(row))
