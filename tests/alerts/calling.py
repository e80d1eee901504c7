"""An API over a database, and clients of each role, for the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partialmethod
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from alerts.api import ApiOptions, Rejected, create_api
from alerts.metrics import ResponseMetrics
from alerts.playbook.records import Bilingual, Playbook
from alerts.records import Decision
from alerts.service import Desk
from alerts.store.access import Role
from alerts.store.database import Database
from alerts.talk import Talk
from models.records import Brand
from tests.alerts.build import PLAYBOOKS, RIMAL, SAQR
from tests.alerts.responding import NOW, Clock, desk

DECISIONS = tuple(
    Decision(
        id=f"d-{number}",
        at="2026-11-21T07:41:41Z",
        brand="rimal-bank",
        signal=f"s-{number}",
        kind="negative_count",
        outcome="not_alerted",
        reason="mentions",
        sentence=Bilingual(ar="قليل", en="few"),
        alert=None,
        observed=number,
        expected=1.0,
        surprise=2.0,
        window_min=5,
    )
    for number in range(1, 6)
)


class Engine:
    """What an engine would know."""

    brands: Sequence[Brand] = (RIMAL, SAQR)
    playbooks: Sequence[Playbook] = tuple(PLAYBOOKS.values())

    def blind(self) -> Sequence[str] | None:
        return ["saqr-air"]

    def talk(self) -> Mapping[str, Talk] | None:
        return {
            "rimal-bank": Talk(
                until_ms=NOW, step_min=30, mentions=(*range(47), 214), negative=(*[0] * 47, 171)
            )
        }

    def decisions(
        self, *, brand: str | None, outcome: str | None, before: int | None, limit: int
    ) -> Sequence[tuple[int, Decision]]:
        found = [
            (number, decision)
            for number, decision in enumerate(DECISIONS, 1)
            if brand in (None, decision.brand)
            and outcome in (None, decision.outcome)
            and (before is None or number < before)
        ]
        return found[::-1][:limit]

    def rejected(self, *, reason: str | None, before: int | None, limit: int) -> Sequence[Rejected]:
        one = Rejected(
            number=1, reason="not_json", detail="is no JSON", source="http", position="7",
            retried=False, raw=b"\xff<script>",
        )  # fmt: skip
        return [one] if reason in (None, one.reason) and (before or 2) > 1 else []


class Client:
    """Requests to an application in this process, one after the other."""

    def __init__(self, app: FastAPI, headers: dict[str, str]) -> None:
        self._app = app
        self.headers = headers

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Send a request and wait for the whole answer."""

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://nadhir") as client:
                sent = {**self.headers, **(headers or {})}
                return await client.request(method, path, headers=sent, **more)

        return asyncio.run(call())

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    delete = partialmethod(request, "DELETE")
    head = partialmethod(request, "HEAD")


class Api:
    """An application, and what opens it."""

    def __init__(self, database: Database, clock: Clock | None = None, **options: Any) -> None:
        self.desk: Desk = desk(database, clock)
        registry = CollectorRegistry()
        registry.register(ResponseMetrics(self.desk))
        given: dict[str, Any] = {"rate_per_min": 100_000, "registry": registry} | options
        self.app: FastAPI = create_api(self.desk, Engine(), ApiOptions(**given))
        self.secrets: dict[str, str] = {}
        roles: tuple[Role, ...] = ("viewer", "responder", "admin")
        for role in roles:
            self.admit(role, role)

    def admit(self, name: str, role: Role) -> None:
        """Give somebody a token."""
        self.secrets[name] = self.desk.tokens.create(name, role, by="test", now_ms=NOW)

    @contextmanager
    def client(self, name: str | None) -> Iterator[Client]:
        """A client that shows somebody's token (of a role: its name), or none."""
        headers = {"authorization": f"Bearer {self.secrets[name]}"} if name else {}
        yield Client(self.app, headers)


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem that an answer tells; it must be one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status_code
    return found
