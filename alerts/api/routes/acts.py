"""What responders do about an alert."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.depends import DeskOf, Id, Key, Responder, Written, once, told
from alerts.api.document import answers
from alerts.api.requests import (
    ActRequest,
    AssignRequest,
    BulkRequest,
    CommentRequest,
    VerdictRequest,
)
from alerts.lifecycle import Act
from alerts.service.records import BulkResult, Judged, Summary

router = APIRouter(prefix="/v1", tags=["acts"])
_CHANGED = answers(Summary, 404, 409, 412, 413, 428, etag=True)


def _act(request: Request, write: Written, body: ActRequest) -> Response:
    what: Act = request.scope["route"].name
    same = write.once(body)
    return told(
        write.desk.act(
            write.name, write.id, what, version=write.version, reason=body.reason, once=same
        )
    )


for _name, _summary in (
    ("acknowledge", "Say that you have it: calls and escalation stop"),
    ("unacknowledge", "Give it back: escalation begins anew"),
    ("resolve", "Say that it is over"),
    ("reopen", "Say that it is not over"),
):
    router.add_api_route(
        f"/alerts/{{id}}/{_name}",
        _act,
        methods=["POST"],
        name=_name,
        summary=_summary,
        responses=_CHANGED,
    )


@router.post("/alerts/{id}/assign", responses=_CHANGED)
def assign(write: Written, body: AssignRequest) -> Response:
    """Give an alert to somebody, or to nobody."""
    same = write.once(body)
    return told(
        write.desk.assign(write.name, write.id, body.assignee, version=write.version, once=same)
    )


@router.post("/alerts/{id}/comments", responses=answers(Summary, 404, 413, etag=True))
def comment(
    request: Request,
    desk: DeskOf,
    bearer: Responder,
    id: Id,  # noqa: A002
    key: Key,
    body: CommentRequest,
) -> Response:
    """Write about an alert; its version stays."""
    same = once(request, key, body, None)
    return told(desk.comment(bearer.name, id, body.text, once=same))


@router.post("/alerts/{id}/escalate", responses=_CHANGED)
def escalate(write: Written, body: ActRequest) -> Response:
    """Call everybody now."""
    same = write.once(body)
    return told(
        write.desk.escalate(
            write.name, write.id, version=write.version, reason=body.reason, once=same
        )
    )


@router.post("/alerts/{id}/verdict", responses=answers(Judged, 404, 409, 412, 413, 428, etag=True))
def judge(write: Written, body: VerdictRequest) -> Response:
    """Say what it turned out to be; the answer says what that would change."""
    return told(
        write.desk.judge(
            write.name,
            write.id,
            body.verdict,
            version=write.version,
            reason=body.reason,
            duplicate_of=body.duplicate_of,
            once=write.once(body),
        )
    )


@router.post("/alerts:bulk", responses=answers(BulkResult, 413))
def bulk(
    request: Request, desk: DeskOf, bearer: Responder, key: Key, body: BulkRequest
) -> Response:
    """The same act on up to 100 alerts; each succeeds or fails for itself."""
    asked = {item.id: item.version for item in body.alerts}
    same = once(request, key, body, None)
    return told(desk.bulk(bearer.name, asked, body.act, reason=body.reason, once=same))
