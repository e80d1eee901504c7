"""History: all alerts, found by filters, with what people judged them to be."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.parts import Parts
from alerts.console.console import Page, parts
from alerts.console.language import N_
from alerts.console.route import ConsoleRoute
from alerts.console.show import show
from alerts.console.who import Viewer
from alerts.lifecycle import STATES
from alerts.playbook.records import TYPES
from alerts.records import SEVERITIES
from alerts.store.rows import Filter

router = APIRouter(route_class=ConsoleRoute)
PAGE = Page(router, "/history", N_("History"))
_ROWS = 50
_CURSOR = re.compile(r"([0-9]{1,15})\.([A-Za-z0-9._~-]{1,80})")
_DRILLS = {"no": False, "yes": True}
_MOST_CHARS = 80


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; what makes no sense asks for nothing."""

    state: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    first: str = ""
    last: str = ""
    assignee: str = ""
    drill: str = ""

    def filter(self) -> Filter:
        """The same as the service takes it; days are days in UTC."""
        return Filter(
            states=self.state,
            severities=self.severity,
            types=self.type,
            brands=self.brand,
            assignee=self.assignee or None,
            drill=_DRILLS.get(self.drill),
            opened_from_ms=_midnight_ms(self.first),
            opened_to_ms=_midnight_ms(self.last, days=1),
        )

    def query(self, **more: str) -> str:
        """The parameters of an address that asks for the same."""
        held = msgspec.structs.asdict(self) | more
        return urlencode({name: value for name, value in held.items() if value}, doseq=True)


@router.get("/history")
def history(request: Request, visitor: Viewer) -> Response:
    """A page of alerts, the newest first."""
    here = parts(request)
    asked = read_asked(request.query_params, here)
    cursor = _CURSOR.fullmatch(request.query_params.get("cursor", ""))
    before = None if cursor is None else (int(cursor[1]), cursor[2])
    page = here.desk.alerts(asked.filter(), before=before, limit=_ROWS)
    return show(
        request,
        "history.html.j2",
        visitor,
        asked=asked,
        alerts=page.alerts,
        verdicts=here.desk.verdicts([alert.id for alert in page.alerts]),
        older=page.next and f"/history?{asked.query(cursor=page.next)}",
        newest=cursor and f"/history?{asked.query()}",
        states=STATES,
        severities=SEVERITIES,
        types=TYPES,
        brands=[brand.id for brand in here.engine.brands],
    )


def read_asked(sent: QueryParams, here: Parts) -> Asked:
    """The filters of an address."""
    known = {
        "state": STATES,
        "severity": SEVERITIES,
        "type": TYPES,
        "brand": [brand.id for brand in here.engine.brands],
    }
    some = {
        name: tuple(word for word in words if word in sent.getlist(name))
        for name, words in known.items()
    }
    first, last = (_day(sent.get(name, "")) for name in ("first", "last"))
    assignee = sent.get("assignee", "").strip()[:_MOST_CHARS]
    drill = sent.get("drill", "")
    return Asked(
        **some,
        first=first,
        last=last,
        assignee=assignee if assignee.isprintable() else "",
        drill=drill if drill in _DRILLS else "",
    )


def _day(written: str) -> str:
    """A day such as 2026-03-01; empty if it is none of this century."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return ""
    return day.isoformat() if 2000 <= day.year < 2100 else ""


def _midnight_ms(day: str, days: int = 0) -> int | None:
    if not day:
        return None
    moment = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=days)
    return round(moment.timestamp() * 1000)
