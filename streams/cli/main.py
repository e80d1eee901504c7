"""The command group; every command is imported when it is called, so that help is quick."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from streams.cli.common import fail

# command -> module of streams.cli that defines it
COMMANDS = {
    "demo": "demo",
    "run": "run",
    "api": "api",
    "migrate": "migrate",
    "backup": "backup",
    "tokens": "tokens",
    "replay": "replay",
    "simulate": "simulate",
    "drill": "drill",
    "erase": "privacy",
    "prune": "privacy",
    "export": "privacy",
    "analyze": "analyze",
    "train": "train",
    "config": "check",
    "playbook": "check",
    "rejected": "inspect",
    "decisions": "inspect",
    "indicators": "indicators",
    "schema": "inspect",
    "topics": "kafka",
    "produce": "kafka",
    "lag": "kafka",
    "worker": "kafka",
    "notify": "notify",
}


class _Lazy(click.Group):
    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line; what cannot be written is an error, not a traceback."""
        if sys.stdout is None:  # closed by the caller
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # no Arabic in this locale
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            fail(f"Error: {error}")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = getattr(import_module(f"streams.cli.{COMMANDS[name]}"), name)
        assert isinstance(command, click.Command)
        return command


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nadhir", prog_name="nadhir")
def main() -> None:
    """Nadhir (نذير): crisis early warning from public mentions, in Arabic and English."""
