"""What a detector is, what it is told, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.baseline import HORIZONS_MIN
from models.counts import CumulativeCounts
from models.records import Bool, Float64, Int64, Phase

TICK_MS = 15_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000

# surprise from which a finding is noted though it does not fire
WEAK_LINE = 3.5
WEAK_COUNT = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """Observations in order of arrival, between two moments of learning.

    Attributes
    ----------
    brand, minute, negative : int64[n]
        Brand, event minute, 1 for a negative mention.
    watermark_ms : int64[n]
        Latest event time seen, each mention included.
    tick_at, tick_ms : int64[k]
        A tick of event time ``tick_ms`` passes just before observation ``tick_at`` (``n``: at the
        end of the segment).
    end_ms : int
        Event time at the end.
    """

    brand: Int64
    minute: Int64
    negative: Int64
    watermark_ms: Int64
    tick_at: Int64
    tick_ms: Int64
    end_ms: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A detector's verdict at one moment; the stage adds evidence and makes it a signal.

    ``at`` is the number of observations of the segment that had arrived; ``return_h`` how often, in
    hours, the brand itself rises so far (None where that is not known).
    """

    at: int
    brand: int
    kind: str
    phase: Phase
    at_ms: int
    minute: int
    window_min: int
    observed: int
    expected: float
    lower: int
    upper: int
    surprise: float
    line: float
    threshold: int
    total: int
    negative: int
    usual_negative_share: float
    history_h: int
    return_h: float | None = None


@dataclass(frozen=True, slots=True)
class HourClose:
    """A closed hour: what detectors learn from.

    Attributes
    ----------
    counts, negatives : float64[brands]
    fives, negative_fives : float64[12, brands]
    peaks, negative_peaks : float64[horizons, brands]
        Largest counts of windows that end in the hour; of the longer two, which move little in an
        hour, those that end with it.
    blind : bool
        The whole stream was silent where it should not have been.
    """

    hour: int
    counts: Float64
    negatives: Float64
    fives: Float64
    negative_fives: Float64
    peaks: Float64
    negative_peaks: Float64
    blind: bool


@dataclass(frozen=True, slots=True)
class Cells:
    """Windows that a segment may have raised, for a brand and closing minute each.

    Attributes
    ----------
    segment : Segment
    brand, minute : int64[n]
    total, negative : float64[horizons, n]
        Counts at the end of the segment.
    """

    segment: Segment
    brand: Int64
    minute: Int64
    total: Float64
    negative: Float64


class Rolling:
    """The counts that detectors share: all mentions and the negative ones, per brand."""

    def __init__(self, brands: int) -> None:
        self.all = CumulativeCounts(brands)
        self.negative = CumulativeCounts(brands)
        self._cells: Cells | None = None

    def cells(self, segment: Segment) -> Cells:
        """Windows that a segment, which is counted already, may have raised."""
        if self._cells is None or self._cells.segment is not segment:
            brand, minute = _raised(segment)
            total = windows(self.all, brand, minute)
            self._cells = Cells(
                segment, brand, minute, total, windows(self.negative, brand, minute)
            )
        return self._cells


class Detector(Protocol):
    """Finds one kind of abnormality.  Scores before it learns; its state is plain arrays."""

    kind: str

    def observe(self, segment: Segment, rolling: Rolling) -> Iterator[Finding]:
        """Findings of a segment whose observations ``rolling`` already contains."""
        ...

    def busy(self, hour: int) -> Bool:
        """Which brands were in an episode in that hour or since, and must not be learned."""
        ...

    def learn(self, close: HourClose, mask: Bool) -> None:
        """Learn a closed hour, for the brands in ``mask``."""
        ...

    def snapshot(self) -> dict[str, bytes]:
        """All state, as bytes by name."""
        ...

    def changes(self) -> dict[str, bytes]:
        """What of the snapshot may have changed since the last call."""
        ...

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        ...


def windows(counts: CumulativeCounts, series: Int64, minutes: Int64) -> Float64:
    """Counts in the windows of every horizon that end with each minute; float64[horizons, n]."""
    if not len(minutes):
        return np.empty((len(HORIZONS_MIN), 0))
    until = counts.total(minutes, series)
    parts = [until - counts.total(minutes - width, series) for width in HORIZONS_MIN]
    return np.stack(parts).astype(np.float64)


def _raised(segment: Segment) -> tuple[Int64, Int64]:
    """Every (brand, closing minute) whose windows the segment's observations may have raised."""
    if not len(segment.brand):
        return segment.brand, segment.minute
    now = segment.watermark_ms // MINUTE_MS
    brands, minutes = [segment.brand], [segment.minute]
    late = np.flatnonzero(now > segment.minute)
    for lag in range(1, int((now - segment.minute).max()) + 1):
        late = late[now[late] - segment.minute[late] >= lag]
        brands.append(segment.brand[late])
        minutes.append(segment.minute[late] + lag)
    first = int(segment.minute.min())
    span = int(now.max()) - first + 1
    cells = np.unique(np.concatenate(brands) * span + np.concatenate(minutes) - first)
    return cells // span, cells % span + first
