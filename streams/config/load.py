"""From a file and the environment to a checked configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from streams.config.check import check_together
from streams.config.document import MAX_BYTES, Document, Origin, line_column, read_yaml
from streams.config.environment import overrides, unknown_variables
from streams.config.messages import explain
from streams.config.problems import ConfigError, KeyPath, Problem, Severity
from streams.config.schema import Config

DEFAULT_FILE = Path("nadhir.yaml")


class Fault(NamedTuple):
    """A setting, and what is wrong with what it names."""

    key: KeyPath
    message: str
    severity: Severity = "error"


Trial = Callable[[Config], Iterable[Fault]]

_HOW_TO_MAKE_ONE = "make one with: nadhir config example > nadhir.yaml"


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read, check and resolve the configuration.

    Parameters
    ----------
    path : Path or None
        The file; ``None`` is ``nadhir.yaml`` in the current directory, which may be missing when
        the environment names the brands.
    environ : mapping of str to str
        Usually ``os.environ``.  Its ``NADHIR_`` variables win over the file.

    Returns
    -------
    Config
        With every path resolved against the directory of the file.

    Raises
    ------
    ConfigError
        With all mistakes at once; warnings alone raise nothing.

    Examples
    --------
    >>> brands = '[{id: acme, names: [Acme, أكمي]}]'
    >>> load(None, {"NADHIR_BRANDS": brands, "NADHIR_SENSITIVITY": "strict"}).sensitivity
    'strict'
    """
    config, problems = _read(path, environ)
    if config is None:
        raise ConfigError(problems)
    return config


def check(
    path: Path | None, environ: Mapping[str, str], trials: Mapping[str, Trial] | None = None
) -> list[Problem]:
    """Every mistake and doubt in the configuration, in the order of the file, then the environment.

    Parameters
    ----------
    path, environ
        Those of :func:`load`, which raises just when there is an error in this list.
    trials : mapping of str to callable, optional
        By section of the configuration, what opens the things that the section names and tells
        their faults; asked where the section itself is without fault.
    """
    return _read(path, environ, trials)[1]


def example() -> str:
    """The commented example configuration, in English and Arabic."""
    return resources.files("streams").joinpath("examples/nadhir.yaml").read_text("utf-8")


def _read(
    path: Path | None, environ: Mapping[str, str], trials: Mapping[str, Trial] | None = None
) -> tuple[Config | None, list[Problem]]:
    document = Document(str(path or DEFAULT_FILE))
    from_environment = list(overrides(environ))
    brands_given = any(setting.path == "brands" for setting, _ in from_environment)
    _read_file(path, document, optional=brands_given)
    unread = list(document.problems) if document.data is None else []
    for setting, override in from_environment:
        document.graft(setting.keys, override)
    base = (path or DEFAULT_FILE).parent
    config = _validate(document)
    check_together(document, base)
    if config is not None:
        _try(config.anchored(base), document, trials or {})
    problems = document.problems
    if unread:  # what it lacks, the file may well have
        problems = unread + [p for p in problems if p.file in environ]
    problems = sorted([*problems, *unknown_variables(environ)], key=_order)
    if config is None or any(problem.severity == "error" for problem in problems):
        return None, problems
    return config.anchored(base), problems


def _try(config: Config, document: Document, trials: Mapping[str, Trial]) -> None:
    errors = (p.key for p in document.problems if p.severity == "error")
    refused = {key.partition(".")[0].partition("[")[0] for key in errors}
    for section, trial in trials.items():
        if section not in refused:
            for fault in trial(config):
                document.add(fault.key, fault.message, severity=fault.severity)


def _read_file(path: Path | None, document: Document, *, optional: bool) -> None:
    try:
        with (path or DEFAULT_FILE).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        document.add((), "is a directory; name the file in it")
        return
    except FileNotFoundError:
        if path is None and optional:
            document.data = {}
        else:
            document.add((), f"there is no such file; {_HOW_TO_MAKE_ONE}")
        return
    except (OSError, ValueError) as error:  # ValueError: NUL in the name
        reason = error.strerror if isinstance(error, OSError) else None
        document.add((), f"cannot be read: {reason or 'not a file name'}")
        return
    if len(content) > MAX_BYTES:
        document.add((), f"is larger than {MAX_BYTES // 1_000_000} MB; is it the right file?")
        return
    text = _decode(content, document)
    if text is not None:
        read_yaml(text, document)
        _require_mapping(document)


def _decode(content: bytes, document: Document) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        document.add((), "is UTF-16; save it as UTF-8")
        return None
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        line, column = line_column(before, len(before))
        at = Origin(document.file, line + 1, column + 1)
        byte = content[error.start]
        document.add((), f"the byte 0x{byte:02X} is not UTF-8; save the file as UTF-8", at=at)
        return None


def _require_mapping(document: Document) -> None:
    if document.data is None and not document.problems:
        document.data = {}  # empty, or comments alone
        document.values[()] = Origin(document.file, 1, 1)
    elif document.data is not None and not isinstance(document.data, dict):
        document.add((), "must be a mapping of settings, such as brands: …")
        document.data = None


def _validate(document: Document) -> Config | None:
    errors = []
    try:
        return Config.model_validate(document.data if document.data is not None else {})
    except ValidationError as error:
        errors = error.errors(include_url=False)
    explain(document, errors)
    return None


def _order(problem: Problem) -> tuple[object, ...]:
    in_file = problem.line is not None
    return (not in_file, problem.file, problem.line or 0, problem.column or 0, problem.key)
