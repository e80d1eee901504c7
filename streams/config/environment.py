"""Settings from environment variables: ``NADHIR_DETECT__MAX_FUTURE_S=60``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.config.document import MAX_BYTES, Document, Origin, read_yaml
from streams.config.problems import Problem, did_you_mean, printable
from streams.config.settings import PREFIX, Setting, settings

_NOT_SETTINGS = (PREFIX + "TEST_", PREFIX + "LOG")


def overrides(environ: Mapping[str, str]) -> Iterator[tuple[Setting, Document]]:
    """The settings in ``environ``, sections before what they hold.

    An empty variable counts as not set.  Text is taken as it is; numbers, switches, lists and
    sections are read as YAML, of which JSON is a part.
    """
    for setting in settings():
        value = environ.get(setting.variable, "")
        if setting.kind == "entry" or not value:
            continue
        yield setting, _read(setting, value)


def unknown_variables(environ: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for every ``NADHIR_`` variable that sets nothing."""
    known = {setting.variable: None for setting in settings()}
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(_NOT_SETTINGS) and name not in known:
            near = did_you_mean(name, known) or "docs/configuration.md lists them all"
            yield Problem(printable(name), None, None, "", f"this variable sets nothing; {near}")


def _read(setting: Setting, value: str) -> Document:
    document = Document(setting.variable, root=setting.keys)
    document.values[()] = Origin(setting.variable, None, None)
    if any("\ud800" <= char <= "\udfff" for char in value):  # bytes that are not UTF-8
        document.add((), "must be UTF-8")
    elif len(value) > MAX_BYTES:
        document.add((), f"is larger than {MAX_BYTES // 1_000_000} MB")
    elif setting.kind == "text":
        document.data = value
    else:
        read_yaml(value, document)
    return document
