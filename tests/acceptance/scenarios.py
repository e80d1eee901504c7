"""Running a simulated scenario through the whole pipeline, for tests and for docs/quality.md."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from alerts.records import Alert
from streams.config import load
from streams.replay import replay
from streams.simulate import SimulationSpec, ready_brands, write
from streams.sources import open_source
from streams.store import Store

QUIET = ("calm", "viral_praise", "holiday_peak", "low_volume")
FOUND = ("outage", "slow_burn")
MOST_DELAY_MIN = {"outage": 5, "slow_burn": 120}  # in the median
START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 12.0


@dataclass(frozen=True)
class Outcome:
    """What one run gave."""

    scenario: str
    seed: int
    mentions: int
    alerts: list[Alert]
    truth: dict[str, Any]

    @property
    def hits(self) -> list[Alert]:
        """Alerts during the event (from its first mention until an hour after its end)."""
        event = self.truth["event"]
        if not event:
            return []
        end = _time(event["end"]).timestamp() + 3600
        return [
            a
            for a in self.alerts
            if event["start"] <= a.opened_at and _time(a.opened_at).timestamp() <= end
        ]

    @property
    def delay_min(self) -> float | None:
        """Minutes from the onset to the first alert of the event."""
        if not self.hits:
            return None
        opened = _time(self.hits[0].opened_at)
        return (opened - _time(self.truth["event"]["onset"])).total_seconds() / 60


def run(scenario: str, seed: int) -> Outcome:
    """Simulate a brand through a scenario and replay it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        brands = ready_brands()
        spec = SimulationSpec(
            scenario=scenario,
            seed=seed,
            brands=[brands[seed % len(brands)]],
            start=START,
            days=DAYS,
        )
        with (path / "mentions.jsonl").open("wb") as out:
            mentions = write(spec, out, truth=path / "truth.json", config=path / "nadhir.yaml")
        config = load(path / "nadhir.yaml", {})
        source = open_source(str(path / "mentions.jsonl"))
        replay(source, config, path / "replay.db")
        source.close()
        store = Store(path / "replay.db")
        alerts = [case.alert for case in store.cases()]
        store.close()
        truth = json.loads((path / "truth.json").read_text())
        (brand,) = truth["brands"].values()
        return Outcome(scenario, seed, mentions, alerts, brand)


def row(outcomes: list[Outcome]) -> str:
    """One row of the table: what was found, how soon, and what was false."""
    found = [o for o in outcomes if o.hits]
    delays = sorted(o.delay_min for o in found if o.delay_min is not None)
    false = sum(len(o.alerts) - len(o.hits) for o in outcomes)
    if outcomes[0].truth["quiet"]:
        false = sum(len(o.alerts) for o in outcomes)
        found, delays = [], []
    months = len(outcomes) * DAYS / 30
    types = Counter(o.hits[0].type for o in found)
    return (
        f"| {outcomes[0].scenario} | {len(outcomes)} | {len(found)} "
        f"| {f'{median(delays):.0f}' if delays else '–'} "
        f"| {f'{delays[-1]:.0f}' if delays else '–'} "
        f"| {false} | {false / months:.2f} | {', '.join(f'{t} {n}' for t, n in types.items())} |"
    )


HEAD = (
    "| scenario | runs | found | median delay, min | longest | false alerts "
    "| a brand and month | types |\n|---|---|---|---|---|---|---|---|"
)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


if __name__ == "__main__":
    first, last = int(sys.argv[1]), int(sys.argv[2])
    print(HEAD)
    for name in sys.argv[3:]:
        print(row([run(name, seed) for seed in range(first, last)]), flush=True)
