"""Messages of an alert: edited, approved, taken back, noted as published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.requests import ActRequest, ApproveRequest, MessageRequest, SentRequest
from alerts.console.console import Page, parts
from alerts.console.form import Filled, checked
from alerts.console.pages.alert import Id, carried_out
from alerts.console.route import ConsoleRoute
from alerts.console.who import Responder

router = APIRouter(route_class=ConsoleRoute, prefix="/alerts/{id}/messages/{message}")
PAGE = Page(router)

Named = Annotated[str, Path(pattern=r"^[a-z_]{1,24}:[a-z_]{1,24}:(ar|en)$")]


class Change:
    """A form about one message of an alert."""

    def __init__(
        self,
        request: Request,
        visitor: Responder,
        form: Filled,
        id: Id,  # noqa: A002
        message: Named,
    ) -> None:
        self.form = form
        self.desk = parts(request).desk
        self.what = (visitor.name, id, message)
        self._page = (request, visitor, id, form)

    def carried_out(self, act: str, work: Callable[[int], object]) -> Response:
        """Do it to the version that was seen."""

        def change() -> dict[str, str]:
            work(self.form.version())
            return {"message": self.what[2]}

        return carried_out(*self._page, act, change)


Asked = Annotated[Change, Depends(Change)]


@router.post("/edit")
def edit(change: Asked) -> Response:
    """Write it anew."""

    def work(version: int) -> object:
        posts = tuple(checked(MessageRequest, posts=change.form.all("posts")).posts)
        return change.desk.edit_message(*change.what, posts, version=version, once=None)

    return change.carried_out("edit", work)


@router.post("/approve")
def approve(change: Asked) -> Response:
    """Approve what was read."""

    def work(version: int) -> object:
        digest = checked(ApproveRequest, digest=change.form.get("digest")).digest
        return change.desk.approve_message(*change.what, digest, version=version, once=None)

    return change.carried_out("approve", work)


@router.post("/withdraw")
def withdraw(change: Asked) -> Response:
    """Take the approvals back."""

    def work(version: int) -> object:
        reason = checked(ActRequest, reason=change.form.get("reason")).reason
        return change.desk.withdraw_message(*change.what, version=version, reason=reason, once=None)

    return change.carried_out("withdraw", work)


@router.post("/sent")
def sent(change: Asked) -> Response:
    """Note where it was published."""

    def work(version: int) -> object:
        where = checked(SentRequest, where=change.form.get("where")).where
        return change.desk.sent_message(*change.what, where, version=version, once=None)

    return change.carried_out("sent", work)
