"""What the commands share: options, errors and their exit codes, progress."""

from __future__ import annotations

import functools
import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from streams.config import Config
    from streams.sources import Source

P = ParamSpec("P")
R = TypeVar("R")

FAILED, WRONG_USAGE = 1, 2
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_CHATTY = ("aiokafka", "alembic.runtime.plugins", "faust", "kafka", "mode")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Configuration file.  [default: nadhir.yaml]",
)
json_file = click.Path(path_type=Path, dir_okay=False, writable=True)


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End the command with a sentence on standard error."""
    _settle_output()
    errors.print(message)
    raise SystemExit(code)


def _settle_output() -> None:
    """Write what standard output holds, or drop it: the interpreter would fail over it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors that users can mend into a sentence and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from alerts.notify.errors import DeliveryError
        from alerts.oncall_calendar import CalendarError
        from alerts.playbook import PlaybookError
        from alerts.store.errors import StoreFault
        from models.sentiment import SentimentArtefactError
        from models.sentiment.onnx_files import OnnxModelError
        from streams.kafka import KafkaEngineError
        from streams.sources import SourceError
        from streams.store import StoreError

        try:
            result = command(*args, **kwargs)
            sys.stdout.flush()  # an output that cannot be written is told here, not at exit
        except PlaybookError as error:
            fail(str(error), WRONG_USAGE)
        except (CalendarError, DeliveryError) as error:
            fail(f"Error: {error}", WRONG_USAGE)
        except BrokenPipeError:
            _settle_output()  # its reader has seen enough
            raise SystemExit(FAILED) from None
        except (
            SourceError,
            StoreError,
            StoreFault,
            SentimentArtefactError,
            OnnxModelError,
            KafkaEngineError,
            OSError,
        ) as error:
            fail(f"Error: {error}")
        except sqlite3.Error as error:
            fail(f"Error: a store cannot be used ({error})")
        except KeyboardInterrupt:
            fail("Interrupted.")
        return result

    return run


def check_outputs(inputs: Iterable[str | Path], outputs: Iterable[Path | None]) -> None:
    """Tell what cannot be written, or would be written over, before the work and not after it."""
    taken = {_identity(file) for file in inputs}
    for path in outputs:
        if path is None or str(path) == "-":
            continue
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            fail(f"Error: {path} cannot be written; is its directory there?")
        if path.exists() and not path.is_file():
            continue  # several results may go to one pipe or device
        if _identity(path) in taken:
            fail(f"Error: {path} is named twice; name another file", WRONG_USAGE)
        taken.add(_identity(path))


def _identity(file: str | Path) -> object:
    """What tells a file from others, whatever it is called; ``-`` is standard input."""
    try:
        status = os.fstat(0) if str(file) == "-" else os.stat(file)
    except OSError:
        return os.path.realpath(file)  # it is yet to be made
    return status.st_dev, status.st_ino


def same_everywhere(file: str) -> str:
    """A file's name in the form by which positions are kept, whatever the working directory."""
    return file if file == "-" else os.path.abspath(file)


def load_config(path: Path | None) -> Config:
    """The configuration, or every mistake in it and exit code 2."""
    from streams.config import ConfigError, format_problem, load

    try:
        return load(path, os.environ)
    except ConfigError as error:
        fail("\n".join(map(format_problem, error.problems)), WRONG_USAGE)


def refuse_open_intake(config: Config, host: str) -> None:
    """End the command if anybody on the network could send mentions."""
    if config.intake.token is None and not is_local(host):
        fail(
            f"--host {host}: the intake would be open to the network without a token; "
            "set intake.token (NADHIR_INTAKE__TOKEN), or keep to 127.0.0.1",
            WRONG_USAGE,
        )


def refuse_open_metrics(config: Config, host: str) -> None:
    """End the command if anybody on the network could read metrics."""
    if config.metrics.token is None and not is_local(host):
        fail(
            f"--metrics-host {host}: metrics would be open to the network without a token; "
            "set metrics.token (NADHIR_METRICS__TOKEN), or keep to 127.0.0.1",
            WRONG_USAGE,
        )


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    return host in _LOOPBACK


def set_up_logging() -> None:
    """Log to standard error, in one line a record."""
    level = (os.environ.get("NADHIR_LOG_LEVEL") or "INFO").upper()
    if level not in _LOG_LEVELS:
        fail(f"NADHIR_LOG_LEVEL must be one of {', '.join(_LOG_LEVELS)}", WRONG_USAGE)
    logging.basicConfig(
        stream=sys.stderr,
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    if level == "INFO":  # theirs tells of every connection and plug-in
        for client in _CHATTY:
            logging.getLogger(client).setLevel(logging.WARNING)


class SourceProgress:
    """A progress bar with rate and remaining time, on standard error, where that is a terminal."""

    def __init__(self, title: str) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[lines]:,} mentions"),
            TextColumn("{task.fields[rate]:,.0f}/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(title, total=None, lines=0, rate=0.0)

    def __enter__(self) -> SourceProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, source: Source, lines: int) -> None:
        """Tell how far a source has been read."""
        elapsed = self._bar.tasks[self._task].elapsed or 0.0
        self._bar.update(
            self._task,
            total=source.total_bytes,
            completed=source.consumed_bytes or 0,
            lines=lines,
            rate=lines / elapsed if elapsed else 0.0,
        )
