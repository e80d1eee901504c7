"""``python -m streams.cli``: the command line without its console script."""

from streams.cli import main

main(prog_name="nadhir")
