"""Silences: made, read, changed, ended, tried on the past."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.depends import (
    DeskOf,
    Id,
    Key,
    Responder,
    Viewer,
    Written,
    once,
    shown,
    told,
)
from alerts.api.document import answers
from alerts.api.requests import SilenceRequest
from alerts.service.records import SilenceList, SilencePreview, SilenceView

router = APIRouter(prefix="/v1", tags=["silences"])


@router.get("/silences", responses=answers(SilenceList))
def list_silences(desk: DeskOf, _: Viewer) -> Response:
    """Silences, also those that are over."""
    return shown(desk.silences())


@router.post(
    "/silences", status_code=201, responses=answers(SilenceView, 413, status=201, etag=True)
)
def create_silence(
    request: Request, desk: DeskOf, bearer: Responder, key: Key, body: SilenceRequest
) -> Response:
    """Make a silence; it is owned by the token."""
    same = once(request, key, body, None)
    return told(desk.create_silence(bearer.name, body.draft(), once=same))


@router.post("/silences:preview", responses=answers(SilencePreview, 413))
def preview_silence(desk: DeskOf, _: Viewer, body: SilenceRequest) -> Response:
    """What a silence would have muted in the last 30 days; makes none."""
    return shown(desk.preview_silence(body.draft()))


@router.get("/silences/{id}", responses=answers(SilenceView, 404, etag=True))
def read_silence(desk: DeskOf, _: Viewer, id: Id) -> Response:  # noqa: A002
    """One silence, with its next windows."""
    found = desk.silence(id)
    return shown(found, found.version)


@router.put("/silences/{id}", responses=answers(SilenceView, 404, 412, 413, 428, etag=True))
def change_silence(write: Written, body: SilenceRequest) -> Response:
    """Replace what a silence says."""
    draft, same = body.draft(), write.once(body)
    return told(
        write.desk.change_silence(write.name, write.id, draft, version=write.version, once=same)
    )


@router.delete("/silences/{id}", responses=answers(SilenceView, 404, 412, 428, etag=True))
def end_silence(write: Written) -> Response:
    """End a silence now; it stays to be read."""
    same = write.once(None)
    return told(write.desk.end_silence(write.name, write.id, version=write.version, once=same))
