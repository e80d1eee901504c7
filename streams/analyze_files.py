"""What the analyses of a file of mentions share: reading it in order of time, writing times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from models.records import Mention
from streams.decode import decode_batch

BATCH = 500
_DAY = timedelta(days=1)


class AnalyzeError(Exception):
    """The file cannot be analysed; the message names file and line, and what to do."""


def ignore(_: str) -> None:
    """Nobody wants to know."""


def numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, without their ends and a byte order mark, and their numbers.

    Examples
    --------
    >>> list(numbered([b"\\xef\\xbb\\xbf{}\\r\\n", b"\\n", b" {}"]))
    [(1, b'{}'), (3, b'{}')]
    """
    for number, line in enumerate(lines, start=1):
        line = line.removeprefix(b"\xef\xbb\xbf").strip()
        if line:
            yield number, line


def read_mentions(
    lines: Iterable[bytes], name: str = "input", tell: Callable[[str], None] = ignore
) -> list[Mention]:
    """Mentions of a file, in order of time, each once a day (by platform and id).

    Parameters
    ----------
    lines : iterable of bytes
        Mentions, a JSON object a line (docs/mention.md); blank lines are passed over.
    name : str
        What errors call the input.
    tell : callable
        Is told of each line that is no mention, which is passed over.
    """
    every: list[Mention] = []
    left = numbered(lines)
    while batch := list(islice(left, BATCH)):
        decoded = decode_batch(
            [line for _, line in batch],
            source=name,
            positions=[number for number, _ in batch],
            now_ms=None,
            max_future_ms=0,
        )
        for rejection in decoded.rejections:
            tell(f"{name}, line {rejection.position}: {rejection.detail}")
        every += decoded.mentions
    return _once(sorted(every, key=lambda mention: mention.published_at))


def _once(mentions: Iterable[Mention]) -> list[Mention]:
    """Mentions in order of time without those that were there within the day before."""
    kept: list[Mention] = []
    seen: dict[tuple[str, str], datetime] = {}
    for mention in mentions:
        named = mention.platform, mention.id
        before = seen.get(named)
        if before is None or mention.published_at - before > _DAY:
            seen[named] = mention.published_at
            kept.append(mention)
    return kept


def moment(ms: int) -> str:
    """A time as it is written in JSON.

    Examples
    --------
    >>> moment(1_767_225_600_000)
    '2026-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")
