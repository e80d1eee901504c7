"""What was told, what was not, and why; what was given up is sent again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.depends import Admin, DeskOf, Id, Key, Viewer, once, shown, told
from alerts.api.document import answers
from alerts.api.requests import ReplayRequest
from alerts.service.kept_records import NotificationPage, Replayed, ToldOf
from alerts.store.queue import Status

router = APIRouter(prefix="/v1", tags=["notifications"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,15}$")]


@router.get("/alerts/{id}/notifications", responses=answers(ToldOf, 404))
def read_alert_notifications(desk: DeskOf, _: Viewer, id: Id) -> Response:  # noqa: A002
    """Who was told of an alert, who was not, and why."""
    return shown(desk.told_of(id))


@router.get("/notifications", responses=answers(NotificationPage))
def list_notifications(
    desk: DeskOf,
    _: Viewer,
    status: Status | None = None,
    receiver: Annotated[str | None, Query(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Notifications of all alerts, the newest first; `dead` ones were given up."""
    before = None if cursor is None else int(cursor)
    return shown(desk.notifications(status=status, receiver=receiver, before=before, limit=limit))


@router.post("/notifications/replay", responses=answers(Replayed, 413))
def replay_notifications(
    request: Request, desk: DeskOf, admin: Admin, key: Key, body: ReplayRequest
) -> Response:
    """Send again what was given up; nobody is called to an alert that somebody has."""
    same = once(request, key, body, None)
    return told(desk.replay(admin.name, body.receiver, once=same))
