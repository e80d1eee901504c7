"""The mentions of a drill, each when its time has come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from streams.drills.folder import DrillFolder
from streams.sources.base import Batch, SourceError, split_position


class _Published(msgspec.Struct):
    published_at: datetime


class DrillSource:
    """Lines of a drill that are due by the clock; the position is how many were read.

    Parameters
    ----------
    folder : DrillFolder
    clock : callable
        Milliseconds since the epoch.
    """

    name = "drill"
    total_bytes: int | None = None
    consumed_bytes: int | None = None

    def __init__(self, folder: DrillFolder, clock: Callable[[], int]) -> None:
        try:
            self._lines = folder.mentions.read_bytes().splitlines()
        except OSError as error:
            raise SourceError(f"{folder.mentions}: cannot be read ({error.strerror})") from error
        self._folder = folder
        self._clock = clock
        self._next = 0
        self._due_ms = _due(self._lines)

    @property
    def done(self) -> bool:
        """Whether everything was said, or somebody asked for the end."""
        return self._next >= len(self._lines) or self._folder.stopped

    def seek(self, position: str | None) -> None:
        """Continue after a stored position."""
        if position is not None:
            (self._next,) = split_position(position, 1)

    def poll(self, limit: int) -> Batch | None:
        """Up to ``limit`` lines whose time has come."""
        now, first = self._clock(), self._next
        if self._folder.stopped:
            return None
        end = min(first + limit, len(self._lines))
        while self._next < end and self._due_ms[self._next] <= now:
            self._next += 1
        if self._next == first:
            return None
        return Batch(self._lines[first : self._next], first + 1, str(self._next))

    def close(self) -> None:
        """Nothing is held open."""


def _due(lines: list[bytes]) -> list[int]:
    """When each line arrives: when it was published, or with the line before it if that is later.

    A backlog that arrives after a failed feed keeps its order.
    """
    due: list[int] = []
    for line in lines:
        published = msgspec.json.decode(line, type=_Published).published_at
        due.append(max(round(published.timestamp() * 1000), due[-1] if due else 0))
    return due
