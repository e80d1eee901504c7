"""What the console is made of beside the API's parts; ``app.state.console``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request

from alerts.api.parts import Parts
from alerts.console.files import Files
from alerts.console.kept import Kept
from alerts.sessions import Sessions


class Page(NamedTuple):
    """A page: its routes; where its entry of the navigation leads, and what that says."""

    router: APIRouter
    path: str = ""
    title: str = ""


@dataclass(slots=True, kw_only=True)
class Console:
    """Sessions, files of the pages, entries of the navigation, and what is the same for all."""

    sessions: Sessions
    files: Files
    nav: list[Page] = field(default_factory=list)
    kept: Kept = field(default_factory=Kept)


def console(request: Request) -> Console:
    """The console of the application."""
    found = request.app.state.console
    assert isinstance(found, Console)
    return found


def parts(request: Request) -> Parts:
    """What the API is made of: the desk, what the engine knows, the feed of changes."""
    found = request.app.state.parts
    assert isinstance(found, Parts)
    return found
