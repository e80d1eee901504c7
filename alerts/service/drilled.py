"""What responders did in a drill, as the audit trail tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from sqlalchemy import Connection

from alerts.drills import DrillEvent, What
from alerts.store import audit
from alerts.store.audit import Entry

_SOME = 500
_TOLD: Mapping[str, What] = MappingProxyType(
    {"acknowledged": "acknowledged", "message_sent": "message_sent"}
)
"""Actions of the audit trail that are steps of a drill."""


def drill_events(connection: Connection, alerts: Iterable[str]) -> list[DrillEvent]:
    """Acknowledgements and messages of some alerts, each with who it was.

    Parameters
    ----------
    connection : Connection
    alerts : iterable of str
        Ids of the alerts of one drill; those that are not there give nothing.
    """
    return [
        DrillEvent(at_ms=entry.at_ms, what=_TOLD[entry.action], by=entry.actor, alert=id_)
        for id_ in alerts
        for entry in _entries(connection, id_)
        if entry.action in _TOLD
    ]


def _entries(connection: Connection, alert: str) -> Iterator[Entry]:
    after = 0
    while some := audit.entries(connection, after=after, alert=alert, limit=_SOME):
        yield from some
        after = some[-1].seq
