"""CSV files, as other tools export them, to lines of JSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import orjson

from streams.decode import MAX_LINE_BYTES
from streams.sources.base import BATCH_BYTES, Batch, LineQueue, SourceError, split_position
from streams.sources.bytefile import ByteFile
from streams.sources.csv_map import CsvMap, RowMapper

_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = (",", ";", "\t", "|")
_RAW_CHARS = 1 << 17  # of a broken row; even fully escaped it fits in a line
_LINES = 1000


class _RowTooLarge(Exception):
    """A row runs over more lines than its limit allows: most likely a quote never closes."""


class _Lines(Iterator[str]):
    """Lines of text for `csv.reader`, remembering the bytes of the row it is in."""

    def __init__(self, file: ByteFile, encoding: str) -> None:
        self.raw: list[bytes] = []
        self.flaw: str | None = None
        self._encoding = encoding
        self._file = file
        self._queue = LineQueue()
        self._ready: list[bytes] = []
        self._size = 0
        self._ended = False
        self._first = True

    def __next__(self) -> str:
        if not self._ready and not self._refill():
            raise StopIteration
        line = self._ready.pop()
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        self.raw.append(line)
        self._size += len(line)
        if self._size > MAX_LINE_BYTES:
            raise _RowTooLarge
        try:
            return line.decode(self._encoding) + "\n"
        except UnicodeDecodeError:
            self.flaw = "encoding"
            return line.decode("ascii", "backslashreplace") + "\n"

    def next_row(self) -> None:
        """Forget the bytes of the last row."""
        self.raw.clear()
        self.flaw = None
        self._size = 0

    def text(self) -> str:
        """The row as it stands in the file, or its beginning."""
        raw = b"\n".join(self.raw)[: 4 * _RAW_CHARS]
        return raw.decode(self._encoding, "backslashreplace")[:_RAW_CHARS]

    def _refill(self) -> bool:
        while not self._ended and not len(self._queue):
            chunk = self._file.read()
            if self._first and chunk.startswith(_UTF16_BOMS):
                raise SourceError(f"{self._file.path} is UTF-16; save it as CSV UTF-8")
            if chunk:
                self._queue.feed(chunk)
            else:
                self._queue.finish()
                self._ended = True
        self._ready = self._queue.take(_LINES)[::-1] if len(self._queue) else []
        return bool(self._ready)


class CsvSource:
    """A finished CSV file with a header; one row is one line of JSON.

    A row that cannot be split into its columns becomes a line with the keys ``csv_error`` and
    ``csv_row`` (the row as it stands in the file), which the decoder rejects as ``bad_row``.
    Positions are numbers of rows, without the header.

    Parameters
    ----------
    path : Path
        Plain or gzip.
    csv_map : CsvMap, optional
        The default takes the columns whose header is a mention key.
    """

    def __init__(self, path: Path, csv_map: CsvMap | None = None) -> None:
        self.name = str(path)
        self._map = csv_map or CsvMap()
        self._file = ByteFile(path)
        self._lines = _Lines(self._file, self._map.encoding)
        self._row = 0
        self._ended = False
        self._broken: SourceError | None = None
        try:
            self._reader = self._open_reader()
            header = self._header()
            self._width = len(header)
            self._mapper = RowMapper(self._map, header)
        except ValueError as error:
            self.close()
            raise SourceError(f"{path}: {error}") from error
        except SourceError:
            self.close()
            raise

    @property
    def done(self) -> bool:
        """Whether every row has been returned."""
        return self._ended and self._broken is None

    @property
    def total_bytes(self) -> int:
        """Size of the file as stored."""
        return self._file.size

    @property
    def consumed_bytes(self) -> int:
        """Bytes of the stored file read so far."""
        return self._file.tell()

    def seek(self, position: str | None) -> None:
        """Continue after a stored position, by reading up to it."""
        if position is None:
            return
        (row,) = split_position(position, 1)
        while self._row < row:
            if self._next() is None:
                raise self._broken or SourceError(
                    f"{self.name} is shorter than when it was read last"
                )

    def poll(self, limit: int) -> Batch | None:
        """Up to ``limit`` rows."""
        if self._broken is not None:
            raise self._broken
        first = self._row + 1
        lines: list[bytes] = []
        size = 0
        while len(lines) < limit and size < BATCH_BYTES:
            row = self._next()
            if row is None:
                break
            line = self._json(row)
            lines.append(line)
            size += len(line)
        if lines:
            return Batch(lines, first, str(self._row))
        if self._broken is not None:
            raise self._broken
        return None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _next(self) -> list[str] | str | None:
        """Cells of the next row, or the code of what is wrong with it; None at the end."""
        if self._ended:
            return None
        self._lines.next_row()
        row: list[str] | str
        try:
            row = next(self._reader)
        except StopIteration:
            self._ended = True
            return None
        except SourceError as error:
            self._broken, self._ended = error, True
            return None
        except csv.Error:
            row = "syntax"
        except _RowTooLarge:
            row = "size"
        self._row += 1
        if row and len(row) != self._width and not isinstance(row, str):
            row = "columns"
        return self._lines.flaw or row

    def _json(self, row: list[str] | str) -> bytes:
        if not row:
            return b""
        if isinstance(row, str):
            return orjson.dumps({"csv_error": row, "csv_row": self._lines.text()})
        return self._mapper.line(row, self._lines.text)

    def _open_reader(self) -> Iterator[list[str]]:
        try:
            first = next(self._lines)
        except (StopIteration, _RowTooLarge) as error:
            raise SourceError(f"{self.name} has no header row") from error
        delimiter = self._map.delimiter or max(_DELIMITERS, key=first.count)
        return csv.reader(chain([first], self._lines), delimiter=delimiter)

    def _header(self) -> list[str]:
        try:
            header = [name.strip() for name in next(self._reader)]
        except (csv.Error, _RowTooLarge) as error:
            raise SourceError(f"{self.name}: its header is not CSV") from error
        if self._lines.flaw:
            raise SourceError(f"{self.name}: its header is not {self._map.encoding}")
        return header
