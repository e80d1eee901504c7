"""Stage 2: per brand and in event time, from observations to signals.

A pure fold over batches: ``detect(observations) -> signals``.  How a stream is cut into batches
changes nothing; the same mention counts once within a day; what is late is counted as late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from alerts.talk import Talk
from models.coordination.traces import hash64
from models.dedupe import Deduplicator
from models.detector import (
    HOUR_MS,
    MINUTE_MS,
    TICK_MS,
    Detector,
    Finding,
    HourClose,
    Rolling,
    Segment,
)
from models.detectors import create_detectors
from models.lookout import Lookout
from models.negativity import NegativeShare
from models.pieces import under, within
from models.records import (
    SIGHTS,
    SOURCE_SILENT,
    SURPRISE_LINES,
    Bool,
    Brand,
    Int64,
    Observations,
    Signal,
)
from models.silence import SourceSilent
from models.volume import CountSpike
from streams.detect_hours import BrandFigures, hour_close, hour_until
from streams.detect_signal import Memory
from streams.detect_state import Change, Pieces, remap, settled
from streams.impostors import KINDS, ImpostorWatch
from streams.impostors import Segment as Watched
from streams.talk import talk_of

_LONGEST_GAP_H = 14 * 24
_ANGRY = 0.05  # an hour whose negative share exceeds the usual one by more is not learned when busy


@dataclass(slots=True)
class DetectCounters:
    """What happened to observations, for metrics."""

    seen: int = 0
    counted: int = 0
    duplicates: int = 0
    late: int = 0
    own: int = 0
    signals: Counter[str] = field(default_factory=Counter)


class DetectStage:
    """Detection state of a set of brands.

    Parameters
    ----------
    brands : sequence of Brand
    lexicon : mapping
        Topic word lists (models/artifacts/topics.json).
    allowed_lateness_s : int
        A mention may come so long after the newest one and still count.
    corrected : bool
        Labels are those of the model that ships with Nadhir, whose errors are known.
    counters : DetectCounters, optional
        Counted on, where several stages share them.
    """

    def __init__(
        self,
        brands: Sequence[Brand],
        lexicon: Mapping[str, Sequence[str]],
        *,
        allowed_lateness_s: int = 600,
        corrected: bool = True,
        counters: DetectCounters | None = None,
    ) -> None:
        self.brands = tuple(brands)
        self.detectors = create_detectors(self.brands)
        self._volume = next(d for d in self.detectors if isinstance(d, CountSpike))
        self._tone = next(d for d in self.detectors if isinstance(d, NegativeShare))
        lines = np.array([SURPRISE_LINES[b.sensitivity] for b in self.brands])
        self._silence = SourceSilent(self._volume.baseline, lines)
        self.counters = counters or DetectCounters()
        self._lateness_ms = allowed_lateness_s * 1000
        self._rolling = Rolling(len(brands))
        self._dedupe = Deduplicator()
        self._memory = Memory(
            self.brands,
            lexicon,
            self._rolling,
            self._volume.baseline,
            self._tone,
            lateness_ms=self._lateness_ms,
            corrected=corrected,
        )
        self._lookout = Lookout(self.brands, self._memory.posts)
        self._salt = np.array([hash64(b.id) for b in brands], dtype=np.uint64)
        self.impostors = ImpostorWatch(self.brands, self._salt, self._dedupe, self._lateness_ms)
        self.watermark_ms: int | None = None
        self._open_hour: int | None = None  # the oldest hour that is not learned yet
        self._moved: list[Change] = []  # what the store has to hold when brands have changed

    # the fold -------------------------------------------------------------------------------

    def detect(self, observations: Observations) -> list[Signal]:
        """Fold observations into the state; the signals they give, in order."""
        here = observations.brand >= 0
        self.counters.seen += int(here.sum())
        self.counters.own += int((observations.own & here).sum())
        rows = np.flatnonzero(~observations.own)
        self.impostors.begin(observations)
        if not len(rows):
            self.impostors.finish(observations, self.watermark_ms)
            return []
        published = observations.published_ms[rows]
        start = int(published[0]) if self.watermark_ms is None else self.watermark_ms
        watermark = np.maximum(np.maximum.accumulate(published), start)
        closable = (watermark - self._lateness_ms) // HOUR_MS
        if self._open_hour is None:
            self._open_hour = -(-start // HOUR_MS)  # the first hour that is seen whole
            self._dedupe.turn(start)
            self.impostors.turn(start)
        self._lookout.start(start - self._lateness_ms)
        cuts = np.flatnonzero(np.diff(closable, prepend=self._open_hour)).tolist()
        signals: list[Signal] = []
        for first, last in zip([0, *cuts], [*cuts, len(rows)]):
            if last > first:
                signals += self._looks(int(closable[first]) * HOUR_MS)
                self._close_hours(int(closable[first]))
                # what is before the next hour that closes is final, too
                final_ms = int(closable[last]) * HOUR_MS if last < len(rows) else 0
                part = rows[first:last], watermark[first:last]
                signals += self._segment(observations, *part, final_ms)
        self.impostors.finish(observations, self.watermark_ms)
        self.counters.signals.update(s.kind for s in signals)
        return signals

    def advance(self, now_ms: int) -> list[Signal]:
        """Tell that event time has reached ``now_ms`` though nothing came (an idle source)."""
        if self.watermark_ms is None or now_ms <= self.watermark_ms:
            return []
        assert self._open_hour is not None
        final_ms = now_ms - self._lateness_ms
        hour = final_ms // HOUR_MS
        signals = self._looks(hour * HOUR_MS)
        if hour > self._open_hour:
            self._close_hours(hour)
        empty = np.empty(0, dtype=np.int64)
        ticks_at, ticks_ms = _ticks(self.watermark_ms, np.array([now_ms]))
        self.watermark_ms = now_ms
        segment = Segment(empty, empty, empty, empty, ticks_at, ticks_ms, now_ms)
        signals += map(self._memory.signal, sorted(self._findings(segment), key=lambda f: f.at_ms))
        signals += self._looks(final_ms)
        signals += [s for at_ms in ticks_ms.tolist() for s in self.impostors.tell(at_ms)]
        self.counters.signals.update(s.kind for s in signals)
        return signals

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of signals that it may find."""
        figures = (detector.kind for detector in self.detectors)
        return (*figures, SOURCE_SILENT, *SIGHTS, *KINDS.values())

    def _findings(self, segment: Segment) -> list[Finding]:
        found = [f for d in self.detectors for f in d.observe(segment, self._rolling)]
        return [*found, *self._silence.observe(segment)]

    def silent(self) -> list[str]:
        """Brands of which nothing comes though it should: of these we are blind, not calm."""
        return [self.brands[i].id for i in np.flatnonzero(self._silence.silent).tolist()]

    def talk(self) -> dict[str, Talk]:
        """What was said of each brand over the last day of event time."""
        if self.watermark_ms is None:
            return {}
        return talk_of(self._rolling, self.brands, self.watermark_ms)

    def figures(self) -> BrandFigures | None:
        """How the brands stand in event time; None before anything came."""
        if self.watermark_ms is None or self._rolling.all.now is None:
            return None
        return BrandFigures(
            brands=tuple(brand.id for brand in self.brands),
            hour=hour_until(self._rolling, self._volume.baseline, self.watermark_ms),
            usual_share=self._tone.usual_share(),
            silent=self._silence.silent,
        )

    def _segment(
        self, obs: Observations, rows: Int64, watermark: Int64, final_ms: int
    ) -> list[Signal]:
        before = self.watermark_ms if self.watermark_ms is not None else int(watermark[0])
        published = obs.published_ms[rows]
        here = obs.brand[rows] >= 0
        counted = (watermark - published <= self._lateness_ms) & here
        self.counters.late += int((here & ~counted).sum())
        counted[counted] = self._first_seen(obs, rows[counted])
        ticks_at, ticks_ms = _ticks(before, watermark)
        bad = rows[counted & (obs.label[rows] == 0)]
        watched = Watched(rows, watermark, before, bad, ticks_at, ticks_ms)
        impostors = self.impostors.observe(obs, watched)
        # ticks speak of observations that count
        before_row = np.concatenate([[0], np.cumsum(counted)])
        ticks_at = before_row[ticks_at]
        self.watermark_ms = int(watermark[-1])
        arrived = watermark
        rows, watermark, published = rows[counted], watermark[counted], published[counted]
        brand, minute = obs.brand[rows], published // MINUTE_MS
        negative = (obs.label[rows] == 0).astype(np.int64)
        self._count(brand, minute, negative)
        segment = Segment(brand, minute, negative, watermark, ticks_at, ticks_ms, self.watermark_ms)
        findings = sorted(self._findings(segment), key=lambda f: (f.at, f.at_ms))
        signals = self._with_evidence(obs, rows, findings)
        seen = self._looks(max(self.watermark_ms - self._lateness_ms, final_ms))
        if not seen and not impostors:
            return signals
        due = before_row[np.searchsorted(arrived, [s.at_ms for s in seen])].tolist()
        at = [
            *((f.at, f.at_ms) for f in findings),
            *((n, s.at_ms) for n, s in zip(due, seen)),
            *((int(ticks_at[tick]), s.at_ms) for tick, s in impostors),
        ]
        signals += [*seen, *(s for _, s in impostors)]
        return [signals[i] for i in sorted(range(len(at)), key=at.__getitem__)]

    def _first_seen(self, obs: Observations, rows: Int64) -> Bool:
        # one mention may speak of several brands: the brand is part of the key
        new = self._dedupe.first_seen(obs.key[rows] ^ self._salt[obs.brand[rows]])
        self.counters.duplicates += int((~new).sum())
        self.counters.counted += int(new.sum())
        return new

    def _count(self, brand: Int64, minute: Int64, negative: Int64) -> None:
        self._rolling.all.add(minute, brand)
        self._rolling.negative.advance(self._rolling.all.now or 0)
        bad = negative > 0
        self._rolling.negative.add(minute[bad], brand[bad])

    # learning -------------------------------------------------------------------------------

    def _close_hours(self, upto: int) -> None:
        assert self._open_hour is not None
        if upto <= self._open_hour:
            return
        # after a long gap there is nothing to learn but that nobody listened
        for hour in range(self._open_hour, min(upto, self._open_hour + _LONGEST_GAP_H)):
            if self._rolling.all.now is not None:
                self._learn(hour)
        self._memory.close_hours(self._open_hour, upto)
        self._open_hour = upto
        self._dedupe.turn(upto * HOUR_MS)
        self.impostors.turn(upto * HOUR_MS)

    def _hour_close(self, hour: int) -> HourClose:
        return hour_close(self._rolling, self._volume.baseline, hour)

    def _learn(self, hour: int) -> None:
        close = self._hour_close(hour)
        if close.blind:
            return
        busy = np.any([d.busy(hour) for d in self.detectors], axis=0)
        # a rush in the usual tone is no crisis: it may come every evening, and is learned
        angry = close.negatives > (self._tone.usual_share() + _ANGRY) * close.counts
        mask = ~(busy & angry) & ~self._silence.unlearned(hour, close.counts)
        for detector in self.detectors:
            detector.learn(close, mask)

    # signals --------------------------------------------------------------------------------

    def _with_evidence(
        self, obs: Observations, rows: Int64, findings: list[Finding]
    ) -> list[Signal]:
        signals, done = [], 0
        for finding in findings:
            self._memory.keep(obs, rows[done : finding.at])
            done = max(done, finding.at)
            signals.append(self._memory.signal(finding))
        self._memory.keep(obs, rows[done:])
        return signals

    def _looks(self, final_ms: int) -> list[Signal]:
        """What is seen where no figure need rise, in all that has become final."""
        sights = self._lookout.look(final_ms, self._memory.pace_before)
        return [self._memory.sighted(sight) for sight in sights]

    # state ----------------------------------------------------------------------------------

    def changes(self) -> list[Change]:
        """What to store since the last call: prefixes to drop (``None``), then pieces by name."""
        parts: dict[str, list[Change]] = {
            "all": self._rolling.all.changes(),
            "negative": self._rolling.negative.changes(),
            "dedupe": self._dedupe.changes(),
            "lookout": self._lookout.changes(),
            "impostors": self.impostors.store.changes(),
            "complaints": self.impostors.complaints.changes(),
            **self._memory.changes(),
        }
        for name, each in self._learned():
            parts[name] = [*each.changes().items()]
        head = msgspec.msgpack.encode(
            _Head(
                brands=[b.id for b in self.brands],
                platforms=self._memory.platforms,
                watermark_ms=self.watermark_ms,
                open_hour=self._open_hour,
            )
        )
        pieces = [(f"{part}/{k}", v) for part, changes in parts.items() for k, v in changes]
        moved, self._moved = self._moved, []
        return settled([*moved, *pieces, ("head", head)])

    def _learned(self) -> list[tuple[str, Detector | SourceSilent]]:
        """What holds state of its own, by the name of its part."""
        every: list[Detector | SourceSilent] = [*self.detectors, self._silence]
        return [(f"detector_{each.kind}", each) for each in every]

    def restore(self, stored: Pieces) -> None:
        """Take up what ``changes`` gave, also when brands were added, removed or moved since."""
        if "head" not in stored:
            return
        head = msgspec.msgpack.decode(stored["head"], type=_Head)
        if head.brands != [b.id for b in self.brands]:
            fresh: Pieces = {}
            for name, each in self._learned():
                fresh |= under(f"{name}/", each.snapshot())
            stored = remap(stored, fresh, head.brands, [b.id for b in self.brands])
            parts = sorted({name.partition("/")[0] for name in stored if "/" in name})
            self._moved = [*((f"{part}/", None) for part in parts), *stored.items()]
        self.watermark_ms, self._open_hour = head.watermark_ms, head.open_hour

        def part(name: str) -> Pieces:
            return within(f"{name}/", stored)

        self._rolling.all.restore(part("all"))
        self._rolling.negative.restore(part("negative"))
        self._dedupe.restore(part("dedupe"))
        self._memory.restore(dict(zip(head.brands, head.platforms)), part)
        self._lookout.restore(part("lookout"))
        if head.watermark_ms is not None:
            self._lookout.start(head.watermark_ms - self._lateness_ms)
        self.impostors.store.restore(part("impostors"))
        self.impostors.complaints.restore(part("complaints"))
        for name, each in self._learned():
            each.restore(part(name))


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    brands: list[str]
    platforms: list[list[str]]
    watermark_ms: int | None
    open_hour: int | None
    version: int = 1


def _ticks(before_ms: int, watermark: Int64) -> tuple[Int64, Int64]:
    """Where the watermark passes a tick: index of the observation, and the tick's time."""
    ticks = np.concatenate([[before_ms], watermark]) // TICK_MS
    at = np.flatnonzero(np.diff(ticks))
    return at, (ticks[at] + 1) * TICK_MS
