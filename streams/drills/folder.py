"""Where a drill is kept: its plan, its mentions, its own store, and what happened in it.

A folder under ``drills`` of the data directory that nothing sent over HTTP or read from a source
gets into: that is why the mark of a drill cannot be forged.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from alerts.drills import Drill, DrillEvent
from streams.config import Config
from streams.live import append_line

_PLAN, _EVENTS, _STOP, _DONE = "drill.json", "events.jsonl", "stop", "done"


class DrillError(Exception):
    """A drill that cannot be made or found; the message is for its user."""


class DrillFolder:
    """One drill on disk.

    Parameters
    ----------
    path : Path
        Made by `streams.drills.prepare`.

    Attributes
    ----------
    drill : Drill
        Its plan.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.drill = msgspec.json.decode((path / _PLAN).read_bytes(), type=Drill)
        except (OSError, msgspec.MsgspecError) as error:
            raise DrillError(f"{path}: is no drill of this version ({error})") from error

    @property
    def mentions(self) -> Path:
        """What is still to be said, JSON Lines in order of arrival."""
        return self.path / "mentions.jsonl"

    @property
    def store(self) -> Path:
        """Baseline, state and alerts of the drill alone."""
        return self.path / "drill.db"

    @property
    def over(self) -> bool:
        """Whether it was run to its end."""
        return (self.path / _DONE).exists()

    @property
    def stopped(self) -> bool:
        """Whether somebody asked for its end."""
        return (self.path / _STOP).exists()

    def stop(self) -> None:
        """Ask for its end; whoever runs it sees it soon."""
        (self.path / _STOP).touch()

    def finish(self) -> None:
        """Note that it was run to its end."""
        (self.path / _DONE).touch()

    def note(self, event: DrillEvent) -> None:
        """Keep something that happened, durably."""
        append_line(self.path / _EVENTS, msgspec.json.encode(event))

    def events(self) -> list[DrillEvent]:
        """What happened so far; a line cut by a crash is passed over."""
        try:
            lines = (self.path / _EVENTS).read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return list(_decoded(lines))


def _decoded(lines: list[bytes]) -> Iterator[DrillEvent]:
    for line in lines:
        try:
            yield msgspec.json.decode(line, type=DrillEvent)
        except msgspec.MsgspecError:
            continue


def write_plan(path: Path, drill: Drill) -> None:
    """Write the plan of a folder in the making."""
    (path / _PLAN).write_bytes(msgspec.json.encode(drill))


def drills_path(config: Config) -> Path:
    """Where drills are kept."""
    return config.paths.data / "drills"


def drills(config: Config) -> list[DrillFolder]:
    """All drills, the oldest first; one in the making is none yet."""
    found = []
    for plan in drills_path(config).glob(f"*/{_PLAN}"):
        if not plan.parent.name.startswith("."):
            found.append(DrillFolder(plan.parent))
    return sorted(found, key=lambda f: (f.drill.started_ms, f.drill.id))


def find_drill(config: Config, drill: str | None) -> DrillFolder:
    """The named drill, or the latest one.

    Raises
    ------
    DrillError
        If there is none.
    """
    every = drills(config)
    if not every:
        raise DrillError(
            "there was no drill yet; begin one with: nadhir drill outage --brand BRAND"
        )
    if drill is None:
        return every[-1]
    named = [f for f in every if f.drill.id == drill]
    if not named:
        ids = ", ".join(f.drill.id for f in every[-5:])
        raise DrillError(f"there is no drill {drill!r}; the latest are {ids}")
    return named[0]
