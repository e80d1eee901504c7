"""The console with ten thousand alerts: each page, and two hundred people who watch at once."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from alerts.api import ApiOptions
from alerts.console import create_app
from alerts.records import rfc3339
from alerts.service import Desk
from alerts.store.database import Database
from alerts.store.rows import Row
from alerts.store.tables import alerts as table
from benchmarks.rows import row_of
from tests.alerts.calling import Engine
from tests.alerts.responding import Clock, desk, first
from tests.running import Running, write_config

_ALERTS = 10_000
_UNRESOLVED = 60
_ASKED = 40  # requests of each page
_VIEWERS = 200
_CHANGES = 10
_STATES = ("open", "acknowledged")
_SEVERITIES = ("watch", "watch", "warning", "critical")


@dataclass(frozen=True)
class Sizes:
    """How much of everything; a test takes very little."""

    alerts: int = _ALERTS
    asked: int = _ASKED
    viewers: int = _VIEWERS
    changes: int = _CHANGES


def run(sizes: Sizes = Sizes()) -> list[str]:
    """Measure, as lines of a table."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        write_config(Path(folder), paths={"data": folder}, api={"rate_per_min": 100_000})
        database = Database(Path(folder) / "response.db")
        now_ms = time.time_ns() // 1_000_000
        try:
            _fill(database, sizes.alerts, now_ms)
            served = desk(database, Clock(now_ms))
            measured = asyncio.run(_pages(served, sizes))
            watched = _watched(Path(folder), served, sizes)
        finally:
            database.close()
    return [
        "| page | median ms | 95 % ms |",
        "|---|---|---|",
        *(f"| {name} | {median(ms):.1f} | {sorted(ms)[int(0.95 * len(ms))]:.1f} |"
          for name, ms in measured.items()),
        "",
        *watched,
    ]  # fmt: skip


def _fill(database: Database, count: int, now_ms: int) -> None:
    """Alerts of a year, the newest not resolved; each is whole, as its page needs it."""
    alert = first()
    for start in range(0, count, 1_000):
        values = []
        for number in range(start, min(start + 1_000, count)):
            opened_ms = now_ms - number * 3_000_000
            whole = msgspec.structs.replace(
                alert, id=f"a-{number:016x}", opened_at=rfc3339(opened_ms)
            )
            row = _row(number, opened_ms)
            values.append(msgspec.structs.asdict(row) | {"body": msgspec.json.encode(whole)})
        with database.write() as connection:
            connection.execute(table.insert(), values)


def _row(number: int, opened_ms: int) -> Row:
    return row_of(
        first(),
        number,
        state=_STATES[number % 2] if number < _UNRESOLVED else "resolved",
        severity=_SEVERITIES[number % 4],
        opened_ms=opened_ms,
        updated_ms=opened_ms,
    )


async def _pages(served: Desk, sizes: Sizes) -> dict[str, list[float]]:
    app = create_app(served, Engine(), ApiOptions(rate_per_min=1_000_000))
    secret = served.tokens.create("bench", "responder", by="bench", now_ms=served.clock())
    host = "http://localhost"
    found: dict[str, list[float]] = {}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=host) as http:
        answer = await http.post("/login", data={"token": secret}, headers={"origin": host})
        assert answer.status_code == 303, answer.text
        oldest_ms = served.clock() - sizes.alerts * 3_000_000
        old = urlencode({"cursor": f"{oldest_ms + 150_000_000}.x"})  # fifty before the end
        for turn in range(sizes.asked):
            for name, path in (
                ("now", "/"),
                ("an alert", f"/alerts/a-{turn:016x}"),
                ("history", "/history"),
                ("history, the last page", f"/history?{old}"),
                ("history, open and critical", "/history?state=open&severity=critical"),
                ("silences", "/silences"),
                ("decisions", "/decisions"),
                ("rejected", "/rejected"),
                ("a playbook", "/playbooks/service_outage"),
                ("brands", "/brands"),
            ):
                began = time.process_time()
                answer = await http.get(path)
                found.setdefault(name, []).append((time.process_time() - began) * 1000)
                answer.raise_for_status()
    return {name: ms[1:] for name, ms in found.items()}  # the first compiles the template


# watching ---------------------------------------------------------------------------------


@dataclass
class Watching:
    """What the viewers saw: by change, after how many ms each heard of it and had the new page."""

    began: list[float] = field(default_factory=list)
    heard: list[list[float]] = field(default_factory=list)
    fresh: list[list[float]] = field(default_factory=list)


def _watched(folder: Path, served: Desk, sizes: Sizes) -> list[str]:
    """`nadhir api` in a process of its own, people who watch it, and alerts that come."""
    secrets = [
        served.tokens.create(f"v{n}", "viewer", by="bench", now_ms=served.clock())
        for n in range(sizes.viewers)
    ]
    with Running(folder, command="api") as process:
        url = str(process.http.base_url)
        seen = asyncio.run(_watch(url, secrets, served, sizes))
        process.stop()
    heard = sorted(ms for change in seen.heard for ms in change)
    fresh = sorted(ms for change in seen.fresh for ms in change)
    wanted = sizes.viewers * sizes.changes
    return [
        f"{sizes.viewers} viewers of one `nadhir api`, {sizes.changes} alerts one after the other:"
        f" {len(heard):,} of {wanted:,} events came, after {median(heard):.0f} ms (95 % "
        f"{heard[int(0.95 * len(heard))]:.0f} ms); {len(fresh):,} pages were fetched anew by then, "
        f"the new alert on each, {median(fresh):.0f} ms after it (95 % "
        f"{fresh[int(0.95 * len(fresh))]:.0f} ms)."
    ]


async def _watch(url: str, secrets: Sequence[str], served: Desk, sizes: Sizes) -> Watching:
    seen = Watching()
    limits = httpx.Limits(max_connections=sizes.viewers)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as http:
        cookies = [await _log_in(http, url, secret) for secret in secrets]
        ready = asyncio.Semaphore(0)
        viewers = [
            asyncio.create_task(_viewer(http, url, cookie, seen, ready, number))
            for number, cookie in enumerate(cookies)
        ]
        for _ in viewers:
            await ready.acquire()
        for change in range(sizes.changes):
            seen.heard.append([])
            seen.fresh.append([])
            seen.began.append(time.perf_counter())
            alert = msgspec.structs.replace(first(), id=f"a-new-{change}")
            await asyncio.to_thread(served.take, alert)
            for _ in viewers:
                await asyncio.wait_for(ready.acquire(), 60)
        for viewer in viewers:
            viewer.cancel()
        await asyncio.gather(*viewers, return_exceptions=True)
    return seen


async def _log_in(http: httpx.AsyncClient, url: str, secret: str) -> str:
    http.cookies.clear()
    origin = {"origin": url.rstrip("/")}
    answer = await http.post("/login", data={"token": secret}, headers=origin)
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"].partition(";")[0]
    http.cookies.clear()
    return str(cookie)


async def _viewer(
    http: httpx.AsyncClient,
    url: str,
    cookie: str,
    seen: Watching,
    ready: asyncio.Semaphore,
    number: int,
) -> None:
    """What a browser does: listen, and after a moment fetch the page anew."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(f"GET /live HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {cookie}\r\n\r\n".encode())
    known: set[str] = set()
    try:
        async for line in reader:
            if line.startswith(b"retry:"):
                ready.release()
            if not line.startswith(b"data: "):
                continue
            alert = json.loads(line[6:])["alert"]
            if alert is None or alert in known:  # an alert may come with several rows
                continue
            known.add(alert)
            change = len(seen.began) - 1
            seen.heard[change].append((time.perf_counter() - seen.began[change]) * 1000)
            await asyncio.sleep(0.15 + 0.45 * number / _VIEWERS)  # as console.js spreads them
            page = await http.get("/", headers={"cookie": cookie, "accept": "text/html"})
            assert f'data-alert="{alert}"' in page.text, page.text[:300]
            seen.fresh[change].append((time.perf_counter() - seen.began[change]) * 1000)
            ready.release()
    finally:
        writer.close()
