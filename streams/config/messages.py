"""What pydantic found wrong, said so that a user of Nadhir knows what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from streams.config.document import Document, Origin
from streams.config.problems import KeyPath, did_you_mean, printable, shown
from streams.config.receivers import SECRET_KEYS
from streams.config.settings import known_keys

_TAGGED = ("receivers", "sources")  # lists whose entries are of several types
_SECRETS = (("intake", "token"), ("kafka", "password"))
_WITH_SECRETS = tuple(path[:1] for path in _SECRETS)
_OPEN_RECEIVERS = ("console", "journal")
_WANTED = {
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "string_type": "must be text",
    "path_type": "must be text",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "tuple_type": "must be a list, as in [a, b]",
    "literal_error": "must be one of {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
}


def explain(document: Document, errors: Iterable[ErrorDetails]) -> None:
    """Add a problem to ``document`` for each of pydantic's ``errors``."""
    for error in errors:
        path, tag = _path(error["loc"])
        kind = error["type"]
        if kind == "extra_forbidden":
            _unknown_key(document, path, tag)
        elif kind == "missing" or kind == "union_tag_not_found":
            path = path if kind == "missing" else (*path, "type")
            document.add(path, "is required; add it")
        elif path[-1:] == ("[key]",):
            path = path[:-1]
            document.add(path, _join(*_said(error)), at=document.keys.get(path))
        else:
            path = (*path, "type") if kind == "union_tag_invalid" else path
            document.add(path, _sentence(error, path, document.origin(path)))


def _unknown_key(document: Document, path: KeyPath, tag: str) -> None:
    keys = known_keys(path[:-1], tag)
    near = did_you_mean(str(path[-1]), keys)
    said, at = "is no setting", document.keys.get(path)
    if path[0] == "receivers" and tag not in _OPEN_RECEIVERS and not near:
        path = path[:2]
        said = "holds a key that is no setting"
    if path[:1] in _WITH_SECRETS and not near:
        path = path[:1]  # {s3cret} where {token: s3cret} was meant
        said = "holds a key that is no setting"
    document.add(path, _join(said, near or f"the settings here are {', '.join(keys)}"), at=at)


def is_secret(path: KeyPath) -> bool:
    """Whether a value at ``path`` is, or may hold, something nobody should read."""
    if path == () or path in _WITH_SECRETS or path[:2] in _SECRETS:
        return True
    # of whatever type: the address of a webhook is its secret
    return path[:1] == ("receivers",) and (len(path) < 3 or path[2] in SECRET_KEYS)


def _path(loc: tuple[int | str, ...]) -> tuple[KeyPath, str]:
    """The path in the data, and the type of the entry that pydantic has put into it."""
    if loc[0] in _TAGGED and len(loc) > 2:
        return (*loc[:2], *loc[3:]), str(loc[2])
    return loc, ""


def _sentence(error: ErrorDetails, path: KeyPath, origin: Origin) -> str:
    said, *todo = _said(error)
    kind, value = error["type"], error["input"]
    if is_secret(path):
        return _join(said, 'put it in quotes: "…"' if kind == "string_type" else "", *todo)
    if kind == "too_long":
        return said
    if kind == "union_tag_invalid":
        value = value.get("type")
    return _join(said, f"got {shown(value)}", *todo, _hint(error, value, origin))


def _said(error: ErrorDetails) -> tuple[str, ...]:
    """What is wrong, and perhaps what to do."""
    context: Mapping[str, Any] = error.get("ctx", {})
    if error["type"] == "value_error":  # from streams.config.fields
        return tuple(map(str, context["error"].args))
    if error["type"] == "too_long":
        return (f"must hold at most {context['max_length']} entries",)
    return (_WANTED.get(error["type"], "cannot be used").format_map(context),)


def _hint(error: ErrorDetails, value: object, origin: Origin) -> str:
    context: Mapping[str, Any] = error.get("ctx", {})
    options = str(context.get("expected", context.get("expected_tags", "")))
    kind = error["type"]
    if isinstance(value, str):
        if options:
            words = options.replace(" or ", ", ").replace("'", "").split(", ")
            return did_you_mean(value, words)
        quoted = (kind == "int_type" and value.isdecimal()) or value in ("true", "false")
        return "write it without quotes" if quoted and origin.raw is None and origin.line else ""
    if isinstance(value, (bool, int, float)) and (options or kind in ("string_type", "path_type")):
        return f'quote it to make it text: "{printable(origin.raw or shown(value))}"'
    return ""


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
