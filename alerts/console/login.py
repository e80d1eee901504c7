"""Logging in with a token, and out."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alerts.api.depends import address, limit
from alerts.console.console import console, parts
from alerts.console.form import Filled, Login
from alerts.console.route import ConsoleRoute
from alerts.console.show import show
from alerts.console.who import Viewer, cookie_name, is_encrypted, visitor_of
from alerts.origin import is_local
from alerts.sessions import LIFE_MS

router = APIRouter(route_class=ConsoleRoute)
_MOST_CHARS = 200  # of a token


@router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:  # noqa: A002
    """Ask for a token."""
    if visitor_of(request) is not None:
        return RedirectResponse(_inside(next), 303)
    return _page(request, _inside(next))


@router.post("/login")
def log_in(request: Request, form: Login) -> Response:
    """Begin a session for whoever shows a token."""
    onward = _inside(form.get("next"))
    if not is_encrypted(request) and not is_local(request):
        return _page(request, onward, status=400)  # which says so
    secret = form.get("token")[:_MOST_CHARS]
    bearer = parts(request).desk.tokens.bearer(secret) if secret.isascii() else None
    if bearer is None:
        limit(request, address(request))
        return _page(request, onward, status=403, wrong=True)
    now_ms = parts(request).desk.clock()
    answer = RedirectResponse(onward, 303)
    answer.set_cookie(
        cookie_name(request),
        console(request).sessions.begin(bearer, now_ms=now_ms),
        max_age=LIFE_MS // 1000,
        path="/",
        secure=is_encrypted(request),
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout")
def log_out(request: Request, visitor: Viewer, _: Filled) -> Response:
    """End the session, wherever its cookie went."""
    console(request).sessions.end(visitor.session, now_ms=parts(request).desk.clock())
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(
        cookie_name(request), secure=is_encrypted(request), httponly=True, samesite="strict"
    )
    return answer


def _page(request: Request, onward: str, *, status: int = 200, wrong: bool = False) -> Response:
    return show(
        request,
        "login.html.j2",
        None,
        status=status,
        onward=onward,
        wrong=wrong,
        open_line=not is_encrypted(request) and not is_local(request),
    )


def _inside(path: str) -> str:
    """Where to go on: a path of this site, or its beginning.

    Examples
    --------
    >>> [_inside(p) for p in ("/alerts/a-1?x=1", "//evil.example", "/\\\\evil", "https://e.example")]
    ['/alerts/a-1?x=1', '/', '/', '/']
    """
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"
