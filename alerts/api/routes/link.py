"""The page behind a signed acknowledge link: looking shows it, pressing the button acts.

Previews of links and scanners of mail open addresses with GET; nothing happens then.
"""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

import alerts.texts
from alerts.api.depends import DeskOf, address, limit
from alerts.api.problems import ProblemError
from alerts.playbook.records import Bilingual
from alerts.service.errors import Conflict, LinkRefused, Missing
from alerts.service.records import Summary
from alerts.texts import Phrases

router = APIRouter(include_in_schema=False)
_TEMPLATES = Path(alerts.texts.__file__).parents[1] / "templates"
_STATUS = {"forged": 404, "expired": 410, "used": 410, "outdated": 410}


@cache
def _words() -> dict[str, Any]:
    path = Path(alerts.texts.__file__).with_name("api.yaml")
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("acknowledge.html.j2")


@router.get("/ack/{token}")
def look(request: Request, desk: DeskOf, token: str) -> Response:
    """Show what a link is about; changes nothing."""
    try:
        limit(request, _key(request))
        alert = desk.look_at_link(token)
    except (LinkRefused, Missing, ProblemError) as error:
        return _refused(error)
    if alert.state != "open":
        return _page(*_taken(alert), alert=alert)
    return _page("ask", alert=alert, ask=True)


@router.post("/ack/{token}")
def press(request: Request, desk: DeskOf, token: str) -> Response:
    """Acknowledge, once."""
    try:
        limit(request, _key(request))
        return _page("done", alert=desk.follow_link(token))
    except (LinkRefused, Missing, ProblemError) as error:
        return _refused(error)
    except Conflict as error:
        if error.current is None:
            raise
        return _page(*_taken(error.current), alert=error.current, status=409)


def _key(request: Request) -> str:
    """A limit of its own: who guesses tokens locks nobody out who answers a call from there."""
    return f"link {address(request)}"


def _taken(alert: Summary) -> tuple[str, dict[str, object]]:
    if alert.state == "resolved":
        return "over", {}
    return "taken", {"who": alert.acknowledged_by, "at": alert.acknowledged_at}


def _refused(error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return _page("busy", status=error.status, headers=error.headers)
    why = error.why if isinstance(error, LinkRefused) else "forged"
    return _page(why, status=_STATUS[why])


def _page(
    said: str,
    facts: dict[str, object] | None = None,
    *,
    alert: Summary | None = None,
    ask: bool = False,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    words = _words()
    nonce = secrets.token_urlsafe(16)
    sentence: Bilingual = Phrases(words).say(f"page.{said}", facts)
    html = _template().render(
        words=words["page"],
        said={"ar": sentence.ar, "en": sentence.en},
        alert=alert and {"title": {"ar": alert.title.ar, "en": alert.title.en}},
        ask=ask,
        nonce=nonce,
    )
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return HTMLResponse(html, status, {**(headers or {}), "Content-Security-Policy": policy})
