"""As much of Markdown as the documentation check needs: headings, links, code, fenced blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([\w-]*)")
_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*$")
_CODE = re.compile(r"(`+)(.+?)\1")
_LINK = re.compile(r"\]\(\s*<?([^()\s<>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_DEFINITION = re.compile(r"^\s{0,3}\[[^\]]+\]:\s+<?([^\s<>]+)>?")
_ATTRIBUTE = re.compile(r"\b(?:src|href)=\"([^\"]+)\"")
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of a document and the line it begins on, from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the line of its fence, its language, its lines."""

    line: int
    language: str
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    """What a Markdown file holds; ``prose`` is its lines without code and links."""

    path: Path
    length: int = 0
    headings: list[Item] = field(default_factory=list)
    links: list[Item] = field(default_factory=list)
    code: list[Item] = field(default_factory=list)
    prose: list[Item] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    unclosed: int | None = None  # line of a fence that is never closed


def parse(path: Path) -> Document:
    """Read a Markdown file.

    Raises
    ------
    OSError, UnicodeDecodeError
        If it cannot be read as UTF-8.
    """
    document = Document(path)
    fence = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        document.length = number
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and line.strip() == found[1]:
                fence = ""
            else:
                document.blocks[-1].lines.append(line)
        elif found:
            fence = found[1]
            document.blocks.append(Block(number, found[2].lower()))
        else:
            _prose(document, number, line)
    if fence:
        document.unclosed = document.blocks[-1].line
    return document


def _prose(document: Document, number: int, line: str) -> None:
    if heading := _HEADING.match(line):
        document.headings.append(Item(number, heading[1]))
    document.code += [Item(number, m[2].strip()) for m in _CODE.finditer(line)]
    plain = _CODE.sub("", line)
    for pattern in (_LINK, _DEFINITION, _ATTRIBUTE):
        document.links += [Item(number, m[1]) for m in pattern.finditer(plain)]
        plain = pattern.sub("", plain)
    document.prose.append(Item(number, plain))


def anchors(document: Document) -> set[str]:
    """Fragments that links to the document's headings may use, as GitHub makes them.

    Examples
    --------
    >>> sorted(anchors(Document(Path("x"), headings=[Item(1, "Run `nadhir`, twice")])))
    ['run-nadhir-twice']
    """
    return {
        re.sub(r"[^\w\- ]", "", _MARKUP.sub(r"\1", heading.text).lower()).replace(" ", "-")
        for heading in document.headings
    }
