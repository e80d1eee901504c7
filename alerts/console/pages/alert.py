"""An alert: what happened and why, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alerts.api.requests import ActRequest, AssignRequest, CommentRequest, VerdictRequest
from alerts.console.alert_view import alert_page, lost_act
from alerts.console.console import Page, parts
from alerts.console.course import MARKS, mark_text, steps_of
from alerts.console.form import Filled, Form, checked
from alerts.console.route import ConsoleRoute
from alerts.console.who import Refused, Responder, Viewer, Visitor
from alerts.lifecycle import ACTS, Act
from alerts.service.errors import Conflict, Invalid, Missing, Stale
from alerts.service.records import SilenceView
from alerts.service.silencing import SilenceDraft
from alerts.silences import Matchers

router = APIRouter(route_class=ConsoleRoute, prefix="/alerts/{id}")
PAGE = Page(router)

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9._~-]{1,80}$")]
HOURS = ("1", "4", "8", "24", "72")
_HOUR_MS = 3_600_000


def carried_out(
    request: Request,
    visitor: Visitor,
    id_: str,
    form: Form,
    act: str,
    work: Callable[[], dict[str, str]],
) -> Response:
    """Do what a button asks for; the page then says that it is done and what undoes it, or why not.

    ``work`` gives what undoing takes.
    """
    try:
        more = work()
    except (Stale, Conflict, Invalid) as error:
        return lost_act(request, visitor, id_, form, act, error)
    return RedirectResponse(f"/alerts/{id_}?{urlencode({'done': act, **more})}", 303)


@router.get("")
def alert(request: Request, visitor: Viewer, id: Id) -> Response:  # noqa: A002
    """The page."""
    return alert_page(request, visitor, id)


def _act(request: Request, visitor: Responder, form: Filled, id: Id) -> Response:  # noqa: A002
    what: Act = request.scope["route"].name

    def work() -> dict[str, str]:
        asked = checked(ActRequest, reason=form.get("reason"))
        parts(request).desk.act(
            visitor.name, id, what, version=form.version(), reason=asked.reason, once=None
        )
        return {}

    return carried_out(request, visitor, id, form, what, work)


for _name in ACTS:
    router.add_api_route(f"/{_name}", _act, methods=["POST"], name=_name)


@router.post("/assign")
def assign(request: Request, visitor: Responder, form: Filled, id: Id) -> Response:  # noqa: A002
    """Give the alert to somebody, or to nobody."""

    def work() -> dict[str, str]:
        asked = checked(AssignRequest, assignee=form.get("assignee") or None)
        desk = parts(request).desk
        before = desk.alert(id).summary.assignee
        desk.assign(visitor.name, id, asked.assignee, version=form.version(), once=None)
        return {"before": before or ""}

    return carried_out(request, visitor, id, form, "assign", work)


@router.post("/escalate")
def escalate(request: Request, visitor: Responder, form: Filled, id: Id) -> Response:  # noqa: A002
    """Call everybody now."""

    def work() -> dict[str, str]:
        asked = checked(ActRequest, reason=form.get("reason"))
        parts(request).desk.escalate(
            visitor.name, id, version=form.version(), reason=asked.reason, once=None
        )
        return {}

    return carried_out(request, visitor, id, form, "escalate", work)


@router.post("/verdict")
def verdict(request: Request, visitor: Responder, form: Filled, id: Id) -> Response:  # noqa: A002
    """Say what it turned out to be."""

    def work() -> dict[str, str]:
        word = form.get("verdict")
        asked = checked(
            VerdictRequest,
            verdict=word,
            reason=form.get("reason"),
            duplicate_of=(form.get("duplicate_of") or None) if word == "duplicate" else None,
        )
        try:
            parts(request).desk.judge(
                visitor.name,
                id,
                asked.verdict,
                version=form.version(),
                reason=asked.reason,
                duplicate_of=asked.duplicate_of,
                once=None,
            )
        except Missing:  # the alert that it should be a duplicate of
            raise Refused(422, "form") from None
        return {}

    return carried_out(request, visitor, id, form, "verdict", work)


@router.post("/comment")
def comment(request: Request, visitor: Responder, form: Filled, id: Id) -> Response:  # noqa: A002
    """Write about the alert."""

    def work() -> dict[str, str]:
        asked = checked(CommentRequest, text=form.get("text"))
        parts(request).desk.comment(visitor.name, id, asked.text, once=None)
        return {}

    return carried_out(request, visitor, id, form, "comment", work)


@router.post("/steps/{step}")
def step(
    request: Request,
    visitor: Responder,
    form: Filled,
    id: Id,  # noqa: A002
    step: str,
) -> Response:
    """Take a step of the playbook, note that it is done, or give it back."""

    def work() -> dict[str, str]:
        mark = next((mark for mark in MARKS if mark == form.get("to")), None)
        desk = parts(request).desk
        detail = desk.alert(id)
        stands = {s.step.id: s for s in steps_of(detail.alert.playbook.steps, detail.comments)}
        if mark is None or step not in stands:
            raise Refused(422, "form")
        desk.comment(visitor.name, id, mark_text(step, mark), once=None)
        return {"step": step, "before": stands[step].mark}

    return carried_out(request, visitor, id, form, "step", work)


@router.post("/silence")
def silence(request: Request, visitor: Responder, form: Filled, id: Id) -> Response:  # noqa: A002
    """Silence alerts like this one for some hours."""

    def work() -> dict[str, str]:
        desk = parts(request).desk
        about = desk.alert(id).summary
        hours = form.get("hours")
        if hours not in HOURS:
            raise Refused(422, "form")
        types = () if form.get("scope") == "brand" else (about.type,)
        now_ms = desk.clock()
        draft = SilenceDraft(
            matchers=Matchers(brands=(about.brand,), types=types),
            starts_ms=now_ms,
            ends_ms=now_ms + int(hours) * _HOUR_MS,
            reason=form.get("reason")[:500],
        )
        made = desk.create_silence(visitor.name, draft, once=None)
        return {"silence": msgspec.json.decode(made.body, type=SilenceView).id}

    return carried_out(request, visitor, id, form, "silence", work)


@router.post("/silences/{silence}/end")
def end_silence(
    request: Request,
    visitor: Responder,
    form: Filled,
    id: Id,  # noqa: A002
    silence: Id,
) -> Response:
    """Take a silence back that was made here."""

    def work() -> dict[str, str]:
        parts(request).desk.end_silence(visitor.name, silence, version=None, once=None)
        return {}

    return carried_out(request, visitor, id, form, "end", work)
