"""``nadhir demo``: the main job from mentions to alerts, on two simulated brands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.common import SourceProgress, errors, reports_errors

if TYPE_CHECKING:
    from alerts.show.terminal import Arabic


@click.command()
@click.option(
    "--out",
    default=Path("demo-out"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where mentions, alerts, signals and decisions are written.",
)
@click.option("--seed", default=7, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--arabic",
    type=click.Choice(["auto", "visual", "logical"]),
    default="auto",
    show_default=True,
    help="Shape Arabic for terminals that do not: visual; leave it to the terminal: logical.",
)
@reports_errors
def demo(out: Path, seed: int, arabic: Arabic) -> None:
    """Simulate two bilingual brands, one through an outage, and print the alerts."""
    from streams.demo import print_alerts, replay_demo, simulate_demo

    stream = simulate_demo(out, seed)
    hit, calm = stream.hit.name_en, stream.calm.name_en
    errors.print(f"Simulated {hit} (an outage) and {calm} (calm): {stream.mentions}")
    with SourceProgress("demo") as bar:
        mentions, alerts = replay_demo(stream, lambda s, p: bar.update(s, p.counters.lines))
    print_alerts(stream, alerts, arabic)
    errors.print(
        f"{mentions:,} mentions, {len(alerts)} alert(s); see {out}/: "
        "alerts.html, alerts.jsonl, signals.jsonl, decisions.jsonl (why not), mentions.jsonl"
    )
