"""Where in a text a host name stands: in plain text, or as the host of a URL or e-mail address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from models.alphabet import WORD

# bytes as in models.alphabet.SYMBOLS
_PATH_START = re.compile(rb"[\x06\x07\x08\x05]")  # / \ ? #
_HOST_MARKS = re.compile(rb"[\x03\x0a\x0b]*")  # [_.-]*


def are_hosts(plain: bytes, spans: Iterable[tuple[int, int, int, int]]) -> Iterator[bool]:
    """Whether each span (start, end, start and end of its segment; sorted) is where a host is."""
    token: _Token | None = None
    for start, end, low, high in spans:
        if token is None or start >= token.end:
            token = _Token(plain, start, low, high)
        yield token.has_host(start, end)


class _Token:
    """The parts of a run without spaces: plain text up to a path, then the host of a URL."""

    def __init__(self, plain: bytes, at: int, low: int, high: int) -> None:
        begin = max(plain.rfind(b"\x02", low, at) + 1, low)
        space = plain.find(b"\x02", at, high)
        self._plain = plain
        self.end = high if space < 0 else space
        self._plain_end = self._next_path(max(plain.find(b"\x0a", begin, self.end), begin))
        self._host, self._host_end = self.end, self.end
        scheme = plain.find(b"\x09\x06\x06", begin, min(self._plain_end + 2, self.end))
        if scheme >= 0:
            self._plain_end = scheme
            self._host_end = self._next_path(scheme + 3)
            user = plain.rfind(b"\x04", scheme + 3, self._host_end)
            self._host = user + 1 if user >= 0 else scheme + 3
        self._last_at = plain.rfind(b"\x04", begin, self._plain_end)

    def _next_path(self, at: int) -> int:
        found = _PATH_START.search(self._plain, at, self.end)
        return found.start() if found else self.end

    def has_host(self, start: int, end: int) -> bool:
        """Whether a whole host, or the end of one after a dot, stands at ``start:end``."""
        before = self._plain[start - 1]
        marks = _HOST_MARKS.match(self._plain, end)
        after = self._plain[marks.end() if marks else end]
        if before >= WORD or before in b"\x03\x0b" or after >= WORD:
            return False
        if start < self._plain_end:  # "acme.com:x@evil.net" names a user, not a host
            return not (after in b"\x09\x04" and self._last_at >= end)
        return self._host <= start < self._host_end
