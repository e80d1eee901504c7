"""Reading alerts: the list, one whole, its audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from alerts.api.depends import DeskOf, Id, Viewer, shown
from alerts.api.document import answers
from alerts.api.requests import Name, milliseconds
from alerts.lifecycle import Lifecycle
from alerts.playbook.records import Severity
from alerts.service.records import AlertPage, AuditPage, Detail
from alerts.store.rows import Filter

router = APIRouter(prefix="/v1", tags=["alerts"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,15}\.[A-Za-z0-9._~-]{1,80}$")]


@router.get("/alerts", responses=answers(AlertPage))
def list_alerts(
    desk: DeskOf,
    _: Viewer,
    state: Annotated[list[Lifecycle], Query(max_length=3)] = [],  # noqa: B006
    brand: Annotated[list[Name], Query(max_length=50)] = [],  # noqa: B006
    severity: Annotated[list[Severity], Query(max_length=3)] = [],  # noqa: B006
    type: Annotated[list[Name], Query(max_length=20)] = [],  # noqa: A002, B006
    assignee: Annotated[str | None, Query(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] = None,
    drill: bool | None = None,
    opened_from: AwareDatetime | None = None,
    opened_to: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Alerts, the newest first.  ``cursor`` is ``next`` of the page before."""
    wanted = Filter(
        states=tuple(state),
        brands=tuple(brand),
        severities=tuple(severity),
        types=tuple(type),
        assignee=assignee,
        drill=drill,
        opened_from_ms=_ms(opened_from),
        opened_to_ms=_ms(opened_to),
    )
    before = None
    if cursor is not None:
        opened_ms, id_ = cursor.split(".", 1)
        before = int(opened_ms), id_
    return shown(desk.alerts(wanted, before=before, limit=limit))


@router.get("/alerts/{id}", responses=answers(Detail, 404, etag=True))
def read_alert(desk: DeskOf, _: Viewer, id: Id) -> Response:  # noqa: A002
    """One alert: evidence, explanation, rendered playbook, and what people did about it."""
    found = desk.alert(id)
    return shown(found, found.summary.version)


@router.get("/alerts/{id}/audit", responses=answers(AuditPage, 404))
def read_alert_audit(
    desk: DeskOf,
    _: Viewer,
    id: Id,  # noqa: A002
    after: Annotated[int, Query(ge=0, le=10**15)] = 0,
    limit: Limit = 100,
) -> Response:
    """The audit trail of one alert, in order."""
    return shown(desk.audit(after=after, limit=limit, alert=id))


@router.get("/audit", responses=answers(AuditPage))
def read_audit(
    desk: DeskOf,
    _: Viewer,
    after: Annotated[int, Query(ge=0, le=10**15)] = 0,
    limit: Limit = 100,
) -> Response:
    """The whole audit trail, in order."""
    return shown(desk.audit(after=after, limit=limit))


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment)
