"""``nadhir demo``: the main job from mentions to alerts, on two simulated brands."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from streams.cli.common import SourceProgress, errors, reports_errors

_START = datetime(2026, 3, 1, tzinfo=UTC)
_CRISIS = datetime(2026, 3, 11, 16, 20, tzinfo=UTC)


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
def demo(out: Path, seed: int, arabic: str) -> None:
    """Simulate two bilingual brands, one through an outage, and print the alerts."""
    from rich.console import Console

    from alerts.explain import brand_names
    from alerts.show.page import render_page
    from alerts.show.terminal import print_alert
    from streams.config import load
    from streams.replay import replay, write_results
    from streams.simulate import SimulationSpec, ready_brands, simulate_many
    from streams.sources import open_source
    from streams.store import Store

    out.mkdir(parents=True, exist_ok=True)
    hit, calm = ready_brands()[:2]
    shared = {"seed": seed, "start": _START, "days": 11.0, "rate_per_hour": 60.0}
    stream = simulate_many(
        [
            SimulationSpec(scenario="outage", brands=[hit], crisis_at=_CRISIS, **shared),  # type: ignore[arg-type]
            SimulationSpec(scenario="calm", brands=[calm], **shared),  # type: ignore[arg-type]
        ]
    )
    mentions, config_path = out / "mentions.jsonl", out / "nadhir.yaml"
    with mentions.open("wb") as file:
        file.writelines(stream.lines())
    truth = json.dumps(stream.truth, ensure_ascii=False, indent=1)
    (out / "truth.json").write_text(truth, encoding="utf-8")
    # JSON is YAML too
    settings = json.dumps(stream.config(), ensure_ascii=False, indent=2)
    config_path.write_text(settings, encoding="utf-8")
    errors.print(f"Simulated {hit.name_en} (an outage) and {calm.name_en} (calm): {mentions}")

    config = load(config_path, {})
    source = open_source(str(mentions))
    with closing(source), SourceProgress("demo") as bar:
        result = replay(
            source,
            config,
            out / "demo.db",
            fresh=True,
            progress=lambda s, p: bar.update(s, p.counters.lines),
        )
    write_results(
        result.store,
        alerts=out / "alerts.jsonl",
        signals=out / "signals.jsonl",
        decisions=out / "decisions.jsonl",
    )
    store = Store(result.store)
    alerts = [case.alert for case in store.cases()]
    store.close()
    brands = config.brand_records()
    names = {brand.id: brand_names(brand) for brand in brands}
    zones = {brand.id: brand.timezone for brand in brands}
    page = render_page(alerts, names, timezones=zones)
    (out / "alerts.html").write_text(page, encoding="utf-8")
    console = Console()
    for alert in alerts:
        print_alert(alert, console, arabic=arabic, timezone=zones[alert.brand])  # type: ignore[arg-type]
    errors.print(
        f"{result.counters.mentions:,} mentions, {len(alerts)} alert(s); see {out}/: "
        "alerts.html, alerts.jsonl, signals.jsonl, decisions.jsonl (why not), mentions.jsonl"
    )
