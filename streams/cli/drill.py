"""``nadhir drill``: fire drills, and how they went."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.common import config_option, errors, fail, load_config, reports_errors

if TYPE_CHECKING:
    from alerts.drills import What
    from streams.config import Config
    from streams.drills.folder import DrillFolder

_NOTES = ("acknowledged", "message_sent")
_SCENARIOS = ("outage", "slow_burn", "coordinated_attack", "impersonation", "phishing", "rumour",
              "viral_praise", "holiday_peak", "calm", "feed_outage")  # fmt: skip


class _ByScenario(click.Group):
    """``nadhir drill SCENARIO`` begins a drill; every scenario is a command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_SCENARIOS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _SCENARIOS:
            return super().get_command(ctx, name)
        return click.Command(
            name,
            callback=partial(_begin, name),
            params=_options().params,
            help=_begin.__doc__,
            short_help=f"Begin a drill: {name.replace('_', ' ')}.",
        )


@click.group(cls=_ByScenario)
def drill() -> None:
    """Rehearse a crisis through the running `nadhir run`, marked DRILL everywhere.

    Begin one with a scenario and a brand: nadhir drill outage --brand acme
    """


def _options() -> click.Command:
    """What every scenario may be told."""
    industries = ["bank", "telecom", "airline", "delivery", "generic"]
    options = (
        click.option("--brand", "brand_id", required=True, help="Id of the brand."),
        config_option,
        click.option("--hours", default=3.0, show_default=True, type=click.FloatRange(0.2, 48),
                     help="How long it lasts."),
        click.option("--lead-min", default=5.0, show_default=True, type=click.FloatRange(0, 600),
                     help="Calm minutes before the crisis."),
        click.option("--rate", default=60.0, show_default=True, type=click.FloatRange(1, 2_000),
                     help="Usual mentions an hour."),
        click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0)),
        click.option("--industry", default="generic", show_default=True,
                     type=click.Choice(industries), help="What people talk about."),
    )  # fmt: skip

    @click.command()
    def holder() -> None: ...

    for option in reversed(options):
        holder = option(holder)
    return holder


@reports_errors
def _begin(
    scenario: str,
    brand_id: str,
    config_path: Path | None,
    hours: float,
    lead_min: float,
    rate: float,
    seed: int,
    industry: str,
) -> None:
    """Begin a drill: a synthetic crisis of a brand, from now on, through the real stages.

    It is kept apart from the brand's baseline, metrics and reports, and told as DRILL / تدريب.
    """
    from alerts.records import rfc3339
    from streams.drills.folder import DrillError
    from streams.drills.prepare import DrillSpec, prepare_drill
    from streams.simulate import SimulationError

    config = load_config(config_path)
    spec = DrillSpec(
        scenario=scenario,
        brand=brand_id,
        seed=seed,
        hours=hours,
        lead_min=lead_min,
        rate_per_hour=rate,
        industry=industry,
    )
    errors.print(f"Learning a simulated past of {brand_id} …")
    try:
        folder = prepare_drill(config, spec, time.time_ns() // 1_000_000)
    except (DrillError, SimulationError) as error:
        fail(f"Error: {error}")
    onset = rfc3339(folder.drill.onset_ms)
    errors.print(
        f"The crisis begins at {onset}. A running `nadhir run` with this configuration takes the "
        f"drill up by itself; end it early with: nadhir drill stop {folder.drill.id}"
    )
    click.echo(folder.drill.id)


@drill.command("list")
@config_option
@reports_errors
def list_(config_path: Path | None) -> None:
    """List drills, the oldest first."""
    from alerts.records import rfc3339
    from streams.drills.folder import drills

    for folder in drills(load_config(config_path)):
        plan = folder.drill
        state = "over" if folder.over else "stopping" if folder.stopped else "open"
        click.echo(f"{plan.id}\t{plan.scenario}\t{rfc3339(plan.onset_ms)}\t{state}")


@drill.command("score")
@click.argument("drill_id", required=False)
@click.option("--json", "as_json", is_flag=True, help="As a JSON object.")
@config_option
@reports_errors
def score_(drill_id: str | None, as_json: bool, config_path: Path | None) -> None:
    """Tell how a drill went (the latest if none is named): noticed, acknowledged, first message.

    What was done through the API, the console or a link counts, and what was noted by hand.
    """
    import msgspec

    import alerts.texts
    from alerts.drills import score, sentences
    from alerts.texts import load_phrases
    from streams.drills.answers import all_events

    config = load_config(config_path)
    folder = _found(config, drill_id)
    result = score(folder.drill, all_events(config, folder))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        return
    phrases = load_phrases(Path(alerts.texts.__file__).with_name("response.yaml"))
    click.echo(f"{folder.drill.id}: {folder.drill.scenario}")
    for sentence in sentences(result, phrases):
        click.echo(f"  {sentence.en}\n  {sentence.ar}")


@drill.command("note")
@click.argument("what", type=click.Choice(_NOTES))
@click.argument("drill_id", required=False)
@click.option("--by", required=True, help="Who did it.")
@config_option
@reports_errors
def note(what: What, drill_id: str | None, by: str, config_path: Path | None) -> None:
    """Note that somebody acknowledged, or that the first message went out, just now.

    For what was done elsewhere; the API, the console and links in notifications note it themselves.
    """
    from alerts.drills import DrillEvent

    folder = _found(load_config(config_path), drill_id)
    folder.note(DrillEvent(at_ms=time.time_ns() // 1_000_000, what=what, by=by[:200]))


@drill.command("stop")
@click.argument("drill_id", required=False)
@config_option
@reports_errors
def stop(drill_id: str | None, config_path: Path | None) -> None:
    """End a drill early; what it opened is resolved."""
    _found(load_config(config_path), drill_id).stop()


def _found(config: Config, drill_id: str | None) -> DrillFolder:
    from streams.drills.folder import DrillError, find_drill

    try:
        return find_drill(config, drill_id)
    except DrillError as error:
        fail(f"Error: {error}")
