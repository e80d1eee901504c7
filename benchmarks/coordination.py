"""Coordination beside the coordination-network-toolkit, its cost for each mention, and a flood.

``python -m benchmarks coordination``.  The peer (PyPI: coordination-network-toolkit, 1.5.2) wants
an environment of its own; name its ``compute_networks`` in ``NADHIR_PEER_CNT``, or have it on the
path.
Each run is a process of its own that reads a CSV file; time is the processor's.
"""

from __future__ import annotations

import csv
import gc
import gzip
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from models.coordination.detector import LINE, Coordination
from models.records import Author, Mention

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NADHIR_TEST_DATA") or ROOT.parent / "shared" / "data")
FLOOD = 1_000_000
LIMIT_US = 25.0
_BATCH = 500
_TURNS, _ROUNDS = 3, 6
_PATIENCE_S = 900
_HEAD = (
    "message_id", "user_id", "username", "repost_id", "reply_id", "message", "timestamp", "urls"
)  # fmt: skip

Row = tuple[str, str, str, str, int, str]


class Task(NamedTuple):
    """A file, what the peer is asked of it, and with which window."""

    name: str
    rows: Callable[[Path], Iterator[Row]]
    network: str
    window_s: int


class Run(NamedTuple):
    """Accounts found, processor time and peak memory."""

    accounts: int
    spent_s: float
    peak_mb: float


# files ----------------------------------------------------------------------------------------


def russian(data: Path) -> Iterator[Row]:
    """Shares of objects, taken for reposts."""
    for i, row in enumerate(_table(data / "coordination" / "russian_coord_tweets.csv.gz")):
        who, what, at_s = row["account_id"], row["object_id"], int(row["timestamp_share"])
        yield f"{row['content_id']}-{i}", who, what, "", at_s, ""


def german(data: Path) -> Iterator[Row]:
    """Posts with the links they carry."""
    links: dict[str, list[str]] = {}
    posts: dict[str, tuple[str, int]] = {}
    for row in _table(data / "coordination" / "german_elections.csv.gz"):
        posts[row["post_id"]] = row["account_id"], int(row["timestamp"])
        if row["url_id"]:
            links.setdefault(row["post_id"], []).append(f"https://u{row['url_id']}.example/a")
    for post, (who, at_s) in posts.items():
        yield post, who, "", "", at_s, " ".join(dict.fromkeys(links.get(post, ())))


def burst(data: Path) -> Iterator[Row]:
    """The labelled burst, as texts."""
    with gzip.open(data / "coordination" / "prayers-burst.jsonl.gz") as file:
        for mention in (msgspec.json.decode(line, type=Mention) for line in file):
            who = mention.author.id or "" if mention.author else ""
            at_s = int(mention.published_at.timestamp())
            yield mention.id, who, "", mention.text, at_s, " ".join(mention.links)


TASKS = (
    Task("burst", burst, "co_similar_tweet", 900),
    Task("russian_coord_tweets", russian, "co_retweet", 300),
    Task("german_elections", german, "co_link", 900),
)


def _table(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


# one run each ---------------------------------------------------------------------------------


def ours(path: Path) -> int:
    """How many accounts are in groups called coordination, of a CSV file in order of time."""
    found = Coordination()
    named: set[str] = set()
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        batch: list[Mention] = []
        for id_, who, _, repost, _, text, at_s, urls in rows:
            batch.append(
                Mention(
                    id=id_,
                    platform="x",
                    published_at=datetime.fromtimestamp(int(at_s), UTC),
                    text=text,
                    kind="repost" if repost else "post",
                    author=Author(id=who),
                    repost_of=repost or None,
                    links=tuple(urls.split()),
                )
            )
            if len(batch) == _BATCH:
                _observe(found, batch, named)
                batch = []
    _observe(found, batch, named)
    found.look()
    return len(_members(found, named))


def _observe(found: Coordination, batch: list[Mention], named: set[str]) -> None:
    if found.observe(batch):
        _members(found, named)


def _members(found: Coordination, named: set[str]) -> set[str]:
    for group in found.groups:
        if group.kind == "coordination" and group.score >= LINE:
            named |= set(group.names.values())
    return named


def theirs(command: str, path: Path, task: Task) -> int:
    """How many accounts have an edge of two and more in the peer's network."""
    database = path.with_suffix(".db")
    database.unlink(missing_ok=True)
    window = ["--time_window", str(task.window_s), "--min_edge_weight", "2", "--n_cpus", "1"]
    for arguments in (["preprocess", str(path)], ["compute", task.network, *window]):
        subprocess.run(
            [command, str(database), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
        )
    with sqlite3.connect(database) as connection:
        query = (
            "select count(*) from (select user_1 from {0} where user_1 != user_2 "
            "union select user_2 from {0} where user_1 != user_2)"
        )
        (count,) = connection.execute(query.format(f"{task.network}_network")).fetchone()
    return int(count)


def _child(*arguments: str) -> Run:
    """What a process of its own finds, and what it and its children cost."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.coordination", *arguments],
        check=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    return Run(*json.loads(done.stdout))


def _main(what: str, path: Path, name: str) -> Run:
    if what == "flood":
        return flood()
    if what == "ours":
        return Run(ours(path), time.process_time(), _peak_mb())
    task = next(task for task in TASKS if task.name == name)
    count, used = theirs(what, path, task), resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(count, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


# tables ---------------------------------------------------------------------------------------


def run(data: Path = DATA) -> list[str]:
    """Measure all; the lines of three Markdown tables."""
    if not (data / "coordination").is_dir():
        return ["Not measured, since the test data has no folder `coordination`."]
    with tempfile.TemporaryDirectory() as folder:
        peers = list(_peers(data, Path(folder)))
        flood = _child("flood", folder, "")
    said = (
        f"Flood of {FLOOD:,} mentions in {FLOOD / 20 / 3600:.0f} hours, each of another account "
        f"with another hashtag, link and text: {flood.spent_s / FLOOD * 1e6:.1f} µs a mention, and "
        f"one brand grows by {flood.peak_mb:.0f} MB; {flood.accounts:,} accounts are remembered."
    )
    return [*peers, "", *_costs(data), "", said]


def _peers(data: Path, folder: Path) -> Iterator[str]:
    command = os.environ.get("NADHIR_PEER_CNT") or shutil.which("compute_networks")
    yield "| file | mentions | who | accounts found | processor s | peak MB |"
    yield "|---|---|---|---|---|---|"
    for task in TASKS:
        path = folder / f"{task.name}.csv"
        count = _write(path, sorted(task.rows(data), key=lambda row: row[4]))
        mine, other = [], []
        for _ in range(_TURNS):  # in turn, since the machine is not as fast at all hours
            mine.append(_child("ours", str(path), task.name))
            with suppress(subprocess.CalledProcessError):
                other += [_child(command, str(path), task.name)] if command else []
        yield _row(task.name, count, "Nadhir", min(mine, key=_spent))
        if other:
            named = f"coordination-network-toolkit, {task.network}, {task.window_s} s"
            ratio = min(map(_spent, other)) / min(map(_spent, mine))
            yield _row(task.name, count, named, min(other, key=_spent))
            yield f"| | | **{ratio:.1f} times the time** | | | |"
        elif command is not None:
            yield f"| {task.name} | {count:,} | peer | failed, or took over {_PATIENCE_S} s | | |"
    if command is None:
        yield ""
        yield (
            "coordination-network-toolkit: not measured, since it is not installed; name its "
            "`compute_networks` in NADHIR_PEER_CNT."
        )
    yield ""
    yield (
        "An account counts for the peer with an edge of weight 2 and more, for Nadhir in a group "
        "of at least five with a score from 0.5. There are no labels but the burst's."
    )


def _spent(run: Run) -> float:
    return run.spent_s


def _row(name: str, count: int, who: str, run: Run) -> str:
    figures = f"{run.accounts:,} | {run.spent_s:.2f} | {run.peak_mb:.0f}"
    return f"| {name} | {count:,} | {who} | {figures} |"


def _write(path: Path, rows: list[Row]) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(_HEAD)
        for id_, who, repost, text, at_s, urls in rows:
            out.writerow((id_, who, who, repost, "", text, at_s, urls))
    return len(rows)


def _costs(data: Path) -> Iterator[str]:
    yield "| stream | mentions | µs a mention, least |"
    yield "|---|---|---|"
    streams = list(_streams(data))
    gc.freeze()  # the streams are the benchmark's: no need to walk them each time
    # one after the other, since the machine is slow for minutes at a time
    turns = [[_cost(mentions) for _, mentions in streams] for _ in range(_ROUNDS)]
    over = []
    for (name, mentions), least in zip(streams, map(min, *turns)):
        yield f"| {name} | {len(mentions):,} | {least:.1f} |"
        if least > LIMIT_US:
            over.append(name)
    yield ""
    said = f"missed by {', '.join(over)}" if over else "held"
    yield f"Limit {LIMIT_US:g} µs, words and all traces included: {said}."


def _streams(data: Path) -> Iterator[tuple[str, list[Mention]]]:
    for name, path in (
        ("organic (Spotify)", "coordination/organic-spotify-2017-10.jsonl.gz"),
        ("the burst alone", "coordination/prayers-burst.jsonl.gz"),
        ("StockNet 2014", "mentions/stocknet-2014.jsonl.gz"),
    ):
        with gzip.open(data / path) as file:
            yield name, _ordered(file)
    from benchmarks.quality import coordination as known  # no run of its own waits for these
    from streams.simulate import SimulationSpec, simulate

    for ratio in (1, 5, 20):
        for hours in (3, 24):
            name = f"the burst 1:{ratio} in {hours} hours"
            yield name, known.mixed(data, ratio, timedelta(hours=hours))

    for scenario in ("calm", "outage", "coordinated_attack"):
        lines = simulate(SimulationSpec(scenario, seed=1, days=4.0, rate_per_hour=200)).lines()
        yield f"simulated, {scenario}", _ordered(lines)


def _ordered(lines: Iterable[bytes]) -> list[Mention]:
    mentions = [msgspec.json.decode(line, type=Mention) for line in lines]
    return sorted(mentions, key=lambda m: m.published_at)


def _cost(mentions: list[Mention]) -> float:
    """Microseconds of a mention."""
    found = Coordination()
    began = time.process_time()
    for first in range(0, len(mentions), _BATCH):
        found.observe(mentions[first : first + _BATCH])
    return (time.process_time() - began) / len(mentions) * 1e6


def flood() -> Run:
    """What a million mentions of accounts, hashtags, links and texts that all differ add."""
    found = Coordination()
    begin, spent = datetime(2026, 1, 4, tzinfo=UTC), 0.0
    before = peak = _resident_mb()
    for first in range(0, FLOOD, _BATCH):
        batch = [
            Mention(
                id=str(i), platform="x", published_at=begin + timedelta(milliseconds=50 * i),
                text=f"w{i:x}aa v{i * 7:x}bb u{i * 11:x}cc t{i * 13:x}dd #tag{i}",
                author=Author(id=f"a{i}"), links=(f"https://e.example/{i}",),
            )
            for i in range(first, first + _BATCH)
        ]  # fmt: skip
        began = time.process_time()
        found.observe(batch)
        spent += time.process_time() - began
        peak = max(peak, _resident_mb())
    return Run(len(found.window.accounts), spent, peak - before)


def _peak_mb() -> float:
    """The most memory of this process alone: what `getrusage` tells begins with its parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    print(json.dumps(_main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
