"""Detectors of other protocols, as the shared checks ask them (tests/models/test_detectors.py).

A world is what a detector lives in: a stream with something for it to find, and what reads that
stream.  ``SourceSilent`` lives in the stage beside the others, and needs a brand that falls silent;
``SeriesDetector`` takes rows of counts and no mentions, and lives in a stage that makes them.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from models.calendar import Calendar
from models.detectors import create_detectors
from models.records import SOURCE_SILENT, Brand, Observations, Phase
from models.series import SeriesDetector
from models.silence import SourceSilent
from streams.detect import DetectStage
from tests.observing import (
    BRANDS,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    START_MS,
    Stream,
    crisis,
    merged,
    stage,
    usual,
)

SERIES = "series"
ROW_MS, LATENESS_MS = 5 * MINUTE_MS, 10 * MINUTE_MS
# something happens to the first brand here, and to the second there
FIRST_MS = START_MS + 2 * DAY_MS + 5 * HOUR_MS
SECOND_MS = START_MS + 3 * DAY_MS + 9 * HOUR_MS


class Alarm(NamedTuple):
    """What a series says of a row, with the names that a signal has."""

    brand: str
    at_ms: int
    window_start_ms: int
    expected: float
    score: float
    kind: str = SERIES
    phase: Phase = "fired"


@dataclass
class SeriesStage:
    """One series of counts a brand, of mentions that count once; a row is read when it is over."""

    brands: tuple[Brand, ...] = BRANDS
    detectors: list[SeriesDetector] = field(init=False)
    rows: Counter[tuple[int, int]] = field(default_factory=Counter)
    seen: set[int] = field(default_factory=set)
    watermark_ms: int = 0
    next_ms: int = 0

    def __post_init__(self) -> None:
        self.detectors = [
            SeriesDetector(Calendar([b.timezone], [b.weekend]), ROW_MS / 1000) for b in self.brands
        ]

    def detect(self, observations: Observations) -> list[Alarm]:
        """Count mentions; what the series say of the rows that are over."""
        alarms: list[Alarm] = []
        columns = (observations.published_ms, observations.brand, observations.key)
        for published_ms, brand, key in zip(*(column.tolist() for column in columns)):
            self.watermark_ms = max(self.watermark_ms, published_ms)
            self.next_ms = self.next_ms or published_ms // ROW_MS * ROW_MS
            while self.next_ms + ROW_MS + LATENESS_MS <= self.watermark_ms:
                alarms += self._row()
            if key not in self.seen:
                self.seen.add(key)
                self.rows[published_ms // ROW_MS * ROW_MS, brand] += 1
        return alarms

    def _row(self) -> list[Alarm]:
        begins, self.next_ms = self.next_ms, self.next_ms + ROW_MS
        said = [
            detector.step(begins / 1000, float(self.rows.pop((begins, i), 0)))
            for i, detector in enumerate(self.detectors)
        ]
        return [
            Alarm(brand.id, begins + ROW_MS + LATENESS_MS, begins, scored.expected, scored.score)
            for brand, scored in zip(self.brands, said)
            if scored.score >= 0.5
        ]

    def changes(self) -> list[tuple[str, bytes | None]]:
        """All state, as one piece."""
        return [("all", pickle.dumps(vars(self)))]

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take it up."""
        vars(self).update(pickle.loads(pieces["all"]))


@cache
def outages() -> Stream:
    """Four days of three brands; the first and then the second fall silent for three hours."""
    parts = [usual(i, rate, 96, seed=1) for i, rate in enumerate((90.0, 60.0, 30.0))]
    for brand, begins in ((0, FIRST_MS), (1, SECOND_MS)):
        times = parts[brand].published_ms
        here = (times < begins) | (times >= begins + 3 * HOUR_MS)
        parts[brand] = parts[brand].take(np.flatnonzero(here))
    return merged(*parts)


@dataclass(frozen=True)
class World:
    """What a detector lives in.

    Something is found ``found_min`` after it began, give or take a quarter of an hour; the order of
    arrival may move that by ``order_min``.
    """

    events: Callable[[], Stream]
    make: Callable[..., Any]
    found_min: int = 15
    order_min: int = 15


STAGE = World(crisis, stage)
WORLDS = {
    # it takes an hour without a word; if that ends after the clock hour is learned, half an hour
    # more, since less is expected then
    SOURCE_SILENT: World(outages, stage, found_min=65, order_min=30),
    SERIES: World(crisis, SeriesStage, found_min=30),
}


def world_of(kind: str) -> World:
    """Where a kind of detector lives: all that ``create_detectors`` makes, in the stage."""
    return WORLDS.get(kind, STAGE)


def swapped(runs: DetectStage | SeriesStage, kind: str) -> None:
    """Put a fresh detector with the same state in the place of one."""
    if isinstance(runs, SeriesStage):
        runs.detectors = [pickle.loads(pickle.dumps(each)) for each in runs.detectors]
        return
    held: Any = runs._silence
    fresh: Any = SourceSilent(runs._volume.baseline, held._lines)
    if kind != SOURCE_SILENT:
        held = next(d for d in runs.detectors if d.kind == kind)
        fresh = next(d for d in create_detectors(runs.brands) if d.kind == kind)
    fresh.restore(held.snapshot())
    assert fresh.snapshot() == held.snapshot()
    if kind == SOURCE_SILENT:
        runs._silence = fresh
    else:
        runs.detectors[runs.detectors.index(held)] = fresh


def noted(runs: DetectStage | SeriesStage, kind: str) -> list[tuple[str, int]]:
    """A list that grows as a detector looks at hours ("looks") and learns them ("learns")."""
    notes: list[tuple[str, int]] = []

    def note(owner: Any, name: str, word: str, hours: Callable[..., list[int]]) -> None:
        done = getattr(owner, name)

        def call(*given: Any) -> Any:
            notes.extend((word, hour) for hour in hours(*given))
            return done(*given)

        setattr(owner, name, call)

    def in_segment(segment: Any, *_: object) -> list[int]:
        return sorted(set((segment.minute // 60).tolist()))

    if isinstance(runs, SeriesStage):
        first = runs.detectors[0]
        note(first, "step", "looks", lambda at_s, _: [int(at_s // 3600)])
        # what is learned of hours is learned of the last one, at the first row of the next
        note(first._baseline, "learn", "learns", lambda hour, *_: [hour])
        return notes
    if kind == SOURCE_SILENT:
        note(runs._silence, "observe", "looks", in_segment)
        note(runs._silence, "unlearned", "learns", lambda hour, _: [hour])
        return notes
    detector = next(d for d in runs.detectors if d.kind == kind)
    note(detector, "observe", "looks", in_segment)
    note(detector, "learn", "learns", lambda close, _: [close.hour])
    return notes


def state_bytes(runs: DetectStage | SeriesStage) -> dict[str, int]:
    """How much each detector holds."""
    if isinstance(runs, SeriesStage):
        return {SERIES: sum(len(pickle.dumps(each)) for each in runs.detectors)}
    every = [*runs.detectors, runs._silence]
    return {each.kind: sum(map(len, each.snapshot().values())) for each in every}
