"""The list of all settings, read off the schema: for the documentation and the environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from streams.config.problems import KeyPath
from streams.config.schema import Config

PREFIX = "NADHIR_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, or a section of settings.

    Attributes
    ----------
    path : str
        ``detect.max_future_s``; inside a list ``brands[].id``, or ``sources[csv].columns`` where
        entries are of several types.
    default : str
        As YAML; ``required`` where there is none.
    variable : str
        The environment variable that sets it, alone or with the list it is in.
    meaning : str
    kind : {"text", "data", "section", "entry"}
        How the variable is read: as it is, or as YAML; an ``entry`` has none of its own.
    """

    path: str
    default: str
    variable: str
    meaning: str
    kind: Literal["text", "data", "section", "entry"]

    @property
    def keys(self) -> KeyPath:
        """The path as keys; not for an ``entry``."""
        return tuple(self.path.split("."))


@cache
def settings() -> tuple[Setting, ...]:
    """Every setting, in the order of the schema, sections before what they hold."""
    return tuple(_walk(Config, "", PREFIX, inside_list=False))


def settings_table() -> str:
    """The Markdown table in docs/configuration.md."""
    rows = ["| Setting | Default | Environment variable | Meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{s.path}` | {s.default if s.default == 'required' else f'`{s.default}`'} "
        f"| `{s.variable}` | {s.meaning} |"
        for s in settings()
        if s.kind != "section"
    ]
    return "\n".join(rows) + "\n"


def known_keys(path: KeyPath, tag: str = "") -> tuple[str, ...]:
    """The keys that may stand in the mapping at ``path``; ``tag`` is its type, if it has several.

    Examples
    --------
    >>> known_keys(("detect",))
    ('allowed_lateness_s', 'max_future_s')
    """
    parent = "".join("[]" if isinstance(part, int) else f".{part}" for part in path)
    parents = {parent.removeprefix("."), parent.removeprefix(".").replace("[]", f"[{tag}]")}
    split = (setting.path.rpartition(".") for setting in settings())
    return tuple(name for head, _, name in split if head in parents)


def _walk(
    model: type[BaseModel], prefix: str, variable: str, *, inside_list: bool
) -> Iterator[Setting]:
    for name, info in model.model_fields.items():
        path = prefix + name
        own = variable if inside_list else variable + name.upper()
        models = list(_models(info.annotation))
        is_list = _is_list(info.annotation)
        kind = _kind(info.annotation, inside_list, section=bool(models) and not is_list)
        yield Setting(path, _default(info), own, info.description or "", kind)
        for sub in models:
            if is_list:
                tag = _tag(sub) if len(models) > 1 else ""
                yield from _walk(sub, f"{path}[{tag}].", own, inside_list=True)
            else:
                yield from _walk(sub, f"{path}.", f"{own}__", inside_list=inside_list)


def _kind(
    annotation: Any, inside_list: bool, *, section: bool
) -> Literal["text", "data", "section", "entry"]:
    if inside_list:
        return "entry"
    if section:
        return "section"
    plain = {get_origin(a) or a for a in _parts(annotation)}
    return "data" if plain & {int, bool, tuple, dict} else "text"


def _parts(annotation: Any) -> tuple[Any, ...]:
    """Members of a union, without ``None``."""
    is_union = get_origin(annotation) not in (None, tuple, dict, Literal)
    members = get_args(annotation) if is_union else (annotation,)
    return tuple(m for m in members if m is not type(None))


def _is_list(annotation: Any) -> bool:
    return any(get_origin(part) is tuple for part in _parts(annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _tag(model: type[BaseModel]) -> str:
    return str(get_args(model.model_fields["type"].annotation)[0])


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    return json.dumps(_plain_data(info.default), ensure_ascii=False).strip('"')


def _plain_data(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_plain_data(item) for item in value]
    return value if isinstance(value, (int, dict, type(None))) else str(value)
