"""YAML read as nodes, so that every mistake has its line; nothing in a file is ever constructed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

import yaml
from yaml.composer import ComposerError
from yaml.events import AliasEvent, CollectionStartEvent, Event, ScalarEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from alerts.playbook.records import Problem

MAX_BYTES = 256 * 1024
MAX_TEXT_CHARS = 10_000
_MAX_DEPTH = 12
_STR_TAG, _INT_TAG = "tag:yaml.org,2002:str", "tag:yaml.org,2002:int"


class _Loader(yaml.SafeLoader):
    """Composes plain trees only: no aliases (they can grow without bound), no tags, no depth."""

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event: Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, AliasEvent):
            self._refuse("an alias (*name) is not allowed", event)
        if isinstance(event, (ScalarEvent, CollectionStartEvent)) and event.tag not in (None, "!"):
            self._refuse("a tag (!name) is not allowed", event)
        if self.depth >= _MAX_DEPTH:
            self._refuse("nested too deeply", event)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    @staticmethod
    def _refuse(message: str, event: Event) -> NoReturn:
        raise ComposerError(None, None, message, event.start_mark)  # type: ignore[arg-type]


class Text(NamedTuple):
    """A text of the file with its place: ``raw`` is the source from ``line`` on."""

    key: str
    value: str
    line: int
    raw: str

    def line_of(self, offset: int) -> int:
        """Line in the file of the character at ``offset`` of the value.

        Folding moves white space alone, so the place is found by counting the other characters.
        """
        before = len("".join(self.value[:offset].split()))
        for seen, match in enumerate(re.finditer(r"\S", self.raw)):
            if seen == before:
                return self.line + self.raw.count("\n", 0, match.start())
        return self.line

    def find(self, needle: str, line: int = 1) -> int:
        """Line in the file of ``needle``, sought from the ``line``-th line of the value on."""
        start = 0
        for _ in range(line - 1):
            start = self.value.find("\n", start) + 1
        pattern = rf"\b{re.escape(needle)}\b" if needle.isidentifier() else re.escape(needle)
        match = re.compile(pattern).search(self.value, start)
        return self.line_of(match.start() if match else start)


class Source:
    """One file: its nodes, and the problems found while they are read.

    Parameters
    ----------
    path : pathlib.Path
        The file, as problems name it.
    data : bytes
        Its content.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.file = str(path)
        self.problems: list[Problem] = []
        self.texts: dict[str, Text] = {}
        self.lines: dict[str, int] = {"": 1}
        self._source = ""
        self.root = self._compose(data)

    def report(self, line: int, key: str, message: str) -> None:
        """Note an error."""
        self.problems.append(Problem(self.file, line, key, message))

    def _compose(self, data: bytes) -> Node | None:
        if len(data) > MAX_BYTES:
            self.report(1, "", f"{len(data):,} bytes; a playbook has at most {MAX_BYTES:,}")
            return None
        try:
            self._source = data.decode("utf-8-sig")
            loader = _Loader(self._source)
        except UnicodeDecodeError as error:
            self.report(data.count(b"\n", 0, error.start) + 1, "", "not UTF-8")
        except yaml.reader.ReaderError as error:
            line = self._source.count("\n", 0, error.position) + 1
            self.report(
                line,
                "",
                f"YAML: character U+{ord(self._source[error.position]):04X} is not allowed",
            )
        else:
            return self._tree(loader)
        return None

    def _tree(self, loader: _Loader) -> Node | None:
        try:
            root: Node | None = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.report(mark.line + 1 if mark else 1, "", f"YAML: {error.problem}")
            return None
        except (ValueError, OverflowError) as error:  # PyYAML lets those of chr() and int() through
            self.report(loader.line + 1, "", f"YAML: {error}")
            return None
        if root is None:
            self.report(1, "", "the file is empty")
        return root

    def mapping(
        self, node: Node | None, key: str, known: tuple[str, ...], required: tuple[str, ...]
    ) -> dict[str, Node]:
        """Read a mapping; unknown, duplicate and missing keys are reported.

        Parameters
        ----------
        node : yaml node or None
            ``None`` (already reported) gives an empty mapping.
        key : str
            Dotted place of the node.
        known, required : tuple of str
            Keys that may and keys that must be there.
        """
        if node is None:
            return {}
        line = node.start_mark.line + 1
        if not isinstance(node, MappingNode):
            self.report(line, key, f"expected {', '.join(known)}, each on its own line")
            return {}
        found: dict[str, Node] = {}
        for name_node, value in node.value:
            name = name_node.value if isinstance(name_node, ScalarNode) else "?"
            at = name_node.start_mark.line + 1
            where = join(key, name)
            if name in found:
                self.report(
                    at, where, f"'{name}' is there twice, first in line {self.lines[where]}"
                )
            elif name not in known:
                self.report(at, where, f"unknown key '{name}'; known are {', '.join(known)}")
            else:
                found[name] = value
                self.lines[where] = at
        for name in required:
            if name not in found:
                self.report(self.lines.get(key, line), join(key, name), f"'{name}' is missing")
        return found

    def sequence(self, node: Node | None, key: str) -> Iterator[tuple[str, Node]]:
        """Read a list that holds something; gives each item with its key."""
        if node is None:
            return
        if not isinstance(node, SequenceNode) or not node.value:
            self.report(node.start_mark.line + 1, key, "expected a list with something in it")
            return
        for i, item in enumerate(node.value):
            self.lines[f"{key}[{i}]"] = item.start_mark.line + 1
            yield f"{key}[{i}]", item

    def text(self, node: Node | None, key: str) -> str:
        """Read a text; kept in ``texts`` with its place."""
        if node is None:
            return ""
        line = node.start_mark.line + 1
        if not isinstance(node, ScalarNode) or node.tag != _STR_TAG:
            self.report(line, key, "expected a text; put it in quotes if it looks like a number")
            return ""
        if not node.value.strip():
            self.report(line, key, "is empty")
            return ""
        if len(node.value) > MAX_TEXT_CHARS:
            self.report(line, key, f"a text has at most {MAX_TEXT_CHARS:,} characters")
            return ""
        if any("\ud800" <= char <= "\udfff" for char in node.value):
            self.report(line, key, "half of a surrogate pair is no character")
            return ""
        raw = self._source[node.start_mark.index : node.end_mark.index]
        if node.style in ("|", ">"):  # the text begins below the indicator
            line += 1
            raw = raw.partition("\n")[2]
        elif node.style in ("'", '"'):
            raw = raw[1:]
        self.texts[key] = Text(key, node.value, line, raw)
        return str(node.value)

    def integer(self, node: Node | None, key: str, low: int, high: int) -> int:
        """Read a whole number between ``low`` and ``high``."""
        if node is None:
            return low
        # YAML 1.1 also reads 0x10, 1_000 and 1:30 as numbers; a playbook needs none of them
        if isinstance(node, ScalarNode) and node.tag == _INT_TAG and node.value.isdecimal():
            digits = node.value.lstrip("0") or "0"
            if len(digits) <= 9 and low <= int(digits) <= high:
                return int(digits)
        span = f"a whole number from {low:,} to {high:,}" if low < high else str(low)
        self.report(node.start_mark.line + 1, key, f"expected {span}")
        return low


def join(key: str, name: str) -> str:
    """Dotted place of ``name`` inside ``key``."""
    return f"{key}.{name}" if key else name
