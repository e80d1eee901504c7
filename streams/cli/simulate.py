"""``nadhir simulate``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import click

from streams.cli.common import check_outputs, json_file, reports_errors

_FIRST_YEAR, _LAST_YEAR = 2001, 2097  # 400 days later and anywhere on earth, a valid mention


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no date or time such as 2026-03-01") from error
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise click.BadParameter(f"{value!r} is not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command()
@click.option("--scenario", default="outage", show_default=True, help="What happens.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option("--days", default=14.0, show_default=True, type=click.FloatRange(0.01, 400))
@click.option("--rate", "rate_per_hour", type=click.FloatRange(0.01), help="Mentions an hour.")
@click.option("--brands", "count", default=1, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--start", callback=_moment, help="Begin of the stream.  [default: 2026-01-04]")
@click.option("--crisis-at", callback=_moment, help="Begin of the event.")
@click.option("--intensity", default=1.0, show_default=True, type=click.FloatRange(0.0, 100.0))
@click.option("--out", type=json_file, help="Mentions; gzip if it ends in .gz.  [default: -]")
@click.option("--truth", type=json_file, help="What happened, as JSON.")
@click.option("--config-out", type=json_file, help="Configuration of the simulated brands.")
@reports_errors
def simulate(
    scenario: str,
    seed: int,
    days: float,
    rate_per_hour: float | None,
    count: int,
    start: datetime | None,
    crisis_at: datetime | None,
    intensity: float,
    out: Path | None,
    truth: Path | None,
    config_out: Path | None,
) -> None:
    """Write a labelled stream of mentions in Arabic and English."""
    import gzip

    from streams.simulate import (
        SCENARIOS,
        SimulationError,
        SimulationSpec,
        ready_brands,
        synthetic_brands,
        write,
    )
    from streams.simulate.spec import DEFAULT_START

    if scenario not in SCENARIOS:
        raise click.BadParameter(
            f"{scenario!r} is none of {', '.join(SCENARIOS)}", param_hint="--scenario"
        )
    check_outputs([], [out, truth, config_out])
    ready = ready_brands()
    brands = ready[:count] if count <= len(ready) else tuple(synthetic_brands(count, seed))
    try:
        spec = SimulationSpec(
            scenario=scenario,
            seed=seed,
            brands=brands,
            start=start or DEFAULT_START,
            days=days,
            rate_per_hour=rate_per_hour,
            crisis_at=crisis_at,
            intensity=intensity,
        )
        if out is None or str(out) == "-":
            write(spec, sys.stdout.buffer, truth=truth, config=config_out)
        elif out.suffix == ".gz":
            # neither time nor name goes into the header: equal specifications give equal bytes
            with (
                out.open("wb") as file,
                gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed,
            ):
                write(spec, cast(BinaryIO, packed), truth=truth, config=config_out)
        else:
            with out.open("wb") as plain:
                write(spec, plain, truth=truth, config=config_out)
    except SimulationError as error:
        raise click.UsageError(str(error)) from error
