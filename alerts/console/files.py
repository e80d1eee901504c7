"""Files of the pages, held in memory and named with a hash, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("static")
_MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class File(NamedTuple):
    """A file, as it is sent."""

    content: bytes
    media: str


class Files:
    """The files, by the name under which pages ask for them.

    Examples
    --------
    >>> files = Files()
    >>> files.find(files.url("console.css").rpartition("/")[2]).media
    'text/css; charset=utf-8'
    >>> files.find("../app.py") is None
    True
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._urls: dict[str, str] = {}
        self._held: dict[str, File] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix not in _MEDIA:
                continue
            content = path.read_bytes()
            name = f"{hashlib.sha256(content).hexdigest()[:16]}-{path.name}"
            self._urls[path.name] = f"/static/{name}"
            self._held[name] = File(content, _MEDIA[path.suffix])

    def url(self, name: str) -> str:
        """Where a page finds a file."""
        return self._urls[name]

    def find(self, named: str) -> File | None:
        """The file of an address."""
        return self._held.get(named)
