"""Silences: made for once or recurring, tried on the past before, ended, and all of it undone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alerts.console.console import Page, parts
from alerts.console.form import Filled
from alerts.console.language import N_
from alerts.console.route import ConsoleRoute
from alerts.console.show import show
from alerts.console.silence_form import (
    REPEATS,
    WEEKDAYS,
    FormError,
    SilenceForm,
    draft_again,
    fresh_form,
    read_form,
    zones,
)
from alerts.console.who import Responder, Viewer, Visitor
from alerts.playbook.records import TYPES, Bilingual
from alerts.records import SEVERITIES
from alerts.service.errors import Invalid, Missing
from alerts.service.records import SilencePreview, SilenceView

router = APIRouter(route_class=ConsoleRoute)
PAGE = Page(router, "/silences", N_("Silences"))
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9._~-]{1,80}$")]
_ID = re.compile(r"[A-Za-z0-9._~-]{1,80}")
_MOST_OVER = 50  # silences that are over, as the page shows them
FAULTS = {
    "unknown": N_("There is no such choice."),
    "zone": N_("Choose a time zone of the list."),
    "time": N_("Write a date and a time of this century."),
    "blank": N_("Say why."),
    "long": N_("Use at most 500 characters, in one line."),
    "minutes": N_("Write a number of minutes, 1 to 44,640."),
    "days": N_("Choose at least one day."),
    "rule": N_("Write a rule such as FREQ=WEEKLY;BYDAY=FR."),
}
# where the form has the field that the service calls otherwise
_FIELDS = {
    "matchers": "brands",
    "recurring.rule": "rule",
    "recurring.duration_min": "minutes",
    "recurring.timezone": "zone",
}


@router.get("/silences")
def silences(request: Request, visitor: Viewer) -> Response:
    """All silences, and the form of a new one; ``?brand=…&type=…`` fills some of it in."""
    here, sent = parts(request), request.query_params
    named = {
        "brands": tuple(b.id for b in here.engine.brands if b.id in sent.getlist("brand")),
        "types": tuple(word for word in TYPES if word in sent.getlist("type")),
        "severities": tuple(word for word in SEVERITIES if word in sent.getlist("severity")),
    }
    form = fresh_form(here.desk.clock(), here.engine.brands[0].timezone, **named)
    return _page(request, visitor, form, asked=any(named.values()))


@router.post("/silences")
def make(request: Request, visitor: Responder, form: Filled) -> Response:
    """Make the silence, or only try it on the past: the button says which."""
    desk, filled = parts(request).desk, read_form(form)
    try:
        draft = filled.draft()
        if form.get("do") == "try":
            preview = desk.preview_silence(draft)
            return _page(request, visitor, filled, preview=preview)
        made = desk.create_silence(visitor.name, draft, once=None)
    except FormError as error:
        told = {field: FAULTS[code] for field, code in error.faults}
        return _page(request, visitor, filled, faults=told, status=422)
    except Invalid as error:
        said = {_FIELDS.get(field, field): sentence for field, _, sentence in error.faults}
        return _page(request, visitor, filled, sentences=said, status=422)
    silence = msgspec.json.decode(made.body, type=SilenceView)
    return RedirectResponse(f"/silences?made={silence.id}", 303)


@router.post("/silences/{id_}/end")
def end(request: Request, visitor: Responder, form: Filled, id_: Id) -> Response:
    """End a silence now."""
    parts(request).desk.end_silence(visitor.name, id_, version=form.version(), once=None)
    return RedirectResponse(f"/silences?ended={id_}", 303)


@router.post("/silences/{id_}/again")
def again(request: Request, visitor: Responder, form: Filled, id_: Id) -> Response:
    """Undo that a silence was ended: it goes on as it was."""
    desk = parts(request).desk
    draft = draft_again(desk.silence(id_))
    desk.change_silence(visitor.name, id_, draft, version=form.version(), once=None)
    return RedirectResponse(f"/silences?made={id_}", 303)


def _page(
    request: Request,
    visitor: Visitor,
    form: SilenceForm,
    *,
    asked: bool = False,
    preview: SilencePreview | None = None,
    faults: Mapping[str, str] | None = None,
    sentences: Mapping[str, Bilingual] | None = None,
    status: int = 200,
) -> Response:
    here = parts(request)
    held = here.desk.silences().silences
    return show(
        request,
        "silences.html.j2",
        visitor,
        status=status,
        form=form,
        opened=asked or preview is not None or bool(faults or sentences),
        preview=preview,
        faults=faults or {},
        sentences=sentences or {},
        running=[s for s in held if s.active],
        coming=[s for s in held if not s.active and s.next],
        over=[s for s in held if not s.active and not s.next][:_MOST_OVER],
        made=_named(request, "made"),
        ended=_named(request, "ended"),
        brands=[brand.id for brand in here.engine.brands],
        types=TYPES,
        severities=SEVERITIES,
        repeats=REPEATS,
        weekdays=WEEKDAYS,
        zones=sorted(zones()),
    )


def _named(request: Request, name: str) -> SilenceView | None:
    """The silence that something was just done with."""
    found = _ID.fullmatch(request.query_params.get(name, ""))
    try:
        return None if found is None else parts(request).desk.silence(found[0])
    except Missing:
        return None
