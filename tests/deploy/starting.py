"""Whether a command line of a manifest is one that Nadhir understands."""

from __future__ import annotations

from typing import Any

import click

from streams.cli import main


def parsed(arguments: list[str]) -> tuple[str, dict[str, Any]]:
    """The command that ``arguments`` call, and its options; fails as the command line would."""
    command: click.Command = main
    names: list[str] = []
    context = click.Context(main, info_name="nadhir")
    rest = list(arguments)
    while isinstance(command, click.Group):
        name = rest.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"no command {name}"
        command = found
        names.append(name)
    made = command.make_context(names[-1], rest, parent=context)
    return " ".join(names), made.params
