"""Playbook files into records; shipped files, and a user's own that take their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from yaml.nodes import Node

from alerts.playbook.records import (
    KIND_CHANNELS,
    KINDS,
    LANGUAGES,
    OPTIONAL_KINDS,
    PARTS,
    SCHEMA_VERSION,
    TYPES,
    Bilingual,
    Channel,
    Language,
    Message,
    MessageKind,
    Playbook,
    PlaybookError,
    Problem,
    Role,
    Segment,
    Step,
)
from alerts.playbook.source import MAX_BYTES, Source, Text, join
from alerts.playbook.templates import Audience, inspect

SHIPPED = Path(__file__).resolve().parent.parent / "playbooks"
_WEEK_MIN = 7 * 24 * 60
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TOP = ("schema", "type", "title", "summary", "roles", "steps", "say", "do_not_say", "messages")


class Draft(NamedTuple):
    """A file as far as it could be read: records, places of texts and keys, and problems."""

    playbook: Playbook
    texts: dict[str, Text]
    lines: dict[str, int]
    problems: list[Problem]


def load_playbooks(directory: Path | None = None) -> dict[str, Playbook]:
    """Load the shipped playbooks, and a user's own in their place.

    Parameters
    ----------
    directory : pathlib.Path, optional
        Files ``*.yaml`` and ``*.yml`` of the user; each replaces the shipped one of its type.

    Returns
    -------
    dict of str to Playbook
        By type, in alphabetical order.

    Raises
    ------
    PlaybookError
        If a file cannot be used: the first mistake, with all of them in ``problems``.

    Examples
    --------
    >>> sorted(load_playbooks())[:3]
    ['coordinated_criticism', 'impersonation', 'negativity_spike']
    """
    found = _load_directory(SHIPPED)
    if directory is not None:
        found |= _load_directory(directory)
    return dict(sorted(found.items()))


def files_in(directory: Path) -> list[Path]:
    """Playbook files of a directory, by name."""
    return sorted(path for path in directory.iterdir() if path.suffix in (".yaml", ".yml"))


def _load_directory(directory: Path) -> dict[str, Playbook]:
    try:
        paths = files_in(directory)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise PlaybookError(directory, 1, what, "name a directory of playbook files") from error
    found: dict[str, Playbook] = {}
    for path in paths:
        draft = read(path)
        errors = tuple(sorted(p for p in draft.problems if p.severity == "error"))
        if errors:
            first = errors[0]
            what = f"{first.key}: {first.message}" if first.key else first.message
            do = "correct it; `nadhir playbook check` names every mistake at once"
            raise PlaybookError(path, first.line, what, do, errors)
        kind = draft.playbook.type
        if kind in found:
            what = f"a second playbook for '{kind}'"
            raise PlaybookError(path, 1, what, "keep one file for each type")
        found[kind] = draft.playbook
    return found


def read(path: Path) -> Draft:
    """Read one file and check its structure and its templates; never raises for what it holds."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        source = Source(path, b"{}")
        source.problems = [Problem(str(path), 1, "", f"cannot be read: {error.strerror}")]
        return Draft(_playbook(source, {}), {}, {}, source.problems)
    source = Source(path, data)
    top = source.mapping(source.root, "", _TOP, _TOP)
    playbook = _playbook(source, top)
    for text in source.texts.values():
        for fault in inspect(text.value, audience(text.key)):
            line = text.find(fault.needle, fault.line)
            source.problems.append(
                Problem(source.file, line, text.key, fault.message, fault.severity)
            )
    return Draft(playbook, source.texts, source.lines, source.problems)


def audience(key: str) -> Audience:
    """Who reads the text at a place of the file."""
    first, _, rest = key.partition(".")
    if first == "messages":
        return "briefing" if rest.startswith(("internal_briefing.", "report.")) else "public"
    if first == "say":
        return "public"
    return "briefing" if first.startswith("steps[") else "internal"


def _playbook(source: Source, top: dict[str, Node]) -> Playbook:
    schema = source.integer(top.get("schema"), "schema", SCHEMA_VERSION, SCHEMA_VERSION)
    kind = _word(source, top.get("type"), "type")
    if kind and kind not in TYPES:
        message = f"no alert has the type '{kind}'; known are {', '.join(TYPES)}"
        source.report(source.lines["type"], "type", message)
    roles = tuple(_roles(source, top.get("roles")))
    return Playbook(
        schema=schema,
        type=kind,
        title=_bilingual(source, top.get("title"), "title"),
        summary=_bilingual(source, top.get("summary"), "summary"),
        roles=roles,
        steps=tuple(_steps(source, top.get("steps"), {role.id for role in roles})),
        say=_bilinguals(source, top.get("say"), "say"),
        do_not_say=_bilinguals(source, top.get("do_not_say"), "do_not_say"),
        messages=tuple(_messages(source, top.get("messages"))),
    )


def _word(source: Source, node: Node | None, key: str) -> str:
    """Read an identifier; it is no template, so it is not kept among the texts."""
    word = source.text(node, key)
    source.texts.pop(key, None)
    if word and not _IDENTIFIER.fullmatch(word):
        source.report(source.lines[key], key, "expected small letters, digits and _")
        return ""
    return word


def _bilingual(source: Source, node: Node | None, key: str) -> Bilingual:
    found = source.mapping(node, key, LANGUAGES, LANGUAGES)
    ar, en = (source.text(found.get(name), f"{key}.{name}") for name in LANGUAGES)
    return Bilingual(ar, en)


def _bilinguals(source: Source, node: Node | None, key: str) -> tuple[Bilingual, ...]:
    return tuple(_bilingual(source, item, at) for at, item in source.sequence(node, key))


def _roles(source: Source, node: Node | None) -> Iterator[Role]:
    seen: set[str] = set()
    for key, item in source.sequence(node, "roles"):
        found = source.mapping(item, key, ("id", "title"), ("id", "title"))
        name = _unique(source, found.get("id"), f"{key}.id", seen)
        yield Role(id=name, title=_bilingual(source, found.get("title"), f"{key}.title"))


def _steps(source: Source, node: Node | None, roles: set[str]) -> Iterator[Step]:
    seen: set[str] = set()
    known = ("id", "role", "within_min", "action")
    for key, item in source.sequence(node, "steps"):
        found = source.mapping(item, key, known, known)
        name = _unique(source, found.get("id"), f"{key}.id", seen)
        role = _word(source, found.get("role"), f"{key}.role")
        if role and role not in roles:
            message = f"'{role}' is not among the roles: {', '.join(sorted(roles))}"
            source.report(source.lines[f"{key}.role"], f"{key}.role", message)
        within = source.integer(found.get("within_min"), f"{key}.within_min", 1, _WEEK_MIN)
        action = _bilingual(source, found.get("action"), f"{key}.action")
        yield Step(id=name, role=role, within_min=within, action=action)


def _unique(source: Source, node: Node | None, key: str, seen: set[str]) -> str:
    name = _word(source, node, key)
    if name and name in seen:
        source.report(source.lines[key], key, f"the id '{name}' is there twice")
    seen.add(name)
    return name


def _messages(source: Source, node: Node | None) -> Iterator[Message]:
    required = tuple(kind for kind in KINDS if kind not in OPTIONAL_KINDS)
    kinds = source.mapping(node, "messages", KINDS, required)
    for kind in KINDS:
        if kind not in kinds:
            continue
        key = f"messages.{kind}"
        channels = KIND_CHANNELS[kind]
        bodies = source.mapping(kinds[kind], key, ("text", *channels), ())
        read = {
            name: _body(source, kind, bodies[name], join(key, name))
            for name in ("text", *channels)
            if name in bodies
        }
        for channel in channels:
            by_language = read.get(channel, read.get("text"))
            if by_language is None:
                message = f"'text' is missing, and '{channel}' has none of its own"
                source.report(source.lines[key], key, message)
                continue
            yield from _channel(kind, channel, by_language)


def _channel(
    kind: MessageKind, channel: Channel, body: dict[Language, tuple[Segment, ...]]
) -> Iterator[Message]:
    for language, segments in body.items():
        yield Message(kind=kind, channel=channel, language=language, segments=segments)


def _body(
    source: Source, kind: MessageKind, node: Node, key: str
) -> dict[Language, tuple[Segment, ...]]:
    found = source.mapping(node, key, LANGUAGES, LANGUAGES)
    return {
        language: tuple(_segments(source, kind, found[language], f"{key}.{language}"))
        for language in LANGUAGES
        if language in found
    }


def _segments(source: Source, kind: MessageKind, node: Node, key: str) -> Iterator[Segment]:
    if kind == "holding":
        parts = source.mapping(node, key, PARTS, PARTS)
        for name in PARTS:
            at = join(key, name)
            yield Segment(name=name, text=source.text(parts.get(name), at), key=at)
    elif kind == "faq":
        for item_key, item in source.sequence(node, key):
            pair = source.mapping(item, item_key, ("q", "a"), ("q", "a"))
            for name in ("q", "a"):
                at = join(item_key, name)
                yield Segment(name=name, text=source.text(pair.get(name), at), key=at)
    else:
        yield Segment(name="text", text=source.text(node, key), key=key)
