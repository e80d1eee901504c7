"""Replay of a file in event time, as fast as it goes; resumable; the same bytes every time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from time import monotonic, sleep

import msgspec

from streams.config import Config
from streams.pipeline import Counters, Pipeline, open_pipeline
from streams.sources import Source
from streams.store import Store, locked

COMMIT_S = 10.0  # an interrupted replay repeats at most about so much work
_PAUSE_S = 0.01


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay did.

    ``resumed`` tells that it went on with an interrupted one; the counters count this run alone.
    """

    counters: Counters
    resumed: bool
    rejected: int
    store: Path


def replay(
    source: Source,
    config: Config,
    path: Path,
    *,
    fresh: bool = False,
    commit_s: float = COMMIT_S,
    progress: Callable[[Source, Pipeline], None] | None = None,
) -> ReplayResult:
    """Run a source through the pipeline to its end.

    Parameters
    ----------
    source : Source
    config : Config
    path : Path
        The store.  One that a whole replay left is made anew; an interrupted one is continued,
        provided that configuration and source are the same.
    fresh : bool
        Begin anew in any case.
    commit_s : float
        Seconds between commits; changes no result.
    progress : callable
        Called after each batch.

    Raises
    ------
    SourceError
        If the source is broken; what came before is kept, up to the last commit.
    StoreError
        If the store cannot be used, or another replay is using it.
    """
    with locked(path):
        return _replay(source, config, path, fresh, commit_s, progress)


def _replay(
    source: Source,
    config: Config,
    path: Path,
    fresh: bool,
    commit_s: float,
    progress: Callable[[Source, Pipeline], None] | None,
) -> ReplayResult:
    identity = _identity(source, config)
    if fresh:
        remove_store(path)  # even one that cannot be read
    store = Store(path)
    resumed = store.meta("replay") == identity and store.meta("finished") is None
    if not resumed:
        store.close()
        remove_store(path)
        store = Store(path)
        with store.step():
            store.set_meta("replay", identity)
    try:
        pipeline = open_pipeline(config, store)
        source.seek(store.position(source.name))
        run(source, pipeline, commit_s, progress)
        with store.step():
            store.set_meta("finished", "yes")
        return ReplayResult(pipeline.counters, resumed, store.count_rejected(), path)
    finally:
        store.close()


def run(
    source: Source,
    pipeline: Pipeline,
    commit_s: float = COMMIT_S,
    progress: Callable[[Source, Pipeline], None] | None = None,
) -> None:
    """Feed a source to its end, committing now and then."""
    committed = monotonic()
    while not source.done:
        batch = source.poll(pipeline.pace.most)
        if batch is None:
            if not source.done:
                sleep(_PAUSE_S)  # standard input has nothing just now
            continue
        pipeline.feed(source.name, batch)
        if pipeline.crowded or monotonic() - committed >= commit_s:
            pipeline.commit()
            committed = monotonic()
        if progress:
            progress(source, pipeline)
    pipeline.commit()


def write_results(
    path: Path, *, alerts: Path | None, signals: Path | None, decisions: Path | None
) -> None:
    """Write what a store holds as JSON Lines; each file appears whole or not at all.

    ``-`` is standard output.
    """
    store = Store(path)
    try:
        if alerts:
            _write(alerts, (msgspec.json.encode(c.alert) for c in store.cases()))
        if signals:
            _write(signals, store.signals())
        if decisions:
            _write(decisions, store.decisions())
    finally:
        store.close()


def _write(path: Path, lines: Iterable[bytes]) -> None:
    if str(path) == "-":
        for line in lines:
            sys.stdout.buffer.write(line + b"\n")
        return
    if path.exists() and not path.is_file():  # a pipe or device must not be replaced
        with path.open("wb") as out:
            out.writelines(line + b"\n" for line in lines)
        return
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as out:
        for line in lines:
            out.write(line + b"\n")
    os.replace(part, path)


def remove_store(path: Path) -> None:
    """Delete a store with its side files."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def store_path(config: Config, source_name: str) -> Path:
    """Where the replay of a source keeps its store."""
    digest = blake2b(os.fsencode(source_name), digest_size=6).hexdigest()
    return config.paths.data / "replay" / f"{digest}.db"


def _identity(source: Source, config: Config) -> str:
    # paths do not change results
    settings = config.model_dump_json(exclude={"paths": {"data"}, "receivers": True})
    file = Path(source.name)
    changed = [f.stat().st_mtime_ns for f in (file, *config.sentiment.files) if f.is_file()]
    seen = f"{source.name}|{source.total_bytes}|{changed}|{settings}"
    return blake2b(seen.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
