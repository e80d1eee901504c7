"""What every source of mentions has in common: batches of lines, positions, cutting into lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple, Protocol

from streams.decode import MAX_LINE_BYTES

CHUNK_BYTES = 1 << 20  # one read
BATCH_BYTES = 8 << 20  # one batch, however many lines are asked for


class SourceError(Exception):
    """A source cannot be read, or not any further; the message is for its user."""


class Batch(NamedTuple):
    """Lines read from a source, without their newlines.

    Attributes
    ----------
    lines : list of bytes
        A line over 1 MiB is cut to one byte more than that, which the decoder rejects.
    first : int
        1-based ordinal of the first line in its source.
    next : str
        Where to continue after this batch: opaque, printable ASCII, for `Source.seek`.
    arrived_ms : int or None
        When the first of the lines came, by the clock, where the source keeps that.
    """

    lines: list[bytes]
    first: int
    next: str
    arrived_ms: int | None = None


class Source(Protocol):
    """Where mentions come from, one JSON object a line."""

    @property
    def name(self) -> str:
        """Stable name, kept with positions and rejections."""

    @property
    def done(self) -> bool:
        """Whether nothing more will ever come."""

    @property
    def total_bytes(self) -> int | None:
        """Size of the input as stored (compressed, if so); None where it has no end."""

    @property
    def consumed_bytes(self) -> int | None:
        """Part of ``total_bytes`` read so far."""

    def seek(self, position: str | None) -> None:
        """Continue after a stored position, before the first poll; None is the beginning."""

    def poll(self, limit: int) -> Batch | None:
        """Up to ``limit`` lines without waiting; None if there is nothing just now.

        Raises
        ------
        SourceError
            If the input is broken or gone; what could be read has been returned before.
        """

    def close(self) -> None:
        """Release the input; may be called twice."""


class LineQueue:
    """Bytes in, batches of lines out; knows the offset and ordinal of the next line.

    What is taken depends on the bytes alone, not on the chunks they came in, as long as
    `wants_more` is heeded: a resumed read makes the same batches.
    """

    def __init__(self, offset: int = 0, ordinal: int = 1) -> None:
        self.offset = offset
        self.ordinal = ordinal
        self._lines: list[bytes] = []
        self._start = 0  # of the lines not yet taken
        self._held = 0  # bytes in lines ever queued minus taken
        self._tail = b""  # an unfinished line, cut at the limit
        self._tail_bytes = 0  # its true length
        self._cut: dict[int, int] = {}  # bytes lost of a cut line, by ordinal
        self._unended: int | None = None  # ordinal of a last line that has no newline

    def __len__(self) -> int:
        return len(self._lines) - self._start

    def wants_more(self, limit: int) -> bool:
        """Whether a batch of ``limit`` lines needs more bytes than are queued."""
        return len(self) < limit and self._held <= BATCH_BYTES

    def feed(self, chunk: bytes) -> None:
        """Queue the lines that end in ``chunk``, at most `CHUNK_BYTES` long."""
        parts = chunk.split(b"\n")
        if len(parts) == 1:
            self._extend_tail(chunk)
            return
        self._extend_tail(parts[0])
        last = parts.pop()
        parts[0] = self._end_line()
        self._tail, self._tail_bytes = last, len(last)
        self._held += sum(map(len, parts))
        self._lines = self._lines[self._start :] + parts
        self._start = 0

    def finish(self) -> None:
        """No more bytes will come: the last line is whole without its newline."""
        if self._tail_bytes:
            self._unended = self.ordinal + len(self)
            line = self._end_line()
            self._held += len(line)
            self._lines.append(line)

    def reset(self) -> None:
        """Forget an unfinished line and start over at offset 0; queued lines must be taken."""
        self._tail, self._tail_bytes, self.offset = b"", 0, 0

    def take(self, limit: int) -> list[bytes]:
        """Remove and return up to ``limit`` lines and `BATCH_BYTES` bytes, but at least one."""
        lines = self._lines[self._start : self._start + limit]
        size = sum(map(len, lines))
        if size > BATCH_BYTES:
            ends = accumulate(map(len, lines))
            lines = lines[: max(1, sum(end <= BATCH_BYTES for end in ends))]
            size = sum(map(len, lines))
        self._start += len(lines)
        self._held -= size
        self.offset += size + len(lines)
        self.ordinal += len(lines)
        for ordinal in [o for o in self._cut if o < self.ordinal]:
            self.offset += self._cut.pop(ordinal)
        if self._unended is not None and self._unended < self.ordinal:
            self.offset -= 1
            self._unended = None
        return lines

    def _extend_tail(self, part: bytes) -> None:
        self._tail_bytes += len(part)
        if not self._tail:
            self._tail = part
        elif len(self._tail) <= MAX_LINE_BYTES:
            self._tail += part
        if len(self._tail) > MAX_LINE_BYTES:
            self._tail = self._tail[: MAX_LINE_BYTES + 1]

    def _end_line(self) -> bytes:
        line, lost = self._tail, self._tail_bytes - len(self._tail)
        if lost:
            self._cut[self.ordinal + len(self)] = lost
        self._tail, self._tail_bytes = b"", 0
        return line


def split_position(position: str, parts: int) -> Iterator[int]:
    """Whole numbers of a stored position, ``12:34``.

    Raises
    ------
    SourceError
        If the position is of another kind of source.
    """
    numbers = position.split(":")
    if len(numbers) != parts or not all(n.isascii() and n.isdigit() for n in numbers):
        raise SourceError(f"the stored position {position[:40]!a} is not one of this source")
    return map(int, numbers)
