"""`nadhir run` killed at random moments while mentions keep coming: none lost, none twice."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

import httpx

from streams.store import Store
from tests.running import (
    Running,
    crisis,
    eventually,
    journal,
    nadhir,
    write_config,
    write_lines,
)

KILLS = 6
BATCH = 40
SEED = 20


def batches() -> list[list[bytes]]:
    """The stream in parts, each with a line that is broken in its own way."""
    lines = list(crisis())
    parts = [lines[i : i + BATCH] for i in range(0, len(lines), BATCH)]
    return [[*part, b'{"poison": %d' % i] for i, part in enumerate(parts)]


def send(process: Running, batch: list[bytes]) -> bool:
    """Whether the batch was acknowledged."""
    try:
        return process.post(batch).status_code == 202
    except httpx.TransportError:
        return False


def contents(path: Path) -> dict[str, Any]:
    """What must not depend on how often the process died."""
    store = Store(path)
    try:
        state = store.state()
        return {
            "counts": {
                k: v for k, v in state.items() if k.startswith(("all/", "negative/", "platforms/"))
            },
            "detectors": {k: v for k, v in state.items() if k.startswith("detector_")},
            "head": state["head"],
            "signals": list(store.signals()),
            "decisions": list(store.decisions()),
            "cases": store.cases(),
            "waiting": store.waiting(),
        }
    finally:
        store.close()


def rejected(path: Path) -> set[bytes]:
    store = Store(path)
    try:
        return {r.raw for _, r, _ in store.rejected()}
    finally:
        store.close()


def test_kill_9_changes_nothing(tmp_path: Path) -> None:
    live, fresh = tmp_path / "live", tmp_path / "fresh"
    write_config(live)
    write_config(fresh)
    parts = batches()
    rng = random.Random(SEED)
    first = next(i for i, p in enumerate(parts) if _at(p[0]) > "2026-03-02T09:00")
    dies_at = {*rng.sample(range(1, first), KILLS - 2), first + 6}
    deaths = sent = 0
    process = Running(live)
    for i, part in enumerate(parts):
        if i == first:  # the crisis: once at the moment when an alert is stored
            threading.Thread(target=_kill_at_alert, args=(process, live)).start()
        if i in dies_at:
            # in the middle of the work: what was sent is read, stored, published, or not
            threading.Timer(rng.random() * 0.2, process.process.kill).start()
        while not send(process, part):
            deaths += 1
            assert process.stop(signal.SIGKILL) == -signal.SIGKILL, "".join(process.log)
            process = Running(live)
            # the answer to the batch before may have been lost too: it is sent again
            assert send(process, parts[i - 1])
            sent += len(parts[i - 1])
        sent += len(part)
    # more where a batch was stored but not acknowledged
    eventually(lambda: _position(live) > sent and _left(live) == 0)
    assert process.stop() == 0, "".join(process.log)
    assert 3 <= deaths <= KILLS, "a process that is dying twice dies once"

    mentions = [line for part in parts for line in part]
    write_lines(fresh / "m.jsonl", mentions)
    done = nadhir("replay", "m.jsonl", "--alerts", "a.jsonl", cwd=fresh)
    assert done.returncode == 0, done.stderr.decode()
    [replayed] = (fresh / "nadhir-data" / "replay").glob("*.db")
    path = live / "nadhir-data" / "nadhir.db"
    assert contents(path) == contents(replayed)
    assert rejected(path) == rejected(replayed)
    assert len(rejected(path)) == len(parts)

    # every change of every alert was published; again only as the same line
    told = journal(live)
    lines = (live / "alerts.jsonl").read_bytes().splitlines()
    distinct = list(dict.fromkeys(lines))
    for case in contents(path)["cases"]:
        own = [json.loads(line) for line in distinct if json.loads(line)["id"] == case.alert.id]
        lengths = [len(alert["timeline"]) for alert in own]
        assert lengths[0] == 1
        assert lengths == sorted(set(lengths)), "no change twice in different words"
        assert (
            own[-1]["timeline"] == json.loads(_last(fresh / "a.jsonl", case.alert.id))["timeline"]
        )
    assert {a["id"] for a in told} == {c.alert.id for c in contents(path)["cases"]}
    assert told


def _kill_at_alert(process: Running, folder: Path) -> None:
    db = sqlite3.connect(folder / "nadhir-data" / "nadhir.db")
    try:
        eventually(lambda: db.execute("SELECT 1 FROM alerts").fetchone(), every_s=0.001)
    finally:
        db.close()
    process.process.kill()


def _at(line: bytes) -> str:
    return str(json.loads(line)["published_at"])


def _last(path: Path, alert: str) -> bytes:
    return next(x for x in path.read_bytes().splitlines() if json.loads(x)["id"] == alert)


def _left(folder: Path) -> int:
    """Requests that the engine has still to read, or to forget."""
    db = sqlite3.connect(folder / "nadhir-data" / "intake.db")
    try:
        return int(db.execute("SELECT COUNT(*) FROM intake").fetchone()[0])
    finally:
        db.close()


def _position(folder: Path) -> int:
    """Ordinal of the line that the engine reads next."""
    store = Store(folder / "nadhir-data" / "nadhir.db")
    try:
        return int((store.position("intake") or "1:1").split(":")[1])
    finally:
        store.close()
