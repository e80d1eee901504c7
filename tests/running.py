"""Real `nadhir` processes, and the small crisis that tests feed them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from streams.simulate import SimulationSpec, ready_brands, simulate, simulate_many

ROOT = Path(__file__).resolve().parents[1]
START = datetime(2026, 3, 1, tzinfo=UTC)
CONFIG = """
brands:
  - id: acme
    names: ["Acme", "أكمي"]
    keywords: ["acme card"]
    handles: ["acme", "acme_sa"]
    accounts: [{platform: x, id: "42", handle: acme, name: "Acme"}]
    domains: ["acme.com", "acme.sa"]
    timezone: Asia/Riyadh
"""


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that must not see that of the tests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NADHIR_", "PYTHON", "LC_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def nadhir(
    *arguments: str | Path,
    cwd: Path,
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *map(str, arguments)],
        cwd=cwd, input=stdin, env=env or environment(), capture_output=True, timeout=300,
    )  # fmt: skip


@cache
def crisis() -> tuple[bytes, ...]:
    """Two days of a brand with an outage on the second, as lines: one alert opens and resolves."""
    spec = SimulationSpec(scenario="outage", seed=3, days=2.0, rate_per_hour=20.0, start=START)
    return tuple(line.rstrip(b"\n") for line in simulate(spec).lines())


@cache
def two_brands() -> tuple[bytes, ...]:
    """The same crisis beside a brand that is calm."""
    hit, calm = ready_brands()[:2]
    common = {"seed": 3, "days": 2.0, "rate_per_hour": 20.0, "start": START}
    both = simulate_many(
        [
            SimulationSpec("outage", brands=[hit], **common),
            SimulationSpec("calm", brands=[calm], **common),
        ]
    )
    return tuple(line.rstrip(b"\n") for line in both.lines())


def write_config(folder: Path, **more: Any) -> Path:
    """A configuration of the simulated brands; JSON is YAML too."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "nadhir.yaml"
    brands = [brand.config() for brand in ready_brands()[:2]]
    path.write_text(json.dumps({"brands": brands, **more}, ensure_ascii=False), encoding="utf-8")
    return path


def write_lines(path: Path, lines: Iterable[bytes]) -> Path:
    """A file of JSON Lines."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def mention(id_: str, text: str, at: str = "2026-03-01T09:00:00Z", **more: Any) -> bytes:
    """One mention as a line."""
    record = {"id": id_, "platform": "x", "published_at": at, "text": text, **more}
    return json.dumps(record, ensure_ascii=False).encode()


def journal(folder: Path) -> list[dict[str, Any]]:
    """What the journal receiver wrote so far; every line must be whole."""
    path = folder / "alerts.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def eventually(holds: Callable[[], Any], within_s: float = 60.0, *, every_s: float = 0.02) -> Any:
    """Wait until something holds, and return it; fails if it never does."""
    end = time.monotonic() + within_s
    while not (found := holds()):
        if time.monotonic() > end:
            raise AssertionError(f"never came: {holds}")
        time.sleep(every_s)
    return found


class Running:
    """A `nadhir` process, ready for mentions over HTTP unless it is not to serve."""

    def __init__(
        self,
        folder: Path,
        *arguments: str | Path,
        env: dict[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        serves: bool = True,
        command: str = "run",
    ) -> None:
        self.log: list[str] = []
        line = [sys.executable, "-m", "streams.cli", command, *map(str, arguments)]
        if serves:
            line += ["--port", "0"]
        self.process = subprocess.Popen(
            line, cwd=folder, env=env or environment(), stdin=stdin,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.http = httpx.Client(base_url=self._address() if serves else "http://none")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line.decode("utf-8", "replace"))

    def _address(self) -> str:
        def address() -> str | None:
            if self.process.poll() is not None:
                raise AssertionError(f"ended early: {''.join(self.log)}")
            found = re.search(
                r"(?:intake|API) at (http://\S+?)(?:/v1/mentions)?\s", "".join(self.log)
            )
            return found[1] if found else None

        return str(eventually(address))

    def post(self, lines: Sequence[bytes], **headers: str) -> httpx.Response:
        """Send mentions as NDJSON."""
        head = {"content-type": "application/x-ndjson", **headers}
        return self.http.post("/v1/mentions", content=b"\n".join(lines), headers=head)

    def metric(self, name: str) -> float:
        """Value of a counter or gauge, over all its labels."""
        text = self.http.get("/metrics").text
        found = re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.MULTILINE)
        return sum(map(float, found))

    def read(self) -> float:
        """How many mentions were read and could be."""
        received, rejected = (f"nadhir_mentions_{word}_total" for word in ("received", "rejected"))
        return self.metric(received) - self.metric(rejected)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end."""
        code = self.process.wait(60)
        self._reader.join(10)
        self.http.close()
        assert self.process.stderr is not None
        self.process.stderr.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        return code

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.stderr is not None and not self.process.stderr.closed:
            self.stop(signal.SIGKILL)
