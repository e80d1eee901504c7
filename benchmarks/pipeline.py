"""The whole embedded pipeline against the floor of decoding the same bytes and dropping them.

Each measurement runs in a process of its own, bound to one core.  Start-up (models, automaton) is
reported apart, since it does not grow with the stream.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

RATE_PER_HOUR = 10_000  # mentions of all brands together
CASES = ((10, 100_000), (10, 1_000_000), (1_000, 100_000), (1_000, 1_000_000))


@dataclass(frozen=True, slots=True)
class Measured:
    """One case: microseconds a mention of CPU time, of one core."""

    brands: int
    mentions: int
    bytes_per_mention: int
    floor_us: float
    pipeline_us: float
    start_s: float
    peak_mb: float
    alerts: int

    @property
    def ratio(self) -> float:
        """Pipeline over floor."""
        return self.pipeline_us / self.floor_us


def measure(brands: int, mentions: int) -> Measured:
    """Simulate a stream and measure it in a child process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        _simulate(path, brands, mentions)
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.pipeline", folder],
            check=True,
            stdout=subprocess.PIPE,
        )
        return Measured(brands=brands, **json.loads(child.stdout))


def _simulate(path: Path, brands: int, mentions: int) -> None:
    from streams.simulate import SimulationSpec, synthetic_brands, write

    days = mentions / RATE_PER_HOUR / 24
    names = synthetic_brands(brands)
    loud = max(1, brands // 100)  # one brand in a hundred has a crisis
    specs = [
        SimulationSpec(
            scenario=scenario,
            seed=1,
            brands=some,
            days=days,
            rate_per_hour=RATE_PER_HOUR / brands,
        )
        for scenario, some in (("outage", names[:loud]), ("calm", names[loud:]))
    ]
    with (path / "mentions.jsonl").open("wb") as out:
        write(specs, out, truth=None, config=path / "nadhir.yaml")


def _child(path: Path) -> dict[str, float]:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    file = path / "mentions.jsonl"
    floor_us, lines, size = _floor(file)
    before = time.process_time()
    from streams.config import load
    from streams.pipeline import open_pipeline
    from streams.replay import run as run_replay
    from streams.sources import open_source
    from streams.store import Store

    store = Store(path / "bench.db")
    pipeline = open_pipeline(load(path / "nadhir.yaml", {}), store)
    source = open_source(str(file))
    source.seek(None)
    started = time.process_time()
    run_replay(source, pipeline)
    spent = time.process_time() - started
    again_us, _, _ = _floor(file)
    return {
        "mentions": lines,
        "bytes_per_mention": size // lines,
        "floor_us": (floor_us + again_us) / 2,
        "pipeline_us": spent / lines * 1e6,
        "start_s": started - before,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "alerts": pipeline.counters.alerts,
    }


def _floor(file: Path) -> tuple[float, int, int]:
    """Decode with orjson and drop: microseconds a line, lines, bytes."""
    lines = size = 0
    spent = 0.0
    with file.open("rb") as data:
        while chunk := data.readlines(1 << 20):
            began = time.process_time()
            for line in chunk:
                orjson.loads(line)
            spent += time.process_time() - began
            lines += len(chunk)
            size += sum(map(len, chunk))
    return spent / lines * 1e6, lines, size


def run() -> list[str]:
    """Measure every case; the lines of a Markdown table."""
    table = [
        "| brands | mentions | bytes | floor µs | pipeline µs | ratio | mentions/s | start s "
        "| peak MB | alerts |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for brands, mentions in CASES:
        m = measure(brands, mentions)
        table.append(
            f"| {m.brands:,} | {m.mentions:,} | {m.bytes_per_mention} | {m.floor_us:.2f} "
            f"| {m.pipeline_us:.1f} | {m.ratio:.1f} | {1e6 / m.pipeline_us:,.0f} "
            f"| {m.start_s:.1f} | {m.peak_mb:.0f} | {m.alerts} |"
        )
        print(table[-1], flush=True)
    return table


if __name__ == "__main__":
    print(json.dumps(_child(Path(sys.argv[1]))))
