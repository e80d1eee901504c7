"""``nadhir config`` and ``nadhir playbook``."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from streams.cli.common import (
    WRONG_USAGE,
    config_option,
    errors,
    fail,
    load_config,
    reports_errors,
)


@click.group()
def config() -> None:
    """Check the configuration, or print an example."""


@config.command("check")
@config_option
@reports_errors
def config_check(config_path: Path | None) -> None:
    """Name every mistake in the configuration by file, line and key; open what it names.

    Looks for spans of the next 30 days in which nobody is on call.
    """
    from streams.config import check, format_problem
    from streams.config.load import Trial
    from streams.schedules import faults as on_call_faults
    from streams.sentiment import faults

    now_ms = time.time_ns() // 1_000_000
    trials: dict[str, Trial] = {
        "sentiment": faults,
        "schedules": lambda config: on_call_faults(config, now_ms),
    }
    problems = check(config_path, os.environ, trials)
    for problem in problems:
        click.echo(format_problem(problem))
    if any(p.severity == "error" for p in problems):
        raise SystemExit(WRONG_USAGE)
    errors.print("The configuration is good." if not problems else "Good, but see the warnings.")


@config.command("example")
def config_example() -> None:
    """Print an example with comments in English and Arabic."""
    from streams.config import example

    click.echo(example(), nl=False)


@click.group()
def playbook() -> None:
    """Check playbooks."""


@playbook.command("check")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@config_option
@reports_errors
def playbook_check(paths: tuple[Path, ...], config_path: Path | None) -> None:
    """Check playbook files or directories; without PATHS the shipped and configured ones."""
    from alerts.playbook import check
    from alerts.playbook.load import SHIPPED

    if not paths:
        paths = (SHIPPED,)
        if config_path or Path("nadhir.yaml").exists():
            own = load_config(config_path).paths.playbooks
            paths = (SHIPPED, own) if own else paths
    for path in paths:
        if path.is_dir() and not any(path.glob("*.y*ml")):
            fail(f"Error: there is no playbook (*.yaml) in {path}", WRONG_USAGE)
    problems = check(paths)
    for problem in problems:
        click.echo(str(problem))
    if any(p.severity == "error" for p in problems):
        raise SystemExit(WRONG_USAGE)
    errors.print("The playbooks are good." if not problems else "Good, but see the warnings.")
