"""The supervisor of a worker: whom it starts again, and that none outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.running import eventually

STAGES = ("score", "detect")
SCRIPT = """
import os, sys, time
from pathlib import Path
from streams.kafka import supervisor
from streams.kafka.supervisor import supervise

supervisor._BACKOFF_S = (0.0,) * 5

def run(stage):
    with Path("begun").open("a") as file:
        file.write(f"{stage} {os.getpid()}\\n")
    if sys.argv[1:] == [stage]:
        sys.exit(3)
    time.sleep(600)

sys.exit(supervise(("score", "detect"), run))
"""


def start(folder: Path, *failing: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *failing],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        start_new_session=True,
    )


def begun(folder: Path) -> list[tuple[str, int]]:
    """Stages that have begun so far, with their processes."""
    file = folder / "begun"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(stage, int(pid)) for stage, pid in map(str.split, lines)]


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has waited for does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = start(tmp_path)
    try:
        eventually(lambda: len(begun(tmp_path)) == len(STAGES))
        yield process
    finally:
        with suppress(ProcessLookupError):  # all have ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_stages_end_with_it_in_order(running: subprocess.Popen[bytes], tmp_path: Path) -> None:
    running.terminate()
    assert running.wait(20) == 0
    assert not any(alive(pid) for _, pid in begun(tmp_path))


def test_none_outlives_it(running: subprocess.Popen[bytes], tmp_path: Path) -> None:
    running.kill()
    running.wait()
    eventually(lambda: not any(alive(pid) for _, pid in begun(tmp_path)))


def test_a_stage_that_was_killed_begins_anew(
    running: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    (first, killed), (_, other) = begun(tmp_path)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: len(begun(tmp_path)) == 3)
    again, pid = begun(tmp_path)[2]
    assert (again, pid != killed) == (first, True)
    assert alive(other)
    assert Path(f"/proc/{pid}/comm").read_text() == f"nadhir-{first}\n"


def test_a_stage_that_cannot_run_ends_all(tmp_path: Path) -> None:
    process = start(tmp_path, "detect")
    assert process.wait(60) == 3
    stages = [stage for stage, _ in begun(tmp_path)]
    assert (stages.count("score"), stages.count("detect")) == (1, 6)
    assert not any(alive(pid) for _, pid in begun(tmp_path))
