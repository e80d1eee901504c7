"""YAML with the position of every key and value, so that a mistake can be pointed at.

Nodes are composed by PyYAML's ``SafeLoader`` and turned into plain data here.  Differences to
``yaml.safe_load`` are on purpose: a key may stand once only; dates, octal and base-60 numbers stay
text (``12:30`` is not 750); tags and merge keys are mistakes; depth and size are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from streams.config.problems import KeyPath, Problem, Severity, key_text

MAX_BYTES = 5_000_000
MAX_DEPTH = 32
MAX_NODES = 500_000  # after aliases are followed: ends an alias bomb

_TAG = "tag:yaml.org,2002:"
_AS_WRITTEN = {_TAG + kind for kind in ("str", "timestamp", "value", "merge")}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?\Z")
_TRUE = {"yes", "true", "on"}
_MAX_TAB_PROBLEMS = 20

# what PyYAML says -> what the user should do; the first that occurs in its text wins.
# Never PyYAML's own words: they may quote a secret.
_SYNTAX = (
    ("undefined alias", "an alias (*name) without its anchor; quote a text that starts with *"),
    ("second occurrence", "the same anchor (&name) stands twice"),
    ("another document", "a second document (---) starts here; a configuration is one document"),
    ("mapping values are not allowed", "this colon starts a mapping where none can stand; check "
     "the indentation, and quote a text that holds a colon and a space"),
    ("cannot start any token", "a value cannot start with this character; put the text in quotes"),
    ("could not find expected ':'", "a key without its colon (or without the space after it)"),
    ("sequence entries are not allowed", "a list cannot start here; put it on the next line"),
    ("expected ',' or", "a bracket opened here is not closed, or a comma is missing"),
    ("unexpected end of stream", "a quote opened here is not closed"),
    ("document separator", "a quote opened here is not closed"),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("expected the node content", "a value is missing here, or a bracket before is not closed"),
    ("unknown escape character", "this backslash is no YAML escape; use single quotes around it"),
    ("tag handle", "YAML tags (!name) are not used here; put a text that starts with ! in quotes"),
)  # fmt: skip
_BAD_KEY = "a key must be text; YAML reads yes, no, on, off and numbers otherwise, so quote it"
_POINT_AT_OPENING = ("expected ',' or", "unexpected end of stream", "document separator")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a key or value was written: a position in a file, or an environment variable.

    ``raw`` is the text of an unquoted scalar, as in ``NO`` for ``False``.
    """

    file: str
    line: int | None
    column: int | None
    raw: str | None = None


@dataclass(slots=True)
class Document:
    """Plain data with the origin of every value and of every key in a mapping.

    An environment variable is a document that has a ``root``, the setting it sets, and no lines.
    """

    file: str
    root: KeyPath = ()
    data: Any = None
    values: dict[KeyPath, Origin] = field(default_factory=dict)
    keys: dict[KeyPath, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _places: set[tuple[object, ...]] = field(default_factory=set)

    def add(
        self,
        path: KeyPath,
        message: str,
        *,
        severity: Severity = "error",
        at: Origin | None = None,
    ) -> None:
        """Record a mistake in the setting ``path``, at its value unless told otherwise.

        A second mistake in the same place is a consequence of the first, and left out.
        """
        where = at or self.origin(path)
        key = key_text(self.root + path)
        place = (where.file, where.line, where.column, key, severity)
        if place not in self._places:
            self._places.add(place)
            self.problems.append(
                Problem(where.file, where.line, where.column, key, message, severity)
            )

    def origin(self, path: KeyPath) -> Origin:
        """Where ``path``, or the nearest mapping or list around it, was written."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.values:
                return self.values[path[:end]]
        return Origin(self.file, None, None)

    def graft(self, path: KeyPath, other: Document) -> None:
        """Put the data of ``other`` at ``path``, over whatever stood there; take its problems."""
        self.problems += other.problems
        self._places |= other._places
        if not isinstance(self.data, dict):
            self.data = {}
        parent = self.data
        for part in path[:-1]:
            if not isinstance(parent.get(part), dict):
                parent[part] = {}
            parent = parent[part]
        parent[path[-1]] = other.data
        for mine, theirs in ((self.values, other.values), (self.keys, other.keys)):
            for old in [old for old in mine if old[: len(path)] == path]:
                del mine[old]
            mine.update({path + below: origin for below, origin in theirs.items()})


def entries(data: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    """The mappings in the list ``data[key]``, with their index; whatever else is left out."""
    items = data.get(key)
    return [
        (i, item)
        for i, item in enumerate(items if isinstance(items, list) else ())
        if isinstance(item, dict)
    ]


class _Bounded(yaml.SafeLoader):
    """Composes nodes to a bounded depth: PyYAML recurses."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth >= MAX_DEPTH:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="too deep", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _composed_fast(text: str) -> yaml.Node | None:
    """The document by libyaml, ten times as fast; None where PyYAML has to say what is wrong."""
    if not yaml.__with_libyaml__:
        return None
    depth = 0
    try:
        for event in yaml.parse(text, yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth >= MAX_DEPTH:
                return None
        return yaml.compose(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, OverflowError):
        return None


def read_yaml(text: str, document: Document) -> None:
    """Read one YAML document; mistakes end up in its ``problems``, nothing is raised.

    Parameters
    ----------
    text : str
        The document, decoded.
    document : Document
        Empty; filled here.

    Examples
    --------
    >>> document = Document("nadhir.yaml")
    >>> read_yaml("detect:\\n  max_future_s: 5", document)
    >>> document.data, document.origin(("detect", "max_future_s")).line
    ({'detect': {'max_future_s': 5}}, 2)
    """
    builder = _Builder(document)
    bad = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if bad is not None:
        at = builder.at(*line_column(text, bad.start()))
        document.add(
            (), f"the character U+{ord(bad[0]):04X} cannot stand in YAML; remove it", at=at
        )
        return
    loader = _Bounded(text)
    try:
        node = _composed_fast(text) or loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        builder.syntax_error(error, text)
    except (ValueError, OverflowError):  # PyYAML on \UFFFFFFFF and on endless %YAML versions
        mark = loader.get_mark()
        message = "a number or escape here is too large for YAML"
        document.add((), message, at=builder.at(mark.line, mark.column))
    else:
        if node is not None:
            data = builder.build(node, ())
            document.data = None if builder.overflowed else data


def line_column(text: str, index: int) -> tuple[int, int]:
    """Line and column of ``text[index]``, both from 0."""
    return text.count("\n", 0, index), index - (text.rfind("\n", 0, index) + 1)


class _Builder:
    """Turns nodes into plain data and notes where everything stands."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0
        self.overflowed = False

    def at(self, line: int, column: int, raw: str | None = None) -> Origin:
        """The origin for a line and column counted from 0."""
        if self._document.root:
            return Origin(self._document.file, None, None, raw)
        return Origin(self._document.file, line + 1, column + 1, raw)

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        """The data of ``node``; too large or unknown nodes become ``None`` and a problem."""
        self._nodes += 1
        self._document.values[path] = self._origin(node)
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            if not self.overflowed:
                self.overflowed = True
                self._document.add(path, "too much data, or an alias that holds itself; shorten it")
            self._nodes = MAX_NODES
            return None
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return dict(self._items(node, path))
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._document.add(path, "YAML tags (!name) are not used here; remove the tag")
        return None

    def syntax_error(self, error: yaml.MarkedYAMLError, text: str) -> None:
        """Add the mistake PyYAML stopped at; it cannot read on behind it."""
        said = error.problem or ""
        mark = error.problem_mark or error.context_mark
        if error.context_mark and any(part in said for part in _POINT_AT_OPENING):
            mark = error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        if said == "too deep":
            message = f"nested more than {MAX_DEPTH} levels deep; no setting is"
        elif "\\t" in said:
            self._tabs(text, line, column)
            return
        else:
            message = next((do for part, do in _SYNTAX if part in said), "this is not valid YAML")
        self._document.add((), message, at=self.at(line, column))

    def _tabs(self, text: str, line: int, column: int) -> None:
        lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", text)
        indented = [
            (i, len(row) - len(row.lstrip(" ")))
            for i, row in enumerate(lines)
            if row.lstrip(" ").startswith("\t") and row.strip()
        ]
        for i, j in indented[:_MAX_TAB_PROBLEMS] or [(line, column)]:
            self._document.add((), "a tab; YAML is indented with spaces", at=self.at(i, j))

    def _items(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, Any]]:
        seen: dict[str, Origin] = {}
        for key_node, value_node in node.value:
            at = self._origin(key_node)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in _AS_WRITTEN:
                self._document.add(path, _BAD_KEY, at=at)
                continue
            if key_node.tag == _TAG + "merge":
                self._document.add(path, "merge keys (<<) are not used; write the keys out", at=at)
                continue
            key = self._text(key_node.value, path, at)
            if key in seen:
                first = f" (first in line {seen[key].line})" if seen[key].line else ""
                message = f"the key stands twice{first}; keep one"
                self._document.add((*path, key), message, at=at)
                continue
            seen[key] = self._document.keys[*path, key] = at
            yield key, self.build(value_node, (*path, key))

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        value: str = node.value
        if node.tag in _AS_WRITTEN:
            return self._text(value, path, self._document.values[path])
        if node.tag == _TAG + "null":
            return None
        if node.tag == _TAG + "bool":
            return value.lower() in _TRUE
        if node.tag == _TAG + "int":
            return int(value.replace("_", "")) if _INT.match(value) else value
        if node.tag == _TAG + "float":
            return float(value.replace("_", "")) if _FLOAT.match(value) else value
        self._document.add(path, "YAML tags (!name) are not used here; remove the tag")
        return None

    def _text(self, value: str, path: KeyPath, at: Origin) -> str:
        """Join the surrogate pairs that JSON writes beyond U+FFFF."""
        if value.isascii():
            return value
        try:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            self._document.add(path, "half of a surrogate pair (\\ud800 to \\udfff)", at=at)
            return value.encode("utf-8", "replace").decode()

    def _origin(self, node: yaml.Node) -> Origin:
        plain = isinstance(node, yaml.ScalarNode) and not node.style
        raw = node.value if plain and len(node.value) <= 20 else None
        return self.at(node.start_mark.line, node.start_mark.column, raw)
