"""A console over a database, and browsers of people with a role, for the tests."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import Any

import httpx
from fastapi import FastAPI

from alerts.api import ApiOptions
from alerts.console import create_app
from alerts.service import Desk
from alerts.store.access import Role
from alerts.store.database import Database
from tests.alerts.calling import Engine
from tests.alerts.responding import NOW, Clock, desk

HERE = "http://127.0.0.1:8080"
ROLES: tuple[Role, ...] = ("viewer", "responder", "admin")
MARK = re.compile(r'name="mark" value="([0-9a-f]{64})"')


class Browser:
    """Keeps cookies, says where its forms come from, follows nothing by itself."""

    def __init__(self, app: FastAPI, base: str = HERE, language: str = "en") -> None:
        self._app = app
        self.base = base
        self.cookies: dict[str, str] = {}
        self.language = language

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Send a request, take the cookies of its answer."""

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.base) as client:
                sent = {"accept": "text/html", "accept-language": self.language} | (headers or {})
                if self.cookies:
                    sent["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
                return await client.request(method, path, headers=sent, **more)

        answer = asyncio.run(call())
        for header in answer.headers.get_list("set-cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return answer

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Look at a page."""
        return self.request("GET", path, headers)

    def send(
        self, path: str, headers: dict[str, str] | None = None, **fields: Any
    ) -> httpx.Response:
        """Send a form, with the mark of this browser's own pages unless another is given."""
        if "mark" not in fields and self.cookies:
            fields["mark"] = self.mark()
        sent = {"origin": self.base} | (headers or {})
        return self.request("POST", path, sent, data=fields)

    def mark(self) -> str:
        """What this session's forms hold."""
        found = MARK.search(self.get("/").text)
        assert found
        return found[1]


class Site:
    """A console, and who may enter."""

    def __init__(self, database: Database, clock: Clock | None = None, **more: Any) -> None:
        self.clock = clock or Clock()
        self.desk: Desk = desk(database, self.clock, **{"public_url": None, **more})
        self.app = create_app(self.desk, Engine(), ApiOptions(rate_per_min=100_000))
        self.secrets = {
            role: self.desk.tokens.create(role, role, by="test", now_ms=NOW) for role in ROLES
        }

    def browser(
        self, role: str | None = None, *, base: str = HERE, language: str = "en"
    ) -> Browser:
        """A browser in which somebody has logged in, if anybody."""
        made = Browser(self.app, base, language)
        if role is not None:
            answer = made.send("/login", token=self.secrets[role])
            assert answer.status_code == 303, answer.text
        return made

    def admit(self, name: str, role: Role) -> None:
        """Give somebody a token."""
        self.secrets[name] = self.desk.tokens.create(name, role, by="test", now_ms=NOW)


def text_of(page: httpx.Response) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())
