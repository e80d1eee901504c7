"""A long stream: the stored state stops growing once a day and a week of it are known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.config import load
from streams.pipeline import open_pipeline
from streams.simulate import SimulationSpec, ready_brands, write
from streams.sources import open_source
from streams.store import Store


def sizes(folder: Path, days: int, rate: float) -> list[int]:
    """Bytes of stored state at the end of each day."""
    spec = SimulationSpec(
        scenario="calm",
        seed=5,
        brands=ready_brands()[:2],
        start=datetime(2026, 3, 1, tzinfo=UTC),
        days=days,
        rate_per_hour=rate,
    )
    with (folder / "mentions.jsonl").open("wb") as out:
        write(spec, out, truth=None, config=folder / "nadhir.yaml")
    store = Store(folder / "store.db")
    pipeline = open_pipeline(load(folder / "nadhir.yaml", {}), store)
    source = open_source(str(folder / "mentions.jsonl"))
    source.seek(None)
    found: list[int] = []
    day = None
    while not source.done:
        batch = source.poll(1000)
        if batch is None:
            continue
        pipeline.feed(source.name, batch)
        today = (pipeline.detect.watermark_ms or 0) // 86_400_000
        if today != day:
            pipeline.commit()
            found.append(sum(map(len, store.state().values())))
            day = today
    source.close()
    store.close()
    return found


def check(found: list[int]) -> None:
    print("state by day, bytes:", found)
    # the day's evidence and two generations of keys come and go; nothing else may grow
    assert max(found[-3:]) <= 1.25 * max(found[3:6])


def test_eight_days_leave_a_bounded_state(tmp_path: Path) -> None:
    check(sizes(tmp_path, days=8, rate=120))


@pytest.mark.soak
def test_a_month_leaves_a_bounded_state(tmp_path: Path) -> None:
    check(sizes(tmp_path, days=35, rate=600))
