"""Check README.md and docs/ against the project: ``python -m tools.check_docs``.

Links, files that are named, commands of ``nadhir`` and targets of ``make`` must exist; headings
are unique, nothing is left to do, and no document is longer than a reader has patience for.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import click

from tools.markdown import Block, Document, Item, anchors, parse

ROOT = Path(__file__).resolve().parents[1]
MAX_LINES = 400
MAX_LINES_README = 250
MAX_LINES_RECORD = 40  # a decision record

_SHELL = frozenset(("console", "bash", "sh", "shell"))
_UNDONE = re.compile(r"\b(?:TODO|FIXME|XXX|TBD)\b")
_RECORD = re.compile(r"(\d{4})-[a-z0-9-]+\.md")
_TARGET = re.compile(r"^([a-z][a-z-]*)\s*:(?!=)", re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9_]*=")
_PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
# in prose only what ends like a file is taken for one: "streams/models" may mean both
_PROSE_PATH = re.compile(r"(?<![\w/.:-])[\w.-]+(?:/[\w.-]+)*/[\w-]+\.[a-z]{1,5}\b")


class Problem(NamedTuple):
    """A fault of a document."""

    path: Path
    line: int
    message: str


class Project(NamedTuple):
    """What documents are checked against.

    ``command`` is ``None`` where it cannot be loaded; ``made`` are the folders that git ignores.
    """

    root: Path
    command: click.Command | None
    made: frozenset[str]
    targets: frozenset[str]


def open_project(root: Path, command: click.Command | None) -> Project:
    """Look up what documents of a project are checked against."""
    ignored = _text(root / ".gitignore").splitlines()
    made = frozenset(line.strip("/") for line in ignored if line.endswith("/"))
    return Project(root, command, made, frozenset(_TARGET.findall(_text(root / "Makefile"))))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def documents(root: Path) -> list[Path]:
    """README.md and all Markdown files under docs/."""
    readme = root / "README.md"
    return [*([readme] if readme.exists() else []), *sorted((root / "docs").rglob("*.md"))]


def check(project: Project) -> Iterator[Problem]:
    """Every problem of every document."""
    found = documents(project.root)
    parsed = {path.resolve(): parse(path) for path in found}
    for document in parsed.values():
        yield from _form(project, document)
        for link in document.links:
            yield from _link(project, document, link, parsed)
        yield from _paths(project, document)
        yield from _commands(project, document)
    yield from _records(project.root / "docs" / "adr")


# form ---------------------------------------------------------------------------------------


def _form(project: Project, document: Document) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for heading in document.headings:
        first = seen.setdefault(heading.text.casefold(), heading.line)
        if first != heading.line:
            message = f"heading '{heading.text}' is on line {first} already"
            yield Problem(document.path, heading.line, message)
    for item in document.prose:
        if found := _UNDONE.search(item.text):
            yield Problem(document.path, item.line, f"'{found[0]}': finish it or leave it out")
    if document.unclosed is not None:
        yield Problem(document.path, document.unclosed, "this fenced block is never closed")
    limit = MAX_LINES
    if document.path.name == "README.md":
        limit = MAX_LINES_README
    elif document.path.parent == project.root / "docs" / "adr":
        limit = MAX_LINES_RECORD
    if document.length > limit:
        message = f"{document.length} lines; at most {limit}, so cut or split it"
        yield Problem(document.path, limit + 1, message)


def _records(folder: Path) -> Iterator[Problem]:
    """Decision records are numbered without a gap, and the index lists every one."""
    index = folder / "README.md"
    if not index.exists():
        return
    listed = {link.text.partition("#")[0] for link in parse(index).links}
    names = sorted(path.name for path in folder.glob("*.md") if path != index)
    for number, name in enumerate(names, 1):
        found = _RECORD.fullmatch(name)
        if not found or int(found[1]) != number:
            yield Problem(folder / name, 1, f"name it {number:04d}-words-with-hyphens.md")
        if name not in listed:
            yield Problem(index, 1, f"{name} is not listed")


# links and files ----------------------------------------------------------------------------


def _link(
    project: Project, document: Document, link: Item, parsed: dict[Path, Document]
) -> Iterator[Problem]:
    if re.match(r"[a-z][a-z0-9+.-]*:", link.text) or link.text.startswith("//"):
        return
    place, _, fragment = link.text.partition("#")
    target = (document.path.parent / unquote(place)).resolve() if place else document.path.resolve()
    if not target.is_relative_to(project.root.resolve()):
        yield Problem(document.path, link.line, f"link '{link.text}' leaves the repository")
    elif not target.exists():
        yield Problem(document.path, link.line, f"link '{link.text}': no such file")
    elif fragment and target in parsed and unquote(fragment) not in anchors(parsed[target]):
        yield Problem(document.path, link.line, f"link '{link.text}': no such heading")


def _paths(project: Project, document: Document) -> Iterator[Problem]:
    named = [Item(c.line, c.text) for c in document.code if _PATH.fullmatch(c.text)]
    named += [
        Item(p.line, match[0]) for p in document.prose for match in _PROSE_PATH.finditer(p.text)
    ]
    for item in named:
        if not _is_there(project, item.text):
            yield Problem(document.path, item.line, f"'{item.text}': no such file in the project")


def _is_there(project: Project, name: str) -> bool:
    """Whether a path exists; one that does not begin in a folder of the project is not judged."""
    top, _, rest = name.partition("/")
    if not rest or top in project.made or set(top) <= set(".*"):
        return True
    return not (project.root / top).is_dir() or any(project.root.glob(name.rstrip("/")))


# commands -----------------------------------------------------------------------------------


def _commands(project: Project, document: Document) -> Iterator[Problem]:
    lines = [Item(c.line, c.text) for c in document.code]
    for block in document.blocks:
        if block.language in _SHELL:
            lines += _shell_lines(block)
    for item in lines:
        for words in _split(item.text):
            message = None
            if words[0].rpartition("/")[2] == "nadhir":
                message = _nadhir(project.command, words[1:])
            elif words[0] == "make":
                unknown = [
                    w for w in words[1:] if re.match("[a-z]", w) and w not in project.targets
                ]
                message = f"make: no target '{unknown[0]}'" if unknown else None
            if message:
                yield Problem(document.path, item.line, message)


def _shell_lines(block: Block) -> Iterator[Item]:
    """Commands of a block, continuation lines joined; beside prompts, other lines are output."""
    prompts = any(line.startswith("$ ") for line in block.lines)
    begun, text = 0, ""
    for number, line in enumerate(block.lines, block.line + 1):
        if not text and prompts and not line.startswith("$ "):
            continue
        begun = begun if text else number
        text += line.removeprefix("$ ") if not text else line
        if text.endswith("\\"):
            text = text[:-1] + " "
            continue
        yield Item(begun, text)
        text = ""


def _split(line: str) -> Iterator[list[str]]:
    """Simple commands of a line, as words; assignments before a command are dropped.

    Examples
    --------
    >>> list(_split("A=1 nadhir simulate calm | nadhir replay - --alerts out.jsonl  # all"))
    [['nadhir', 'simulate', 'calm'], ['nadhir', 'replay', '-', '--alerts', 'out.jsonl']]
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if word[0] in "|&;()":
                if words:
                    yield words
                words = []
            elif words or not _ASSIGNMENT.match(word):
                words.append(word)
    except ValueError:  # an unpaired quote: not a shell line
        return
    if words:
        yield words


def _nadhir(command: click.Command | None, words: list[str]) -> str | None:
    """What is wrong with the words after ``nadhir``: an unknown command or option."""
    if command is None:
        return "nadhir: its commands cannot be loaded"
    context = click.Context(command, info_name="nadhir", **command.context_settings)
    words = list(words)
    while words:
        word = words.pop(0)
        if word.startswith(("<", ">")) or word == "--":
            return None
        if word.startswith("-") and word != "-":
            name, given, _ = word.partition("=")
            option = _option(context, name)
            if option is None and name not in context.help_option_names:
                return f"{context.command_path}: no option '{name}'"
            takes_value = option is not None and not option.is_flag and not option.count
            del words[: option.nargs if option and takes_value and not given else 0]
        elif isinstance(context.command, click.Group):
            if word in ("…", "..."):
                return None
            try:
                below = context.command.get_command(context, word)
            except ImportError as error:
                return f"{context.command_path} {word}: {error}"
            if below is None:
                return f"{context.command_path}: no command '{word}'"
            context = click.Context(below, info_name=word, parent=context)
    return None


def _option(context: click.Context, name: str) -> click.Option | None:
    for parameter in context.command.params:
        if isinstance(parameter, click.Option):
            names = (*parameter.opts, *parameter.secondary_opts)
            if name in names:
                return parameter
    return None


def load_command() -> click.Command | None:
    """The command ``nadhir``; ``None``, with a message, where it cannot be imported."""
    try:
        from streams.cli import main as command
    except ImportError as error:
        print(f"streams.cli cannot be imported: {error}", file=sys.stderr)
        return None
    return command


def main() -> int:
    """Print every problem as ``file:line: message``; the exit code is 1 if there are any."""
    problems = sorted(set(check(open_project(ROOT, load_command()))))
    for problem in problems:
        print(f"{problem.path.relative_to(ROOT)}:{problem.line}: {problem.message}")
    print(f"{len(documents(ROOT))} documents, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
