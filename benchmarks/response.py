"""The response side on a real PostgreSQL: a page of many alerts, an acknowledgement, its effect.

The floor beside which it is measured is the same page read by hand-written SQL through psycopg.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable
from statistics import median

import httpx
import msgspec
import psycopg

from alerts.api import ApiOptions
from alerts.api.app import create_api
from alerts.records import Alert
from alerts.store import rows
from alerts.store.database import Database
from alerts.store.queue import StoredQueue
from alerts.store.rows import Row
from alerts.store.tables import alerts as table
from benchmarks.rows import row_of
from tests.alerts.calling import Engine
from tests.alerts.responding import NOW, Clock, desk, first
from tests.postgres import Postgres

_ALERTS = 100_000
_ASKED = 60  # requests of each kind
_UNRESOLVED = 1_000  # the newest, of which three in five are resolved, too
_STATES = ("open", "acknowledged", "resolved", "resolved", "resolved")
_SEVERITIES = ("watch", "watch", "warning", "critical")


def run() -> list[str]:
    """Measure, as lines of a table."""
    logging.disable(logging.WARNING)
    server = Postgres()
    try:
        url = server.url(server.create())
        database = Database(url)
        _fill(database)
        measured = asyncio.run(_measure(database, url))
        database.close()
    finally:
        server.stop()
    return [
        "| what | median ms | 95 % ms |",
        "|---|---|---|",
        *(f"| {name} | {median(ms):.1f} | {sorted(ms)[int(0.95 * len(ms))]:.1f} |"
          for name, ms in measured.items()),
    ]  # fmt: skip


def _fill(database: Database) -> None:
    """Many alerts, as a busy year of many brands would leave them.

    What fusion said of them is kept out of line by PostgreSQL and not read for a page; only those
    that are read whole have it, or filling would take minutes.
    """
    alert = first()
    body = msgspec.json.encode(alert)
    for start in range(0, _ALERTS, 5_000):
        values = [
            msgspec.structs.asdict(_row(alert, number))
            | {"body": body if number < _ASKED else b"{}"}
            for number in range(start, start + 5_000)
        ]
        with database.write() as connection:
            connection.execute(table.insert(), values)
    with database.write() as connection:
        connection.exec_driver_sql("ANALYZE")


def _row(alert: Alert, number: int) -> Row:
    mixed = int.from_bytes(hashlib.blake2b(b"%d" % number, digest_size=4).digest(), "big")
    return row_of(
        alert,
        number,
        state=_STATES[mixed % 5] if number < _UNRESOLVED else "resolved",
        brand=f"brand-{mixed % 97}",
        severity=_SEVERITIES[mixed % 4],
        score=50,
        opened_ms=NOW - number * 60_000,
        updated_ms=NOW,
    )


async def _measure(database: Database, url: str) -> dict[str, list[float]]:
    served = desk(database, Clock())
    secret = served.tokens.create("bench", "responder", by="bench", now_ms=NOW)
    app = create_api(served, Engine(), ApiOptions(rate_per_min=1_000_000, open_metrics=True))
    found: dict[str, list[float]] = {}
    headers = {"authorization": f"Bearer {secret}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://b", headers=headers) as http:

        async def timed(name: str, method: str, path: str, **more: object) -> httpx.Response:
            began = time.perf_counter()
            answer = await http.request(method, path, **more)  # type: ignore[arg-type]
            found.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
            return answer

        deep = f"{NOW - 90_000 * 60_000}.a-{90_000:016x}"
        for turn in range(_ASKED):
            await timed("first page of 50, of 100,000", "GET", "/v1/alerts")
            await timed("page after 90,000 alerts", "GET", f"/v1/alerts?cursor={deep}")
            await timed("open and critical", "GET", "/v1/alerts?state=open&severity=critical")
            brand = f"/v1/alerts?brand=brand-{turn}&state=open"
            await timed("open ones of a brand", "GET", brand)
            await timed("one alert whole", "GET", f"/v1/alerts/a-{turn:016x}")
        await _acknowledge(served.database, timed, found)
    found["floor: the first page by psycopg alone"] = _floor(url)
    return found


async def _acknowledge(
    database: Database, timed: Callable[..., object], found: dict[str, list[float]]
) -> None:
    """From the request until a dispatcher that asks is told no."""
    queue = StoredQueue(database)
    running = desk(database, Clock())
    for number in range(_ASKED):
        alert = msgspec.structs.replace(first(), id=f"b-{number:016x}")
        running.take(alert)
        due = queue.claim(NOW, 10, 10**6)
        held = [one for one in due if one.notification.key.startswith(f"{alert.id}:1:opened")]
        assert len(held) == 2
        began = time.perf_counter()
        path = f"/v1/alerts/{alert.id}/acknowledge"
        await timed("acknowledge", "POST", path, json={}, headers={"if-match": '"1"'})  # type: ignore[misc]
        assert not any(queue.wanted(one.id) for one in held)
        ms = (time.perf_counter() - began) * 1000
        found.setdefault("acknowledge, until nobody is called any more", []).append(ms)


def _floor(url: str) -> list[float]:
    names = ", ".join(name for name in rows.Row.__struct_fields__)
    query = f"SELECT {names} FROM alerts ORDER BY opened_ms DESC, id DESC LIMIT 51"
    times = []
    with psycopg.connect(url) as connection:
        for _ in range(_ASKED):
            began = time.perf_counter()
            json.dumps(connection.execute(query.encode()).fetchall())
            times.append((time.perf_counter() - began) * 1000)
    return times
