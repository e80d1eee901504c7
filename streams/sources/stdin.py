"""Lines from standard input, or any file descriptor, without waiting for them."""

from __future__ import annotations

import os
import select

from streams.sources.base import CHUNK_BYTES, Batch, LineQueue, SourceError, split_position


class StdinSource:
    """Standard input, until its writer closes it.

    What was piped in before a restart is gone, so a position is only the ordinal of the next
    line: after `seek`, numbering goes on, and reading takes what comes.
    """

    total_bytes = None
    consumed_bytes = None

    def __init__(self, fd: int = 0) -> None:
        self.name = "-"
        self._fd = fd
        self._queue = LineQueue()
        self._ended = False

    @property
    def done(self) -> bool:
        """Whether the input was closed and every line returned."""
        return self._ended and not len(self._queue)

    def seek(self, position: str | None) -> None:
        """Number the lines on from a stored position."""
        if position is not None:
            self._queue = LineQueue(0, *split_position(position, 1))

    def poll(self, limit: int) -> Batch | None:
        """Up to ``limit`` lines that are there already."""
        while not self._ended and self._queue.wants_more(limit) and self._readable():
            try:
                chunk = os.read(self._fd, CHUNK_BYTES)
            except OSError as error:
                raise SourceError(f"cannot read standard input: {error.strerror}") from error
            if chunk:
                self._queue.feed(chunk)
            else:
                self._queue.finish()
                self._ended = True
        if not len(self._queue):
            return None
        first = self._queue.ordinal
        return Batch(self._queue.take(limit), first, str(self._queue.ordinal))

    def close(self) -> None:
        """Read no further; the descriptor belongs to the process."""
        self._ended = True

    def _readable(self) -> bool:
        return bool(select.select([self._fd], [], [], 0)[0])
