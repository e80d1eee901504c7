"""Now: how each brand stands, and what is open, without reload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.parts import Parts
from alerts.console.console import Page, console, parts
from alerts.console.language import N_, language_of
from alerts.console.route import ConsoleRoute
from alerts.console.show import piece, show
from alerts.console.spark import Spark, spark_of
from alerts.console.who import Viewer
from alerts.playbook.records import Severity
from alerts.records import SEVERITIES
from alerts.service.records import Summary
from alerts.store.rows import Filter
from alerts.talk import Talk

router = APIRouter(route_class=ConsoleRoute)
PAGE = Page(router, "/", N_("Now"))

Stand = Literal["blind", "crisis", "watch", "calm"]
_ORDER: tuple[Stand, ...] = ("crisis", "blind", "watch", "calm")
_FRESH_MS = 2_000  # what the engine knows is at most so old, and what people do is never old
_MOST = 25  # alerts of a severity; the list holds the others


class Line(NamedTuple):
    """How a brand stands."""

    brand: str
    stand: Stand
    unresolved: dict[str, int]
    spark: Spark | None


class Open(NamedTuple):
    """Alerts of a severity that are not resolved, and whether there are more."""

    severity: Severity
    alerts: tuple[Summary, ...]
    more: bool


@router.get("/")
def now(request: Request, visitor: Viewer) -> Response:
    """How everything stands."""
    held = parts(request)
    slot_ms = held.desk.clock() // _FRESH_MS
    board = console(request).kept.find(
        f"now {language_of(request)}",
        (held.desk.last_seq(), slot_ms),
        lambda: _board(request, held),
    )
    return show(request, "now.html.j2", visitor, board=board)


def _board(request: Request, held: Parts) -> str:
    blind = held.engine.blind()
    talk = held.engine.talk()
    return piece(
        request,
        "board.html.j2",
        lines=_lines(held, blind or (), talk or {}),
        watched=blind is not None,
        spoken=talk is not None,
        open=[_open(held, severity) for severity in SEVERITIES[::-1]],
    )


def stand_of(unresolved: dict[str, int], *, blind: bool) -> Stand:
    """How a brand stands: a crisis is known even where nothing comes any more.

    Examples
    --------
    >>> stand_of({"critical": 1}, blind=True), stand_of({"watch": 1}, blind=True)
    ('crisis', 'blind')
    >>> stand_of({"warning": 2}, blind=False), stand_of({}, blind=False)
    ('watch', 'calm')
    """
    if unresolved.get("critical"):
        return "crisis"
    if blind:
        return "blind"
    return "watch" if unresolved else "calm"


def _lines(held: Parts, blind: Sequence[str], talk: Mapping[str, Talk]) -> list[Line]:
    """Each brand, those that need somebody first."""
    standing = held.desk.standing()
    lines = [
        Line(
            brand.id,
            stand_of(standing.get(brand.id, {}), blind=brand.id in blind),
            standing.get(brand.id, {}),
            spark_of(talk[brand.id]) if brand.id in talk else None,
        )
        for brand in held.engine.brands
    ]
    return sorted(lines, key=lambda line: _ORDER.index(line.stand))


def _open(held: Parts, severity: Severity) -> Open:
    wanted = Filter(states=("open", "acknowledged"), severities=(severity,))
    page = held.desk.alerts(wanted, before=None, limit=_MOST)
    return Open(severity, page.alerts, page.next is not None)
