"""Messages of an alert: edited, approved, taken back, noted as published."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.requests import ActRequest, ApproveRequest, MessageRequest, SentRequest
from alerts.console.console import parts
from alerts.console.form import Filled, checked
from alerts.console.pages.alert import Id, carried_out
from alerts.console.route import ConsoleRoute
from alerts.console.show import Page
from alerts.console.who import Responder

router = APIRouter(route_class=ConsoleRoute, prefix="/alerts/{id}/messages/{message}")
PAGE = Page(router)

Named = Annotated[str, Path(pattern=r"^[a-z_]{1,24}:[a-z_]{1,24}:(ar|en)$")]


@router.post("/edit")
def edit(
    request: Request,
    visitor: Responder,
    form: Filled,
    id: Id,  # noqa: A002
    message: Named,
) -> Response:
    """Write it anew."""

    def work() -> dict[str, str]:
        asked = checked(MessageRequest, posts=form.all("posts"))
        parts(request).desk.edit_message(
            visitor.name, id, message, tuple(asked.posts), version=form.version(), once=None
        )
        return {"message": message}

    return carried_out(request, visitor, id, form, "edit", work)


@router.post("/approve")
def approve(
    request: Request,
    visitor: Responder,
    form: Filled,
    id: Id,  # noqa: A002
    message: Named,
) -> Response:
    """Approve what was read."""

    def work() -> dict[str, str]:
        asked = checked(ApproveRequest, digest=form.get("digest"))
        parts(request).desk.approve_message(
            visitor.name, id, message, asked.digest, version=form.version(), once=None
        )
        return {"message": message}

    return carried_out(request, visitor, id, form, "approve", work)


@router.post("/withdraw")
def withdraw(
    request: Request,
    visitor: Responder,
    form: Filled,
    id: Id,  # noqa: A002
    message: Named,
) -> Response:
    """Take the approvals back."""

    def work() -> dict[str, str]:
        asked = checked(ActRequest, reason=form.get("reason"))
        parts(request).desk.withdraw_message(
            visitor.name, id, message, version=form.version(), reason=asked.reason, once=None
        )
        return {"message": message}

    return carried_out(request, visitor, id, form, "withdraw", work)


@router.post("/sent")
def sent(
    request: Request,
    visitor: Responder,
    form: Filled,
    id: Id,  # noqa: A002
    message: Named,
) -> Response:
    """Note where it was published."""

    def work() -> dict[str, str]:
        asked = checked(SentRequest, where=form.get("where"))
        parts(request).desk.sent_message(
            visitor.name, id, message, asked.where, version=form.version(), once=None
        )
        return {"message": message}

    return carried_out(request, visitor, id, form, "sent", work)
