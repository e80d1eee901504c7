"""The whole embedded pipeline against the floor of decoding the same bytes and dropping them.

Each measurement runs in a process of its own, bound to one core, the floor just before and after.
The cases take turns, and of every slice of a stream the least time counts, of the floor as well:
other programs of the machine only ever add, and seldom to the same slice in every turn.  Start-up
(models, automaton) is reported apart: it does not grow with the stream.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import orjson

if TYPE_CHECKING:
    from streams.pipeline import Pipeline
    from streams.sources import Source

RATE_PER_HOUR = 10_000  # mentions of all brands together
TURNS = 4
SLICE = 50_000  # mentions; a commit ends each, so that every turn does the same in it
# what was promised: times the floor, peak memory, and how far costs may differ
MOST_RATIO, MOST_MB, MOST_UNEVEN = 60.0, 700.0, 1.15


class Case(NamedTuple):
    """Brands that are watched, those of them that are spoken of, and those in a crisis."""

    watched: int
    spoken_of: int
    in_crisis: int
    mentions: int


CASES = (
    Case(10, 10, 1, 100_000),
    Case(10, 10, 1, 1_000_000),
    Case(1_000, 10, 1, 100_000),
    Case(1_000, 10, 1, 1_000_000),
    Case(1_000, 1_000, 1, 100_000),
    Case(1_000, 1_000, 1, 1_000_000),
    Case(1_000, 1_000, 10, 1_000_000),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a case, CPU time of one core; ``slices_s`` of each slice and of the end."""

    mentions: int
    bytes_per_mention: int
    floor_us: float
    slices_s: tuple[float, ...]
    start_s: float
    peak_mb: float
    alerts: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What all turns of a case say: microseconds a mention of CPU time, of one core."""

    case: Case
    mentions: int
    bytes_per_mention: int
    floor_us: float
    pipeline_us: float
    start_s: float
    peak_mb: float
    alerts: int


def _measure(folder: Path) -> Turn:
    """One run over a simulated stream in a child process."""
    for file in folder.glob("bench.db*"):
        file.unlink()
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.pipeline", str(folder)],
        check=True,
        stdout=subprocess.PIPE,
    )
    return msgspec.json.decode(child.stdout, type=Turn)


def _simulate(path: Path, case: Case) -> None:
    from streams.simulate import SimulationSpec, synthetic_brands, write

    days = case.mentions / RATE_PER_HOUR / 24
    names = synthetic_brands(case.watched)[: case.spoken_of]
    specs = [
        SimulationSpec(
            scenario=scenario,
            seed=1,
            brands=some,
            days=days,
            rate_per_hour=RATE_PER_HOUR / case.spoken_of,
        )
        for scenario, some in (
            ("outage", names[: case.in_crisis]),
            ("calm", names[case.in_crisis :]),
        )
        if some
    ]
    with (path / "mentions.jsonl").open("wb") as out:
        write(specs, out, truth=None, config=None)
    brands = [brand.config() for brand in synthetic_brands(case.watched)]
    (path / "nadhir.yaml").write_text(json.dumps({"brands": brands}))


def _child(path: Path) -> Turn:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    file = path / "mentions.jsonl"
    floor_us, lines, size = _floor(file)
    before = time.process_time()
    from streams.config import load
    from streams.pipeline import open_pipeline
    from streams.sources import open_source
    from streams.store import Store

    store = Store(path / "bench.db")
    pipeline = open_pipeline(load(path / "nadhir.yaml", {}), store)
    source = open_source(str(file))
    source.seek(None)
    started = time.process_time()
    slices_s = _slices(source, pipeline)
    again_us, _, _ = _floor(file)
    return Turn(
        mentions=lines,
        bytes_per_mention=size // lines,
        floor_us=min(floor_us, again_us),
        slices_s=tuple(slices_s),
        start_s=started - before,
        peak_mb=_peak_mb(),
        alerts=pipeline.counters.alerts,
    )


def _slices(source: Source, pipeline: Pipeline) -> list[float]:
    """Replay to the end; CPU seconds of each slice, and of what comes after the last."""
    from streams.replay import run as run_replay

    spent: list[float] = []
    began, reached = time.process_time(), SLICE

    def note(_: Source, pipeline: Pipeline) -> None:
        nonlocal began, reached
        if pipeline.counters.mentions >= reached:
            pipeline.commit()
            now = time.process_time()
            spent.append(now - began)
            began, reached = now, reached + SLICE

    run_replay(source, pipeline, commit_s=inf, progress=note)
    return [*spent, time.process_time() - began]


def _peak_mb() -> float:
    """Most memory resident since the program began (``ru_maxrss`` counts the parent's, too)."""
    status = Path("/proc/self/status").read_text().splitlines()
    (line,) = (x for x in status if x.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


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
    """Measure every case; the lines of a Markdown table, then what they say of the promises."""
    with tempfile.TemporaryDirectory() as root:
        folders = [Path(root) / str(i) for i in range(len(CASES))]
        for folder, case in zip(folders, CASES):
            folder.mkdir()
            _simulate(folder, case)
        turns = [[_measure(folder) for folder in folders] for _ in range(TURNS)]
    floor_us = min(turn.floor_us / turn.bytes_per_mention for each in turns for turn in each)
    return _table([_least(case, of, floor_us) for case, of in zip(CASES, zip(*turns))])


def _least(case: Case, turns: Sequence[Turn], floor_us: float) -> Measured:
    """The least time of each slice, all together; ``floor_us`` is that of a byte."""
    slices_s = map(min, zip(*(turn.slices_s for turn in turns), strict=True))
    first = turns[0]
    return Measured(
        case=case,
        mentions=first.mentions,
        bytes_per_mention=first.bytes_per_mention,
        floor_us=floor_us * first.bytes_per_mention,
        pipeline_us=sum(slices_s) / first.mentions * 1e6,
        start_s=min(turn.start_s for turn in turns),
        peak_mb=max(turn.peak_mb for turn in turns),
        alerts=first.alerts,
    )


def _table(best: list[Measured]) -> list[str]:
    """The lines of a Markdown table, how flat the cost is, and whether the promises are kept."""
    few, few_long, watched, watched_long, many, many_long, _ = (m.pipeline_us for m in best)
    by_brands = (watched / few, watched_long / few_long, many / few, many_long / few_long)
    by_length = (few_long / few, watched_long / watched, many_long / many)
    return [
        "| watched | spoken of | in crisis | mentions | bytes | floor µs | pipeline µs | ratio "
        "| mentions/s | start s | peak MB | alerts |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *map(_row, best),
        "",
        "Cost of a mention at 100 thousand and at a million, against 10 brands:  ",
        "1,000 watched, same mentions: {:.2f} and {:.2f}.  ".format(*by_brands[:2]),
        "Mentions spread over 1,000: {:.2f} and {:.2f}.  ".format(*by_brands[2:]),
        "A million mentions against 100 thousand, in the order of the rows: "
        "{:.2f}, {:.2f}, {:.2f}.".format(*by_length),
        "",
        _limit("times the floor", MOST_RATIO, [m.pipeline_us / m.floor_us for m in best]),
        _limit("MB", MOST_MB, [m.peak_mb for m in best]),
        _limit("times the cost, by brands or length", MOST_UNEVEN, [*by_brands, *by_length]),
    ]


def _limit(what: str, most: float, found: list[float]) -> str:
    worst = max(found)
    said = "held" if worst <= most else "**missed**"
    return f"Limit {most:g} {what}: {said}, at most {worst:.3g}.  "


def _row(m: Measured) -> str:
    return (
        f"| {m.case.watched:,} | {m.case.spoken_of:,} | {m.case.in_crisis} | {m.mentions:,} "
        f"| {m.bytes_per_mention} | {m.floor_us:.2f} | {m.pipeline_us:.1f} "
        f"| {m.pipeline_us / m.floor_us:.1f} | {1e6 / m.pipeline_us:,.0f} "
        f"| {m.start_s:.1f} | {m.peak_mb:.0f} | {m.alerts} |"
    )


if __name__ == "__main__":
    print(msgspec.json.encode(_child(Path(sys.argv[1]))).decode())
