"""The console, composed in one place with the API that it stands beside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from alerts.api import ApiOptions, EngineView, create_api
from alerts.console import live, login, static
from alerts.console.console import Console, Page
from alerts.console.files import Files
from alerts.console.pages import PAGES
from alerts.console.route import failed
from alerts.service import Desk
from alerts.sessions import Sessions


def create_app(desk: Desk, view: EngineView, options: ApiOptions) -> FastAPI:
    """The API with the console beside it, under ``/``."""
    app = create_api(desk, view, options)
    app.state.console = Console(sessions=Sessions(desk.database), files=Files())
    for router in (static.router, login.router, live.router):
        app.include_router(router, include_in_schema=False)
    for page in PAGES:
        add_page(app, page)
    app.add_exception_handler(HTTPException, _for_people(app))
    return app


def add_page(app: FastAPI, page: Page) -> None:
    """Add a page: its routes, and its entry in the navigation where it has a path."""
    app.include_router(page.router, include_in_schema=False)
    if page.path:
        app.state.console.nav.append(page)


def _for_people(app: FastAPI) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What no route was found for is told as a page to whoever asks for one."""
    told = app.exception_handlers[HTTPException]

    async def handler(request: Request, error: Exception) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return failed(request, error)
        answer = told(request, error)
        return answer if isinstance(answer, Response) else await answer

    return handler
