"""``nadhir replay``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from streams.cli.common import (
    SourceProgress,
    check_outputs,
    config_option,
    errors,
    json_file,
    load_config,
    reports_errors,
    same_everywhere,
)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@config_option
@click.option("--alerts", type=json_file, help="Write alerts to this JSON Lines file.")
@click.option("--signals", type=json_file, help="Write signals to this JSON Lines file.")
@click.option("--decisions", type=json_file, help="Write decisions to this JSON Lines file.")
@click.option("--fresh", is_flag=True, help="Begin anew instead of continuing.")
@reports_errors
def replay(
    file: str,
    config_path: Path | None,
    alerts: Path | None,
    signals: Path | None,
    decisions: Path | None,
    fresh: bool,
) -> None:
    """Run FILE through the pipeline in event time, as fast as it goes.

    FILE is JSON Lines or CSV, gzip too; - is standard input.  An interrupted replay of the same
    file with the same configuration continues where it was.  Without --alerts, alerts go to
    standard output.
    """
    from streams.replay import replay as run_replay
    from streams.replay import store_path, write_results
    from streams.sources import open_source

    config = load_config(config_path)
    check_outputs([file, config_path or "nadhir.yaml"], [alerts, signals, decisions])
    source = open_source(same_everywhere(file))
    path = store_path(config, source.name)
    with closing(source), SourceProgress(f"replay {Path(file).name}") as bar:
        result = run_replay(
            source,
            config,
            path,
            fresh=fresh or file == "-",
            progress=lambda s, p: bar.update(s, p.counters.lines),
        )
    write_results(path, alerts=alerts or Path("-"), signals=signals, decisions=decisions)
    counters = result.counters
    errors.print(
        f"{'continued: ' if result.resumed else ''}{counters.lines:,} lines, "
        f"{counters.mentions:,} mentions, {counters.observations:,} about a brand, "
        f"{result.rejected:,} rejected, {counters.alerts:,} alerts"
    )
    errors.print(f"why, and why not: nadhir decisions --store {path}")
    if result.rejected:
        errors.print(f"see the rejected ones with: nadhir rejected list --store {path}")
