"""Mistakes in the configuration: where each one is and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

KeyPath = tuple[str | int, ...]
Severity = Literal["error", "warning"]

_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    Attributes
    ----------
    file : str
        The configuration file, or the name of the environment variable that is wrong.
    line, column : int or None
        Counted from 1; ``None`` where there is no position (environment, missing file).
    key : str
        The setting, such as ``brands[0].names[1]``; empty where the whole file is meant.
    message : str
        A sentence: what is wrong, the bad value, what to do.
    severity : {"error", "warning"}
        Only errors keep a configuration from loading.
    """

    file: str
    line: int | None
    column: int | None
    key: str
    message: str
    severity: Severity = "error"


class ConfigError(Exception):
    """The configuration cannot be used.

    Attributes
    ----------
    problems : tuple of Problem
        Every mistake that was found, warnings included, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(format_problem, self.problems)))


def format_problem(problem: Problem) -> str:
    """One line for a terminal, in the form editors make clickable.

    Examples
    --------
    >>> format_problem(Problem("nadhir.yaml", 3, 8, "brands[0].id", "is required"))
    'nadhir.yaml:3:8: error: brands[0].id: is required'
    """
    where = printable(problem.file)
    if problem.line is not None:
        where += f":{problem.line}:{problem.column}"
    key = f"{problem.key}: " if problem.key else ""
    return f"{where}: {problem.severity}: {key}{problem.message}"


def key_text(path: Sequence[str | int]) -> str:
    """A path as users read it.

    Examples
    --------
    >>> key_text(("brands", 0, "names", 1))
    'brands[0].names[1]'
    """
    parts = [f"[{p}]" if isinstance(p, int) else f".{_key(p)}" for p in path]
    return "".join(parts).removeprefix(".")


def _key(text: str) -> str:
    """A key without what follows a colon: ``{token:secret}`` lacks its space and is all key."""
    head, colon, _ = text.partition(":")
    return printable(head) + (":…" if colon else "")


def printable(text: str) -> str:
    """``text`` shortened, with whatever could steer a terminal escaped."""
    short = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in short
    )


def shown(value: object) -> str:
    """A bad value as it may stand in a message: short, quoted, without control characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{printable(value)}'"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    if isinstance(value, dict):
        return "a mapping"
    return printable(str(value))


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A suggestion to end a message with, or nothing when no option is near.

    Examples
    --------
    >>> did_you_mean("nmaes", ["id", "names"])
    'did you mean names?'
    """
    by_lower: dict[str, str] = {}
    for option in options:
        by_lower.setdefault(option.lower(), option)
    near = difflib.get_close_matches(word[:_SHOWN_CHARS].lower(), list(by_lower), n=1)
    return f"did you mean {by_lower[near[0]]}?" if near else ""
