"""Messages of an alert: what is said, who approved it, where it was published."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from alerts.api.depends import DeskOf, Id, Viewer, Written, shown, told
from alerts.api.document import answers
from alerts.api.requests import ActRequest, ApproveRequest, MessageRequest, SentRequest
from alerts.service.message_records import MessageList, MessageView

router = APIRouter(prefix="/v1/alerts/{id}/messages", tags=["messages"])
_CHANGED = answers(MessageView, 404, 409, 412, 413, 428, etag=True)

Named = Annotated[
    str,
    Path(
        pattern=r"^[a-z_]{1,24}:[a-z_]{1,24}:(ar|en)$",
        description="Kind, channel and language, such as `holding:x:ar`.",
    ),
]


@router.get("", responses=answers(MessageList, 404))
def list_messages(desk: DeskOf, _: Viewer, id: Id) -> Response:  # noqa: A002
    """All messages of an alert, each with its version, for If-Match."""
    return shown(desk.messages(id))


@router.put("/{message}", responses=_CHANGED)
def edit_message(write: Written, message: Named, body: MessageRequest) -> Response:
    """Write it anew: a draft again, from the facts of now."""
    posts, same = tuple(body.posts), write.once(body)
    return told(
        write.desk.edit_message(
            write.name, write.id, message, posts, version=write.version, once=same
        )
    )


@router.post("/{message}/approve", responses=_CHANGED)
def approve_message(write: Written, message: Named, body: ApproveRequest) -> Response:
    """Approve the text and facts that were shown; a critical one takes two different people."""
    same = write.once(body)
    return told(
        write.desk.approve_message(
            write.name, write.id, message, body.digest, version=write.version, once=same
        )
    )


@router.post("/{message}/withdraw", responses=_CHANGED)
def withdraw_message(write: Written, message: Named, body: ActRequest) -> Response:
    """Take the approvals back; what was sent cannot be unsaid."""
    same = write.once(body)
    return told(
        write.desk.withdraw_message(
            write.name, write.id, message, version=write.version, reason=body.reason, once=same
        )
    )


@router.post("/{message}/sent", responses=_CHANGED)
def sent_message(write: Written, message: Named, body: SentRequest) -> Response:
    """Note where you published it; nothing is published from here."""
    same = write.once(body)
    return told(
        write.desk.sent_message(
            write.name, write.id, message, body.where, version=write.version, once=same
        )
    )
