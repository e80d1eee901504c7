"""A file that others append to, followed like ``tail -F``."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from streams.sources.base import CHUNK_BYTES, Batch, LineQueue, SourceError, split_position

_HEAD_BYTES = 256  # tell one file from another by its first bytes: inode numbers are reused


class FollowSource:
    """A growing file: waits for it, for more of it, and goes on in its successor.

    A line counts once its newline has come.  When the path leads to another file (rotation) the
    old one is read to its end first, and the new one once it holds something, since its writer
    may not have moved on before.  When the file shrinks (truncation) reading starts over at its
    beginning.  After a restart, a file rotated in the meantime is looked for beside the path,
    under names that begin with the file's name.

    A position is the offset, the ordinal of the next line, and a hash of the file's first bytes.
    """

    total_bytes = None
    consumed_bytes = None
    done = False

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise SourceError(f"{path} is a directory, not a file")
        self.name = str(path)
        self._path = path
        self._file: BinaryIO | None = None
        self._head = b""
        self._queue = LineQueue()

    def seek(self, position: str | None) -> None:
        """Continue after a stored position, in the file it belongs to if that still exists."""
        self.close()
        self._head, self._queue = b"", LineQueue()
        if position is None:
            return
        numbers, _, digest = position.rpartition(":")
        offset, ordinal = split_position(numbers, 2)
        self._queue = LineQueue(0, ordinal)
        rotated = sorted(self._path.parent.glob(_escape(self._path.name) + "?*"))
        for path in (self._path, *rotated):
            head = _read_head(path, offset)
            if head is not None and _digest(head) == digest and self._open(path):
                assert self._file is not None
                self._file.seek(offset)
                self._head, self._queue = head, LineQueue(offset, ordinal)
                return

    def poll(self, limit: int) -> Batch | None:
        """Up to ``limit`` lines that are there already."""
        try:
            while self._queue.wants_more(limit) and self._fill():
                pass
        except OSError as error:
            raise SourceError(f"cannot read {self._path}: {error.strerror}") from error
        if not len(self._queue):
            return None
        first = self._queue.ordinal
        lines = self._queue.take(limit)
        head = self._head[: self._queue.offset]
        return Batch(lines, first, f"{self._queue.offset}:{self._queue.ordinal}:{_digest(head)}")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _fill(self) -> bool:
        """Read on; whether it is worth trying again at once."""
        if self._file is None:
            return self._open(self._path)
        here = os.fstat(self._file.fileno())
        offset = self._file.tell()
        if here.st_size < offset:
            return self._start_over()
        moved = self._moved(here)  # looked at before the read, so that the read is the last one
        chunk = self._file.read(CHUNK_BYTES)
        if chunk:
            if offset < _HEAD_BYTES:
                self._head = (self._head[:offset] + chunk)[:_HEAD_BYTES]
            self._queue.feed(chunk)
            return True
        if not moved:
            return False
        self._queue.finish()
        if len(self._queue):
            return False  # these lines carry a position in the old file
        self.close()
        self._head = b""
        self._queue.reset()
        return self._open(self._path)

    def _start_over(self) -> bool:
        """The file was truncated: drop its unfinished line, return to its beginning."""
        if len(self._queue):
            return False  # these lines carry a position in the old content
        assert self._file is not None
        self._file.seek(0)
        self._head = b""
        self._queue.reset()
        return True

    def _moved(self, here: os.stat_result) -> bool:
        """Whether the path leads to another file that has something in it."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return not os.path.samestat(here, there) and there.st_size > 0

    def _open(self, path: Path) -> bool:
        try:
            self._file = path.open("rb", buffering=0)
        except FileNotFoundError:
            return False
        return True


def _read_head(path: Path, offset: int) -> bytes | None:
    """First bytes of a file that reaches to ``offset``; None if it does not."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < offset:
                return None
            return file.read(min(offset, _HEAD_BYTES))
    except OSError:
        return None


def _digest(head: bytes) -> str:
    return blake2b(head, digest_size=8).hexdigest()


def _escape(name: str) -> str:
    """File name as a literal glob pattern."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
