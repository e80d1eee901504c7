"""What the schema cannot see: how brands, files and other settings go together.

Works on the data as it was written, whether or not the schema likes it, so that one run names all
mistakes.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from models.records import Author, Engagement, Mention
from streams.config.check_brands import check_brands
from streams.config.check_response import calendar_files, check_calendar_file, check_response
from streams.config.check_routes import check_routes
from streams.config.document import Document, entries
from streams.config.fields import MENTION_FIELDS, file_path
from streams.config.listed import check_lists
from streams.config.problems import KeyPath, shown
from streams.config.sentiment import TOKENIZER_NAME

_MIN_TOKEN_CHARS = 16
_HAS_ZONE = re.compile(r"(?<!%)(?:%%)*%z")  # %Z is read but says nothing
_NEEDED = ("platform", "published_at", "text")  # the id is derived where there is none


def check_together(document: Document, base: Path) -> None:
    """Add a problem to ``document`` for everything that does not go together.

    Parameters
    ----------
    document : Document
        The merged configuration, already held against the schema: what the schema has refused is
        not judged again.
    base : Path
        What relative paths start from.
    """
    data = document.data if isinstance(document.data, dict) else {}
    check_brands(document, entries(data, "brands"))
    check_lists(document, entries(data, "brands"))
    _check_unique(document, data)
    check_routes(document, data)
    _check_files(document, data, base)
    _check_sentiment(document, data.get("sentiment"), base)
    check_response(document, data)
    for key, calendar in calendar_files(data):
        check_calendar_file(document, key, _path(base, calendar), calendar)
    for i, source in entries(data, "sources"):
        if source.get("type") == "csv":
            _check_csv(document, ("sources", i), source)
    intake = data.get("intake")
    token = intake.get("token") if isinstance(intake, dict) else None
    if isinstance(token, str) and 0 < len(token) < _MIN_TOKEN_CHARS:
        message = f"is short; {_MIN_TOKEN_CHARS} or more random characters cannot be guessed"
        document.add(("intake", "token"), message, severity="warning")


def _check_unique(document: Document, data: dict[str, Any]) -> None:
    escalation = data.get("escalation")
    lists: tuple[tuple[KeyPath, str, list[tuple[int, dict[str, Any]]]], ...] = (
        (("brands",), "id", entries(data, "brands")),
        (("receivers",), "name", entries(data, "receivers")),
        (("schedules",), "name", entries(data, "schedules")),
        (
            ("escalation", "chains"),
            "name",
            entries(escalation, "chains") if isinstance(escalation, dict) else [],
        ),
    )
    for section, key, held in lists:
        seen: dict[str, KeyPath] = {}
        for i, entry in held:
            name, path = entry.get(key), (*section, i, key)
            if not isinstance(name, str):
                continue
            if name in seen:
                line = document.origin(seen[name]).line
                where = f" (line {line})" if line else ""
                document.add(path, f"{shown(name)} stands twice{where}; choose another")
            seen.setdefault(name, path)
    if data.get("receivers") == []:
        message = "is empty, so that nobody is told of an alert; leave it out for console and file"
        document.add(("receivers",), message, severity="warning")


def _check_files(document: Document, data: dict[str, Any], base: Path) -> None:
    """``os.path`` answers no where pathlib raises, as for a name that is too long."""
    paths = data.get("paths")
    if isinstance(paths, dict):
        own = _path(base, paths.get("data"))
        if own and os.path.exists(own) and not os.path.isdir(own):
            document.add(("paths", "data"), f"{shown(paths['data'])} is a file; name a directory")
        playbooks = _path(base, paths.get("playbooks"))
        if playbooks and not os.path.isdir(playbooks):
            message = f"{shown(paths['playbooks'])} is no directory; create it or leave it out"
            document.add(("paths", "playbooks"), message)
    for section in ("receivers", "sources"):
        for i, entry in entries(data, section):
            path = _path(base, entry.get("path"))
            if path and os.path.isdir(path):
                document.add(
                    (section, i, "path"), f"{shown(entry['path'])} is a directory; name a file"
                )
            elif path and section == "sources" and not os.path.exists(path):
                _report_missing_source(document, i, entry)


def _report_missing_source(document: Document, i: int, source: dict[str, Any]) -> None:
    if source.get("follow") is not True:
        hint = ", or set follow to wait for it" if source.get("type") == "file" else ""
        message = f"{shown(source['path'])} is not there; create it before the run{hint}"
        document.add(("sources", i, "path"), message, severity="warning")


def _check_sentiment(document: Document, section: object, base: Path) -> None:
    own = section.get("onnx") if isinstance(section, dict) else None
    own = {} if own is None else own
    if not isinstance(section, dict) or not isinstance(own, dict):
        return
    key, named = ("sentiment", "onnx", "path"), own.get("path")
    if section.get("model", "builtin") == "builtin" and named is not None:
        message = "is not used; set sentiment.model to onnx, or leave it out"
        document.add(key, message, severity="warning")
    if section.get("model") != "onnx":
        return
    if named is None:
        at = document.origin(("sentiment", "model"))
        document.add(key, "is required where sentiment.model is onnx; add it", at=at)
    model, tokenizer = _path(base, named), _path(base, own.get("tokenizer"))
    beside = model.parent / TOKENIZER_NAME if model and own.get("tokenizer") is None else None
    if model and not os.path.isfile(model):
        document.add(key, f"{shown(named)} is no file; name the model, such as model.onnx")
    elif beside and not os.path.isfile(beside):
        message = f"has no {TOKENIZER_NAME} beside it; add it, or set tokenizer"
        document.add(key, f"{shown(named)} {message}")
    if tokenizer and not os.path.isfile(tokenizer):
        message = f"{shown(own['tokenizer'])} is no file; name the model's {TOKENIZER_NAME}"
        document.add(("sentiment", "onnx", "tokenizer"), message)


def _path(base: Path, value: object) -> Path | None:
    """The path a setting names, where the schema takes it for one."""
    if not isinstance(value, str):
        return None
    try:
        file_path(value)
    except ValueError:
        return None
    return base / value


def _check_csv(document: Document, path: KeyPath, source: dict[str, Any]) -> None:
    columns = source.get("columns", {})
    constants = source.get("constants", {})
    if not isinstance(columns, dict) or not isinstance(constants, dict):
        return
    given = {*columns, *(["platform"] if "platform" in constants else [])}
    lacking = [key for key in _NEEDED if key not in given]
    if columns and lacking:
        instead = ", or set platform under constants" if "platform" in lacking else ""
        message = f"has no column for {', '.join(lacking)}, which every mention needs; add one"
        document.add((*path, "columns"), message + instead)
    for key, value in constants.items():
        if key in MENTION_FIELDS:
            _check_constant(document, (*path, "constants", key), key, value)
        if key in columns:
            message = "has a column too; the constant stands in where the cell is empty"
            document.add((*path, "constants", key), message, severity="warning")
    has_zone = source.get("timezone") is not None
    time_format = source.get("time_format")
    if isinstance(time_format, str) and not has_zone and not _HAS_ZONE.search(time_format):
        message = (
            f"{shown(time_format)} has no %z, so that times lack their zone; set timezone beside it"
        )
        document.add((*path, "time_format"), message)


def _check_constant(document: Document, path: KeyPath, key: str, value: object) -> None:
    head, _, name = key.rpartition(".")
    struct = {"": Mention, "author": Author, "engagement": Engagement}[head]
    try:
        msgspec.convert(value, get_type_hints(struct, include_extras=True)[name])
    except msgspec.ValidationError as error:
        reason = str(error).partition(" - at ")[0].replace("`", "")
        reason = reason[:1].lower() + reason[1:]
        document.add(path, f"is no {key} a mention can have: {reason}; got {shown(value)}")
