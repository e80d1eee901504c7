"""The whole embedded pipeline against the floor of decoding the same bytes and dropping them.

Each case runs in a process of its own, all on one core and slice by slice in turn, and a short one
again until the long ones are done: whatever else the machine does meanwhile falls on all of them
alike, and on the floor, which each measures before and after.  So the figures of one run may be
compared with each other, and less with those of another.  Start-up (models, automaton) is reported
apart: it does not grow with the stream.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import orjson

if TYPE_CHECKING:
    from streams.pipeline import Pipeline
    from streams.sources import Source

RATE_PER_HOUR = 10_000  # mentions of all brands together
TURNS = 2
SLICE = 50_000  # mentions of a case, then it is another's turn
COMMIT = 200_000  # mentions: about what a replay takes in within the ten seconds it leaves between
# what was promised: times the floor, peak memory, and how far costs may differ
MOST_RATIO, MOST_MB, MOST_UNEVEN = 60.0, 700.0, 1.15
_WAITING = b"waiting\n"


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
class Run:
    """One run of a case: seconds and microseconds a mention of CPU time, of one core."""

    mentions: int
    bytes_per_mention: int
    floor_us: float
    pipeline_us: float
    start_s: float
    peak_mb: float
    alerts: int


class _Child:
    """A run of a case in a process of its own, which waits before each slice.

    It has started up, and measured the floor, when it is made.

    Raises
    ------
    RuntimeError
        If it ends without a result; standard error tells why.
    """

    def __init__(self, folder: Path, size: int) -> None:
        for file in folder.glob("bench.db*"):
            file.unlink()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.pipeline", str(folder), str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._read()

    def step(self) -> Run | None:
        """Do the next slice; the result when it was the last."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Run | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line == _WAITING:
            return None
        self.close()
        if not line:
            raise RuntimeError("a run of the benchmark failed")
        return msgspec.json.decode(line, type=Run)

    def close(self) -> None:
        """End it, whether it is done or not."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


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


def _child(path: Path, slice_size: int) -> Run:
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
    _replay(source, pipeline, slice_size)
    spent = time.process_time() - started
    again_us, _, _ = _floor(file)
    store.close()
    return Run(
        mentions=lines,
        bytes_per_mention=size // lines,
        floor_us=(floor_us + again_us) / 2,
        pipeline_us=spent / lines * 1e6,
        start_s=started - before,
        peak_mb=_peak_mb(),
        alerts=pipeline.counters.alerts,
    )


def _replay(source: Source, pipeline: Pipeline, slice_size: int) -> None:
    """Replay to the end; wait before each slice."""
    from streams.replay import run as run_replay

    ends = {slice_size: slice_size, COMMIT: COMMIT}

    def note(_: Source, pipeline: Pipeline) -> None:
        done = [step for step, at in ends.items() if pipeline.counters.mentions >= at]
        if COMMIT in done:
            pipeline.commit()
        if slice_size in done:
            _wait()
        ends.update((step, ends[step] + step) for step in done)

    _wait()
    run_replay(source, pipeline, commit_s=inf, progress=note)


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
        turns = [_turn(folders) for _ in range(TURNS)]
    runs = [[run for turn in turns for run in turn[i]] for i in range(len(CASES))]
    return _table(list(map(_mean, runs)))


def _turn(folders: Sequence[Path], size: int = SLICE) -> list[list[Run]]:
    """Runs of each case, slice by slice in turn, until each is done at least once."""
    runs: list[list[Run]] = [[] for _ in folders]
    children: list[_Child | None] = [None for _ in folders]
    try:
        while not all(runs):
            for i, folder in enumerate(folders):
                children[i] = child = children[i] or _Child(folder, size)
                run = child.step()
                if run is not None:
                    runs[i].append(run)
                    children[i] = None
    finally:
        for left in filter(None, children):
            left.close()
    return runs


def _mean(runs: Sequence[Run]) -> Run:
    """One run for many, the peak the highest and the start the quickest."""
    return replace(
        runs[0],
        floor_us=fmean(run.floor_us for run in runs),
        pipeline_us=fmean(run.pipeline_us for run in runs),
        start_s=min(run.start_s for run in runs),
        peak_mb=max(run.peak_mb for run in runs),
    )


def _table(runs: Sequence[Run]) -> list[str]:
    """The lines of a Markdown table, how flat the cost is, and whether the promises are kept."""
    few, few_long, watched, watched_long, many, many_long, _ = (run.pipeline_us for run in runs)
    by_brands = (watched / few, watched_long / few_long, many / few, many_long / few_long)
    by_length = (few_long / few, watched_long / watched, many_long / many)
    return [
        "| watched | spoken of | in crisis | mentions | bytes | floor µs | pipeline µs | ratio "
        "| mentions/s | start s | peak MB | alerts |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *map(_row, CASES, runs),
        "",
        "Cost of a mention at 100 thousand and at a million, against 10 brands:  ",
        "1,000 watched, same mentions: {:.2f} and {:.2f}.  ".format(*by_brands[:2]),
        "Mentions spread over 1,000: {:.2f} and {:.2f}.  ".format(*by_brands[2:]),
        "A million mentions against 100 thousand, in the order of the rows: "
        "{:.2f}, {:.2f}, {:.2f}.".format(*by_length),
        "",
        _limit("times the floor", MOST_RATIO, [run.pipeline_us / run.floor_us for run in runs]),
        _limit("MB", MOST_MB, [run.peak_mb for run in runs]),
        _limit("times the cost, by brands or length", MOST_UNEVEN, [*by_brands, *by_length]),
    ]


def _limit(what: str, most: float, found: list[float]) -> str:
    worst = max(found)
    said = "held" if worst <= most else "**missed**"
    return f"Limit {most:g} {what}: {said}, at most {worst:.3g}.  "


def _row(case: Case, run: Run) -> str:
    return (
        f"| {case.watched:,} | {case.spoken_of:,} | {case.in_crisis} | {run.mentions:,} "
        f"| {run.bytes_per_mention} | {run.floor_us:.2f} | {run.pipeline_us:.1f} "
        f"| {run.pipeline_us / run.floor_us:.1f} | {1e6 / run.pipeline_us:,.0f} "
        f"| {run.start_s:.1f} | {run.peak_mb:.0f} | {run.alerts} |"
    )


def _wait() -> None:
    """Tell that a slice is done, and wait for the word to go on."""
    sys.stdout.buffer.write(_WAITING)
    sys.stdout.flush()
    if not sys.stdin.readline():
        sys.exit(0)  # nobody wants the rest


if __name__ == "__main__":
    print(msgspec.json.encode(_child(Path(sys.argv[1]), int(sys.argv[2]))).decode())
