"""Somebody who looks at the console without a browser: requests in this process, with a session."""

from __future__ import annotations

import re
from typing import Any

import httpx

from alerts.api import ApiOptions
from alerts.console import create_app
from alerts.service import Desk
from alerts.store.access import Role
from tests.alerts.calling import Client, Engine
from tests.alerts.responding import NOW

HOST = "http://127.0.0.1"
HTML = {"accept": "text/html"}


class Looker:
    """A visitor with a role, who has logged in."""

    def __init__(self, desk: Desk, role: Role = "responder", engine: Engine | None = None) -> None:
        self._app = create_app(desk, engine or Engine(), ApiOptions(rate_per_min=100_000))
        secret = desk.tokens.create(f"{role}-1", role, by="test", now_ms=NOW)
        self._client = Client(self._app, {"host": "127.0.0.1", "origin": HOST, **HTML})
        answer = self._client.post("/login", data={"token": secret})
        assert answer.status_code == 303, answer.text
        self._client.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]

    def get(self, path: str, language: str = "en") -> str:
        """A page, which must be there."""
        answer = self._client.get(path, headers={"accept-language": language})
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, page: str = "/silences", **fields: Any) -> httpx.Response:
        """Send a form that a page had."""
        mark = re.search(r'name="mark" value="([^"]+)"', self.get(page))
        assert mark
        return self._client.post(path, data={"mark": mark[1], **fields})
