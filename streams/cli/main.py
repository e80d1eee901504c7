"""The command group; every command is imported when it is called, so that help is quick."""

from __future__ import annotations

from importlib import import_module

import click

# command -> module of streams.cli that defines it
COMMANDS = {
    "demo": "demo",
    "run": "run",
    "replay": "replay",
    "simulate": "simulate",
    "analyze": "analyze",
    "train": "train",
    "config": "check",
    "playbook": "check",
    "rejected": "inspect",
    "decisions": "inspect",
    "schema": "inspect",
}


class _Lazy(click.Group):
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
