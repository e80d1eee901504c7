"""``kill -9`` at random moments of a replay: the same alerts, counts and rejections."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.replay import write_results
from streams.simulate import SimulationSpec, ready_brands, simulate_many
from streams.store import Store
from tests.acceptance.replay_child import __file__ as child_file

ROOT = Path(__file__).parents[2]
BROKEN = (b"not json", b'{"id": 7}', b"\xff\xfe", b'{"id":"x","platform":"x","text":"t"}')


def prepare(folder: Path, days: float, rate: float, seed: int = 3) -> None:
    """A stream of two brands, one in an outage, with broken and repeated lines between."""
    brands = ready_brands()[:2]
    shared = {"seed": seed, "start": datetime(2026, 3, 1, tzinfo=UTC), "days": days}
    stream = simulate_many(
        [
            SimulationSpec(scenario="outage", brands=[brands[0]], rate_per_hour=rate, **shared),
            SimulationSpec(scenario="calm", brands=[brands[1]], rate_per_hour=rate, **shared),
        ]
    )
    draw = random.Random(seed)
    with (folder / "mentions.jsonl").open("wb") as out:
        for line in stream.lines():
            out.write(line)
            if draw.random() < 0.01:
                out.write(draw.choice(BROKEN) + b"\n")
            if draw.random() < 0.01:
                out.write(line)
    (folder / "nadhir.yaml").write_text(json.dumps(stream.config()))


def run_child(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, child_file, str(folder), *args],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=600,
    )


def results(folder: Path) -> dict[str, object]:
    """Everything a replay leaves: outputs as bytes, rejections, counts and positions."""
    names = ("alerts", "signals", "decisions")
    paths = {name: folder / f"{name}.jsonl" for name in names}
    write_results(folder / "replay.db", **paths)
    store = Store(folder / "replay.db")
    state = store.state()
    found: dict[str, object] = {name: path.read_bytes() for name, path in paths.items()}
    found["rejected"] = [(r.reason, r.position, r.raw) for _, r, _ in store.rejected()]
    for part in ("all", "negative", "platforms", "emphasis", "detector_"):
        found[part] = {k: v for k, v in state.items() if k.startswith(part)}
    store.close()
    return found


def interrupted(folder: Path, kills: int, seed: int) -> int:
    """Replay with so many kills at random moments; how many runs resumed the work."""
    whole = folder / "whole"
    killed = folder / "killed"
    for path in (whole, killed):
        path.mkdir()
        for name in ("mentions.jsonl", "nadhir.yaml"):
            shutil.copy(folder / name, path / name)
    done = run_child(whole)
    assert done.returncode == 0, done.stderr
    draw = random.Random(seed)
    struck = 0
    for _ in range(kills):
        ended = run_child(killed, f"{draw.uniform(0.3, 2.5):.3f}")
        if ended.returncode == 0:
            # it came to its end before the blow: begin anew and go on striking
            assert results(killed) == results(whole)
            continue
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        struck += 1
    ended = run_child(killed)
    assert ended.returncode == 0, ended.stderr
    assert results(killed) == results(whole)
    outcome = results(whole)
    assert outcome["alerts"]
    assert len(outcome["rejected"]) > 10  # type: ignore[arg-type]
    return struck


def test_twenty_kills_change_nothing(tmp_path: Path) -> None:
    prepare(tmp_path, days=12, rate=100)
    struck = interrupted(tmp_path, kills=20, seed=11)
    assert struck >= 15


@pytest.mark.soak
def test_two_hundred_kills_change_nothing(tmp_path: Path) -> None:
    prepare(tmp_path, days=20, rate=300)
    assert interrupted(tmp_path, kills=200, seed=12) >= 150
