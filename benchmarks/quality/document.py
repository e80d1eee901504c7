"""The document that figures are written into, between markers; the rest is written by hand."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "quality.md"


class QualityError(Exception):
    """A section cannot be measured or written; the message says why, and what to do."""


def replaced(text: str, section: str, lines: Iterable[str]) -> str:
    """Text with other lines between the markers of a section.

    Parameters
    ----------
    text : str
        A document with ``<!-- quality:NAME -->`` and, after it, ``<!-- /quality:NAME -->``.
    section : str
        The name.
    lines : iterable of str
        What is to stand there, without the markers.

    Raises
    ------
    QualityError
        A marker is missing, occurs twice or stands in the wrong place.

    Examples
    --------
    >>> replaced("a\\n<!-- quality:x -->\\nold\\n<!-- /quality:x -->\\nb", "x", ["new"])
    'a\\n<!-- quality:x -->\\n\\nnew\\n\\n<!-- /quality:x -->\\nb'
    """
    begin, end = f"<!-- quality:{section} -->", f"<!-- /quality:{section} -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(end) < text.index(begin):
        raise QualityError(f"the document needs {begin} once and {end} once after it")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    body = "\n".join(lines).strip("\n")
    return f"{head}{begin}\n\n{body}\n\n{end}{tail}"


def write(section: str, lines: Sequence[str], path: Path = DOCUMENT) -> None:
    """Put lines between the markers of a section of a document.

    Raises
    ------
    QualityError
        As `replaced` does; the document is then as it was.
    """
    text = path.read_text(encoding="utf-8")
    path.write_text(replaced(text, section, lines), encoding="utf-8")


def stamp(command: str, spent_s: float) -> str:
    """When, on what and with which command a section was measured."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    spent = f"{spent_s:.0f} s" if spent_s < 120 else f"{spent_s / 60:.0f} min"
    return f"*{datetime.now(UTC):%Y-%m-%d}, {machine}, {spent}: `{command}`*"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a Markdown table.

    Examples
    --------
    >>> table(["a", "b"], [["x", 1]])
    ['| a | b |', '|---|---|', '| x | 1 |']
    """
    shown = [head, *([str(cell) for cell in row] for row in rows)]
    lines = [f"| {' | '.join(row)} |" for row in shown]
    return [lines[0], "|" + "---|" * len(head), *lines[1:]]


def percent(share: float) -> str:
    """A share as documents here write it.

    Examples
    --------
    >>> percent(0.25)
    '25 %'
    """
    return f"{100 * share:.0f} %"


def verdict(reached: bool) -> str:
    """How a table says whether a goal was reached."""
    return "yes" if reached else "**no**"
