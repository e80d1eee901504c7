"""What the demos share: two simulated brands, the embedded engine over them, alerts to look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from alerts.explain import brand_names
from alerts.records import Alert
from alerts.show.page import render_page
from streams.config import load
from streams.pipeline import Pipeline
from streams.replay import replay, write_results
from streams.simulate import SimBrand, SimulationSpec, ready_brands, simulate_many
from streams.sources import Source, open_source
from streams.store import Store

if TYPE_CHECKING:
    from alerts.show.terminal import Arabic

_START = datetime(2026, 3, 1, tzinfo=UTC)
_CRISIS = datetime(2026, 3, 11, 16, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DemoStream:
    """A simulated stream in files.

    Attributes
    ----------
    hit, calm : SimBrand
        The brand in an outage, and the other one.
    mentions, config : Path
        JSON Lines, and the configuration with the brands.
    """

    hit: SimBrand
    calm: SimBrand
    mentions: Path
    config: Path


def simulate_demo(out: Path, seed: int) -> DemoStream:
    """Write mentions, configuration and truth of the demo into a folder, made if need be."""
    out.mkdir(parents=True, exist_ok=True)
    hit, calm = ready_brands()[:2]
    shared = {"seed": seed, "start": _START, "days": 11.0, "rate_per_hour": 60.0}
    stream = simulate_many(
        [
            SimulationSpec(scenario="outage", brands=[hit], crisis_at=_CRISIS, **shared),  # type: ignore[arg-type]
            SimulationSpec(scenario="calm", brands=[calm], **shared),  # type: ignore[arg-type]
        ]
    )
    mentions, config = out / "mentions.jsonl", out / "nadhir.yaml"
    with mentions.open("wb") as file:
        file.writelines(stream.lines())
    truth = json.dumps(stream.truth, ensure_ascii=False, indent=1)
    (out / "truth.json").write_text(truth, encoding="utf-8")
    # JSON is YAML too
    settings = json.dumps(stream.config(), ensure_ascii=False, indent=2)
    config.write_text(settings, encoding="utf-8")
    return DemoStream(hit, calm, mentions, config)


def replay_demo(
    stream: DemoStream, progress: Callable[[Source, Pipeline], None] | None = None
) -> tuple[int, list[Alert]]:
    """Run the embedded engine over a demo and write its results beside it.

    Returns
    -------
    tuple of int and list of Alert
        How many mentions there were, and the alerts in order of opening.
    """
    out = stream.mentions.parent
    config = load(stream.config, {})
    with closing(open_source(str(stream.mentions))) as source:
        result = replay(source, config, out / "demo.db", fresh=True, progress=progress)
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
    page = render_page(alerts, names, timezones={brand.id: brand.timezone for brand in brands})
    (out / "alerts.html").write_text(page, encoding="utf-8")
    return result.counters.mentions, alerts


def print_alerts(stream: DemoStream, alerts: Sequence[Alert], arabic: Arabic = "auto") -> None:
    """Print alerts of a demo to standard output."""
    from rich.console import Console

    from alerts.show.terminal import print_alert

    console = Console()
    zones = {brand.id: brand.timezone for brand in (stream.hit, stream.calm)}
    for alert in alerts:
        print_alert(alert, console, arabic=arabic, timezone=zones[alert.brand])
