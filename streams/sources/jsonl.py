"""Finished files of JSON Lines, plain or gzip."""

from __future__ import annotations

from pathlib import Path

from streams.sources.base import Batch, LineQueue, SourceError, split_position
from streams.sources.bytefile import ByteFile


class JsonlSource:
    """A finished file of JSON Lines; its last line counts without a newline too.

    Positions are the offset in the inflated bytes and the ordinal of the next line.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "two.jsonl"
    >>> _ = path.write_bytes(b'{"id":"1"}\\n{"id":"2"}')
    >>> source = JsonlSource(path)
    >>> source.poll(1)
    Batch(lines=[b'{"id":"1"}'], first=1, next='11:2', arrived_ms=None)
    >>> source.poll(10).lines, source.done
    ([b'{"id":"2"}'], True)
    >>> source.close()
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._file = ByteFile(path)
        self._queue = LineQueue()
        self._ended = False
        self._broken: SourceError | None = None

    @property
    def done(self) -> bool:
        """Whether every line has been returned."""
        return self._ended and not len(self._queue) and self._broken is None

    @property
    def total_bytes(self) -> int:
        """Size of the file as stored."""
        return self._file.size

    @property
    def consumed_bytes(self) -> int:
        """Bytes of the stored file read so far."""
        return self._file.tell()

    def seek(self, position: str | None) -> None:
        """Continue after a stored position."""
        offset, ordinal = (0, 1) if position is None else split_position(position, 2)
        self._file.skip(offset)
        self._queue = LineQueue(offset, ordinal)

    def poll(self, limit: int) -> Batch | None:
        """Up to ``limit`` lines."""
        while not self._ended and self._queue.wants_more(limit):
            self._fill()
        if not len(self._queue):
            if self._broken is not None:
                raise self._broken
            return None
        first = self._queue.ordinal
        lines = self._queue.take(limit)
        return Batch(lines, first, f"{self._queue.offset}:{self._queue.ordinal}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _fill(self) -> None:
        try:
            chunk = self._file.read()
        except SourceError as error:
            self._broken, self._ended = error, True  # an unfinished line is part of the damage
            return
        if chunk:
            self._queue.feed(chunk)
        else:
            self._queue.finish()
            self._ended = True
