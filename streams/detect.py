"""Stage 2: per brand and in event time, from observations to signals.

A pure fold over batches: ``detect(observations) -> signals``.  How a stream is cut into batches
changes nothing; the same mention counts once within a day; what is late is counted as late.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np

from models.baseline import HORIZONS_MIN
from models.coordination.posts import KEPT_HOURS, PostStore, Split
from models.coordination.traces import hash64
from models.counts import HOUR_MIN, CumulativeCounts, MinuteCounts
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
from models.emphasis import EmphasisSums
from models.evidence import EvidenceStore, Sample
from models.lookout import Lookout, Sight
from models.narratives.narrative import Pace
from models.narratives.supporters import Supporters
from models.negativity import NegativeShare
from models.pieces import under, within
from models.quantify import adjusted_share
from models.records import (
    SOURCE_SILENT,
    SURPRISE_LINES,
    Bar,
    Bool,
    Brand,
    Defence,
    Evidence,
    Float64,
    Int64,
    Observations,
    Signal,
)
from models.silence import SourceSilent
from models.terms import Terms, Topics
from models.text import normalise
from models.volume import CountSpike
from streams.detect_sights import BUCKET_MIN, UNSPLIT, Narrated, pace_before, sighted
from streams.detect_state import MAX_PLATFORMS, Change, Pieces, remap, settled
from streams.impostors import ImpostorWatch
from streams.impostors import Segment as Watched

TOP_MENTIONS = 8
_LONGEST_GAP_H = 14 * 24
_ANGRY = 0.05  # an hour whose negative share exceeds the usual one by more is not learned when busy
_BLIND_EXPECTED = 20.0  # an hour in which so many were expected and none came is blindness


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
    """

    def __init__(
        self,
        brands: Sequence[Brand],
        lexicon: Mapping[str, Sequence[str]],
        *,
        allowed_lateness_s: int = 600,
        corrected: bool = True,
    ) -> None:
        self.brands = tuple(brands)
        self.detectors = create_detectors(self.brands)
        self._volume = next(d for d in self.detectors if isinstance(d, CountSpike))
        self._tone = next(d for d in self.detectors if isinstance(d, NegativeShare))
        lines = np.array([SURPRISE_LINES[b.sensitivity] for b in self.brands])
        self._silence = SourceSilent(self._volume.baseline, lines)
        self.counters = DetectCounters()
        self._corrected = corrected
        self._lateness_ms = allowed_lateness_s * 1000
        self._rolling = Rolling(len(brands))
        self._platforms = MinuteCounts(len(brands) * MAX_PLATFORMS)
        self._platform_slots: list[dict[str, int]] = [{} for _ in brands]
        self._dedupe = Deduplicator()
        self._emphasis = EmphasisSums(len(brands))
        self._evidence = EvidenceStore(len(brands))
        self._posts = PostStore(len(brands), [b.allies for b in brands])
        self._supporters = Supporters(self.brands)
        self._lookout = Lookout(self.brands, self._posts)
        self._narrated = Narrated(self.brands, self._posts, self._pace_before)
        self._terms = Terms()
        self._topics = Topics(lexicon)
        self._salt = np.array([hash64(b.id) for b in brands], dtype=np.uint64)
        self._own_words = [_own_words(b) for b in brands]
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
        signals += map(self._signal, sorted(self._findings(segment), key=lambda f: f.at_ms))
        signals += self._looks(final_ms)
        return [*signals, *(s for at_ms in ticks_ms.tolist() for s in self.impostors.tell(at_ms))]

    def _findings(self, segment: Segment) -> list[Finding]:
        found = [f for d in self.detectors for f in d.observe(segment, self._rolling)]
        return [*found, *self._silence.observe(segment)]

    def silent(self) -> list[str]:
        """Brands of which nothing comes though it should: of these we are blind, not calm."""
        return [self.brands[i].id for i in np.flatnonzero(self._silence.silent).tolist()]

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

    def _platform_series(self, brands: list[int], platforms: list[str]) -> Int64:
        """Series of each brand and platform: the first platforms get their own, others share."""
        known, other = self._platform_slots, MAX_PLATFORMS - 1
        slots = [known[b].get(p, other) for b, p in zip(brands, platforms)]
        for i in [i for i, slot in enumerate(slots) if slot == other]:
            own = known[brands[i]]
            if len(own) < other:
                slots[i] = own.setdefault(platforms[i], len(own))
        return np.array(brands, dtype=np.int64) * MAX_PLATFORMS + np.array(slots, dtype=np.int64)

    # learning -------------------------------------------------------------------------------

    def _close_hours(self, upto: int) -> None:
        assert self._open_hour is not None
        if upto <= self._open_hour:
            return
        # after a long gap there is nothing to learn but that nobody listened
        for hour in range(self._open_hour, min(upto, self._open_hour + _LONGEST_GAP_H)):
            if self._rolling.all.now is not None:
                self._learn(hour)
        self._supporters.learn(self._posts, self._open_hour, upto)
        self._open_hour = upto
        self._dedupe.turn(upto * HOUR_MS)
        self._evidence.thin(upto * HOUR_MS)
        self._posts.thin(upto * HOUR_MS)
        self.impostors.turn(upto * HOUR_MS)

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

    def _hour_close(self, hour: int) -> HourClose:
        whole, negative = (
            _parts(counts, (hour + 1) * HOUR_MIN - 1)
            for counts in (self._rolling.all, self._rolling.negative)
        )
        expected = self._volume.baseline.rate(hour).sum()
        return HourClose(
            hour=hour,
            counts=whole.fives.sum(axis=0),
            negatives=negative.fives.sum(axis=0),
            fives=whole.fives,
            negative_fives=negative.fives,
            peaks=whole.peaks,
            negative_peaks=negative.peaks,
            blind=not whole.fives.any() and expected >= _BLIND_EXPECTED,
        )

    # signals --------------------------------------------------------------------------------

    def _with_evidence(
        self, obs: Observations, rows: Int64, findings: list[Finding]
    ) -> list[Signal]:
        signals, done = [], 0
        for finding in findings:
            self._keep(obs, rows[done : finding.at])
            done = max(done, finding.at)
            signals.append(self._signal(finding))
        self._keep(obs, rows[done:])
        return signals

    def _keep(self, obs: Observations, rows: Int64) -> None:
        """What a signal may quote: known up to its moment, not to the end of the batch."""
        if not len(rows):
            return
        platforms = [obs.platform[i] for i in rows.tolist()]
        series = self._platform_series(obs.brand[rows].tolist(), platforms)
        self._platforms.add(obs.published_ms[rows] // MINUTE_MS, series)
        self._emphasis.add(obs, rows)
        self._evidence.add(obs, rows)
        self._posts.add(obs, rows)

    def _signal(self, f: Finding) -> Signal:
        brand = self.brands[f.brand]
        end_ms = (f.minute + 1) * MINUTE_MS
        start_ms = end_ms - f.window_min * MINUTE_MS
        held = self._evidence.window(f.brand, start_ms, end_ms)
        bad = held.take(held.negative)
        mostly_bad = 2 * len(bad) > len(held)
        about = (bad if f.kind != "volume" or mostly_bad else held).texts()
        languages = dict(sorted(Counter(held.languages()).items()))
        usual = self._evidence.window(f.brand, start_ms - 24 * HOUR_MS, start_ms)
        emphasis = self._emphasis.window(f.brand, f.minute, f.window_min)
        split = self._split(f, start_ms, end_ms)
        return Signal(
            id=_signal_id(brand.id, f),
            brand=brand.id,
            kind=f.kind,
            phase=f.phase,
            window_start_ms=start_ms,
            window_end_ms=end_ms,
            window_min=f.window_min,
            at_ms=f.at_ms,
            observed=f.observed,
            expected=round(f.expected, 3),
            lower=f.lower,
            upper=f.upper,
            surprise=math.floor(1000 * f.surprise) / 1000,  # never up to the line
            line=f.line,
            score=round(f.surprise / (f.surprise + SURPRISE_LINES["balanced"]), 4),
            threshold=f.threshold,
            total=f.total,
            negative=f.negative,
            usual_negative_share=round(f.usual_negative_share, 4),
            authors=_estimate(len(held.authors()), len(held), f.total),
            reach=int(held.rows["reach"].sum()),
            history_h=f.history_h,
            return_h=f.return_h,
            negative_estimate=(
                round(adjusted_share(f.negative, f.total, languages), 4)
                if self._corrected
                else None
            ),
            intensity=emphasis.intensity,
            usual_intensity=emphasis.usual_intensity,
            reach_share=emphasis.reach_share,
            groups=split.groups,
            bars=self._bars(f.brand, split.bars),
            defence=self._defence(f, start_ms, end_ms),
            narratives=self._narrated.told(f, start_ms, f.at_ms - self._lateness_ms),
            coordinated_share=split.share if f.kind == "volume" else split.negative_share,
            platforms=self._by_platform(f),
            languages=languages,
            terms=tuple(self._terms.top(about, usual.texts(), self._own_words[f.brand])),
            topics=self._topics.shares(about),
            evidence=_best(held, prefer_negative=f.kind != "volume" or mostly_bad),
        )

    def _looks(self, final_ms: int) -> list[Signal]:
        """What is seen where no figure need rise, in all that has become final."""
        sights = self._lookout.look(final_ms, self._pace_before)
        return [self._sighted(sight) for sight in sights]

    def _pace_before(self, brand: int, since_ms: int) -> Pace:
        known_h = float(self._volume.baseline.hours[brand])
        return pace_before(self._rolling.all, brand, since_ms, known_h)

    def _sighted(self, sight: Sight) -> Signal:
        """The hour in which something was seen, as a signal of it."""
        brand, last = sight.brand, sight.until_ms // MINUTE_MS - 1
        series, minute = np.array([brand]), np.array([last])
        counts = (self._rolling.all, self._rolling.negative)
        total, negative = (int(c.window(minute, series, HOUR_MIN)[0]) for c in counts)
        expected = self._volume.baseline.expected(minute, series)[1, 0]
        f = Finding(
            0, brand, sight.kind, sight.phase, sight.until_ms + self._lateness_ms, last, HOUR_MIN,
            total, float(expected), 0, 0, 0.0, 0.0, 0, total, negative,
            float(self._tone.usual_share()[brand]), int(self._volume.baseline.hours[brand]),
        )  # fmt: skip
        start_ms = sight.until_ms - HOUR_MS
        usual = self._evidence.window(brand, start_ms - 24 * HOUR_MS, start_ms).texts()
        evidence = _best(sight.posts, prefer_negative=True)
        own = self._own_words[brand]
        signal = msgspec.structs.replace(self._signal(f), bars=self._bars(brand, sight.bars))
        return sighted(signal, sight, evidence, self._terms, self._topics, usual, own)

    def _split(self, f: Finding, start_ms: int, end_ms: int) -> Split:
        """Who acts together in a window; in a long one of an old episode, as far as is final."""
        if f.phase == "weak" or f.kind in UNSPLIT:
            return Split()
        at_once = f.phase == "fired" or f.window_min <= HOUR_MIN
        final_ms = None if at_once else f.at_ms - self._lateness_ms
        return self._posts.split(f.brand, start_ms, end_ms, final_ms)

    def _defence(self, f: Finding, start_ms: int, end_ms: int) -> Defence | None:
        if f.phase == "weak" or f.kind == SOURCE_SILENT:
            return None
        since_ms = max(start_ms, end_ms - KEPT_HOURS * HOUR_MS)
        posts = self._posts.sample(f.brand, since_ms - HOUR_MS, end_ms)
        return self._supporters.defence(f.brand, posts, since_ms, end_ms)

    def _by_platform(self, f: Finding) -> dict[str, int]:
        names = {slot: name for name, slot in self._platform_slots[f.brand].items()}
        series = np.arange(MAX_PLATFORMS) + f.brand * MAX_PLATFORMS
        counts = self._platforms.window(f.minute, series, f.window_min).tolist()
        return {names.get(slot, "other"): n for slot, n in enumerate(counts) if n}

    def _bars(self, brand: int, shares: Sequence[tuple[int, float]]) -> tuple[Bar, ...]:
        """Mentions of each ten minutes, as far as they were kept, and the groups' part."""
        series, bars = np.arange(MAX_PLATFORMS) + brand * MAX_PLATFORMS, []
        for start_ms, share in shares:
            last = start_ms // MINUTE_MS + BUCKET_MIN - 1
            count = int(self._platforms.window(last, series, BUCKET_MIN).sum())
            bars.append(Bar(start_ms=start_ms, mentions=count, coordinated=round(count * share)))
        return tuple(bars)

    # state ----------------------------------------------------------------------------------

    def changes(self) -> list[Change]:
        """What to store since the last call: prefixes to drop (``None``), then pieces by name."""
        parts: dict[str, list[Change]] = {
            "all": self._rolling.all.changes(),
            "negative": self._rolling.negative.changes(),
            "platforms": self._platforms.changes(),
            "emphasis": self._emphasis.changes(),
            "dedupe": self._dedupe.changes(),
            "evidence": self._evidence.changes(),
            "posts": self._posts.changes(),
            "lookout": self._lookout.changes(),
            "impostors": self.impostors.store.changes(),
            "complaints": self.impostors.complaints.changes(),
            "supporters": self._supporters.changes(),
        }
        for name, each in self._learned():
            parts[name] = [*each.changes().items()]
        head = msgspec.msgpack.encode(
            _Head(
                brands=[b.id for b in self.brands],
                platforms=[list(slots) for slots in self._platform_slots],
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
        names = dict(zip(head.brands, head.platforms))
        self._platform_slots = [
            {name: slot for slot, name in enumerate(names.get(b.id, []))} for b in self.brands
        ]
        self.watermark_ms, self._open_hour = head.watermark_ms, head.open_hour

        def part(name: str) -> Pieces:
            return within(f"{name}/", stored)

        self._rolling.all.restore(part("all"))
        self._rolling.negative.restore(part("negative"))
        self._platforms.restore(part("platforms"))
        self._emphasis.restore(part("emphasis"))
        self._dedupe.restore(part("dedupe"))
        self._evidence.restore(part("evidence"))
        self._posts.restore(part("posts"))
        self._lookout.restore(part("lookout"))
        self._supporters.restore(part("supporters"))
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


class _Parts(NamedTuple):
    """Counts of an hour in five minutes each, and the largest windows that end in it."""

    fives: Float64
    peaks: Float64


def _parts(counts: CumulativeCounts, last: int) -> _Parts:
    totals = np.stack([counts.row(last - k) for k in range(64, -1, -1)])
    fives = np.diff(totals[4::5], axis=0)
    five = (totals[5:] - totals[:-5]).max(axis=0)
    marks = [counts.row(last - 5 * k) - counts.row(last - 5 * k - HOUR_MIN) for k in range(12)]
    three, day = (counts.row(last) - counts.row(last - width) for width in HORIZONS_MIN[2:])
    peaks = np.stack([five, np.max(marks, axis=0), three, day])
    return _Parts(fives.astype(np.float64), peaks.astype(np.float64))


def _ticks(before_ms: int, watermark: Int64) -> tuple[Int64, Int64]:
    """Where the watermark passes a tick: index of the observation, and the tick's time."""
    ticks = np.concatenate([[before_ms], watermark]) // TICK_MS
    at = np.flatnonzero(np.diff(ticks))
    return at, (ticks[at] + 1) * TICK_MS


def _best(held: Sample, *, prefer_negative: bool) -> tuple[Evidence, ...]:
    """The mentions to show: widest reach first, each text once, negative ones where they matter."""
    rows = held.rows
    order = np.lexsort((rows["key"], rows["published_ms"], -rows["negative"], -rows["reach"]))
    if prefer_negative:
        order = order[np.argsort(~held.negative[order], kind="stable")]
    chosen: dict[str, int] = {}
    for i in order.tolist():
        chosen.setdefault(held.mentions[i].text[:60], i)
        if len(chosen) == TOP_MENTIONS:
            break
    return tuple(map(held.evidence, chosen.values()))


def _estimate(distinct: int, held: int, total: int) -> int:
    """Distinct authors among ``total`` mentions, from those of a sample."""
    return distinct if held >= total else round(distinct / max(held, 1) * total)


def _signal_id(brand: str, f: Finding) -> str:
    # a running episode may report twice in a minute, with more observed
    window = f"{f.window_min}|{f.minute}|{f.at_ms}|{f.observed}"
    return f"s-{hash64(f'{brand}|{f.kind}|{f.phase}|{window}'):016x}"


def _own_words(brand: Brand) -> frozenset[str]:
    names = (brand.id, *brand.names, *brand.keywords, *brand.handles, *brand.domains)
    words = " ".join(names)
    for mark in "@.-":
        words = words.replace(mark, " ")
    # names of several words are written together in hashtags
    joined = [mark.join(name.split()) for name in names for mark in ("", "_")]
    plain = normalise([*words.split(), *joined])
    normal = [plain.text(i).strip() for i in range(len(plain))]
    return frozenset(p for word in normal for p in (word, f"ال{word}", f"و{word}", f"ب{word}"))
