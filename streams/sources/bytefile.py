"""A file as a stream of bytes, inflated where it is gzip."""

from __future__ import annotations

import gzip
import os
import zlib
from io import FileIO
from pathlib import Path

from streams.sources.base import CHUNK_BYTES, SourceError

_GZIP_MAGIC = b"\x1f\x8b"


class ByteFile:
    """A file read in chunks, inflated if its first bytes say gzip (RFC 1952), whatever its name.

    Raises
    ------
    SourceError
        From every method, if the file cannot be read; from `read`, also where a gzip stream
        is cut short or broken, after all that could be inflated has been returned.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told = 0
        try:
            self._raw = path.open("rb", buffering=0)
            if path.is_dir():  # not every system refuses to open one
                raise SourceError(f"{path} is a directory, not a file")
            self.size = os.fstat(self._raw.fileno()).st_size
            magic = self._raw.read(2)
            self._raw.seek(0)
        except OSError as error:
            raise SourceError(f"cannot read {path}: {error.strerror}") from error
        self.zipped = magic == _GZIP_MAGIC
        self._stream: gzip.GzipFile | FileIO = (
            gzip.GzipFile(fileobj=self._raw) if self.zipped else self._raw
        )

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """Up to ``size`` bytes; empty at the end of the file."""
        try:
            if isinstance(self._stream, gzip.GzipFile):
                return self._stream.read1(size)
            return self._stream.read(size)
        except EOFError as error:
            raise SourceError(f"{self.path} ends inside its gzip stream: it was cut") from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise SourceError(f"{self.path} is broken gzip: {error}") from error
        except OSError as error:
            raise SourceError(f"cannot read {self.path}: {error.strerror}") from error

    def skip(self, offset: int) -> None:
        """Go on at ``offset`` of the inflated bytes."""
        if not self.zipped:
            if offset > self.size:
                raise SourceError(f"{self.path} is shorter than when it was read last")
            self._raw.seek(offset)
            return
        while offset > 0:
            got = len(self.read(min(offset, CHUNK_BYTES)))
            if got == 0:
                raise SourceError(f"{self.path} is shorter than when it was read last")
            offset -= got

    def tell(self) -> int:
        """Bytes of the stored file read so far."""
        if not self._raw.closed:
            self._told = min(self._raw.tell(), self.size)
        return self._told

    def close(self) -> None:
        """Close the file; `tell` stays as it was."""
        self.tell()
        self._stream.close()
        self._raw.close()
