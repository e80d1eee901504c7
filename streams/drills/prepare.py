"""Makes a drill: a past for the shadow of a brand to learn from, and a crisis from now on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec

from alerts.drills import Drill, shadow
from alerts.explain import brand_names
from models.records import Brand
from streams.config import Config
from streams.drills.folder import DrillError, DrillFolder, drills, drills_path, write_plan
from streams.pipeline import open_pipeline
from streams.simulate import SimBrand, SimulationSpec, simulate
from streams.sources import Batch
from streams.store import Store

PAST_DAYS = 10  # a week and more: what the baseline needs to know the hours of a week
_BATCH_LINES = 4_096
_NO_ALERT = 1_000_000  # mentions: the past may not raise one


@dataclass(frozen=True, slots=True)
class DrillSpec:
    """What a drill should be like.

    Parameters
    ----------
    scenario : str
        One of `streams.simulate.SCENARIOS`.
    brand : str
        Id of the brand.
    seed : int
    hours : float
        How long it lasts.
    lead_min : float
        Calm minutes before the crisis begins.
    rate_per_hour : float
        Usual mentions an hour.
    industry : str
        What people talk about; one of `streams.simulate.spec.INDUSTRIES`.
    """

    scenario: str
    brand: str
    seed: int = 1
    hours: float = 3.0
    lead_min: float = 5.0
    rate_per_hour: float = 60.0
    industry: str = "generic"


def prepare_drill(
    config: Config, spec: DrillSpec, now_ms: int, progress: Callable[[int], None] | None = None
) -> DrillFolder:
    """Simulate, learn the past, and leave the rest to be said: in one move, whole or not at all.

    Parameters
    ----------
    config : Config
    spec : DrillSpec
    now_ms : int
        When it begins.
    progress : callable, optional
        Called with the mentions of the past learned so far.

    Raises
    ------
    DrillError
        If the brand is not configured, or has a drill that is not over.
    SimulationError
        If the scenario cannot be simulated so.
    """
    brand = next((b for b in config.brand_records() if b.id == spec.brand), None)
    if brand is None:
        known = ", ".join(b.id for b in config.brands[:10])
        raise DrillError(f"{spec.brand!r} is no brand of the configuration; name one of {known}")
    running = [f.drill.id for f in drills(config) if f.drill.brand == brand.id and not f.over]
    if running:
        raise DrillError(f"{running[0]} is not over; end it with: nadhir drill stop {running[0]}")
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    simulation = simulate(_simulated(spec, brand, now))
    drill = Drill(
        id=f"{now:%Y%m%dT%H%M%SZ}-{brand.id}",
        brand=brand.id,
        scenario=spec.scenario,
        seed=spec.seed,
        started_ms=now_ms,
        onset_ms=_onset_ms(simulation.truth["brands"][brand.id], spec, now_ms),
        ends_ms=now_ms + round(spec.hours * 3_600_000),
    )
    path = drills_path(config) / drill.id
    making = path.with_name(f".{drill.id}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    write_plan(making, drill)
    folder = DrillFolder(making)
    _split(folder, config, brand, simulation.lines(), now_ms, progress)
    os.replace(making, path)
    return DrillFolder(path)


def _split(
    folder: DrillFolder,
    config: Config,
    brand: Brand,
    lines: Iterator[bytes],
    now_ms: int,
    progress: Callable[[int], None] | None,
) -> None:
    """Learn what lies before now; write what comes after it."""
    alerts = config.alerts.model_copy(update={"min_mentions": _NO_ALERT})
    calm = config.model_copy(update={"alerts": alerts})
    with closing(Store(folder.store)) as store, folder.mentions.open("wb") as rest:
        pipeline = open_pipeline(calm, store, brands=(shadow(brand),))
        learned = 0
        while batch := list(islice(lines, _BATCH_LINES)):
            past = [line for line in batch if _published_ms(line) < now_ms]
            rest.writelines(line for line in batch if _published_ms(line) >= now_ms)
            if past:
                pipeline.feed("past", Batch(past, learned + 1, str(learned + len(past))))
                pipeline.commit()
                learned += len(past)
                if progress:
                    progress(learned)
        rest.flush()
        os.fsync(rest.fileno())


def _published_ms(line: bytes) -> int:
    return round(msgspec.json.decode(line, type=_Published).published_at.timestamp() * 1000)


class _Published(msgspec.Struct):
    published_at: datetime


def _simulated(spec: DrillSpec, brand: Brand, now: datetime) -> SimulationSpec:
    past = timedelta(days=PAST_DAYS)
    return SimulationSpec(
        spec.scenario,
        seed=spec.seed,
        brands=[_sim_brand(brand, spec.industry)],
        start=now - past,
        days=PAST_DAYS + spec.hours / 24,
        rate_per_hour=spec.rate_per_hour,
        crisis_at=now + timedelta(minutes=spec.lead_min),
    )


def _sim_brand(brand: Brand, industry: str) -> SimBrand:
    """The brand as the simulator speaks of it; its domain is one that leads nowhere."""
    names = brand_names(brand)
    arabic = tuple(k for k in brand.keywords if not k.isascii())
    return SimBrand(
        id=brand.id,
        name_en=names.en,
        name_ar=names.ar,
        industry=industry,
        handles=brand.handles or (brand.id,),
        domain=f"{brand.id.replace('_', '-')}.example",
        keywords_en=tuple(k for k in brand.keywords if k.isascii()),
        keywords_ar=arabic,
        timezone=brand.timezone,
    )


def _onset_ms(truth: dict[str, object], spec: DrillSpec, now_ms: int) -> int:
    event = truth["event"]
    if isinstance(event, dict):
        return round(datetime.fromisoformat(event["onset"]).timestamp() * 1000)
    return now_ms + round(spec.lead_min * 60_000)
