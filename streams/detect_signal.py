"""From findings to signals: what is remembered of mentions, and what a signal tells of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from models.baseline import Baseline
from models.buckets import Sample
from models.coordination.posts import KEPT_HOURS, PostStore, Split
from models.coordination.traces import hash64
from models.counts import HOUR_MIN, MinuteCounts
from models.detector import HOUR_MS, MINUTE_MS, Finding, Rolling
from models.emphasis import EmphasisSums
from models.evidence import EvidenceStore
from models.lookout import Sight
from models.narratives.narrative import Pace
from models.narratives.supporters import Supporters
from models.negativity import NegativeShare
from models.quantify import adjusted_share
from models.records import (
    SOURCE_SILENT,
    SURPRISE_LINES,
    Bar,
    Brand,
    Defence,
    Evidence,
    Int64,
    Observations,
    Signal,
)
from models.terms import Terms, Topics
from models.text import normalise
from streams.detect_sights import BUCKET_MIN, UNSPLIT, Narrated, pace_before, sighted
from streams.detect_state import MAX_PLATFORMS, Change, Pieces

TOP_MENTIONS = 8


class Memory:
    """What is remembered of the mentions of a set of brands, and signals that tell of it.

    Parameters
    ----------
    brands : sequence of Brand
    lexicon : mapping
        Topic word lists (models/artifacts/topics.json).
    rolling : Rolling
        Counts of the stage.
    baseline : Baseline
        Of the volume.
    tone : NegativeShare
    lateness_ms : int
    corrected : bool
        Labels are those of the model that ships with Nadhir, whose errors are known.

    Attributes
    ----------
    posts : PostStore
        Posts of the latest hours.
    """

    def __init__(
        self,
        brands: Sequence[Brand],
        lexicon: Mapping[str, Sequence[str]],
        rolling: Rolling,
        baseline: Baseline,
        tone: NegativeShare,
        *,
        lateness_ms: int,
        corrected: bool,
    ) -> None:
        self.brands = tuple(brands)
        self._rolling = rolling
        self._baseline = baseline
        self._tone = tone
        self._lateness_ms = lateness_ms
        self._corrected = corrected
        self._platforms = MinuteCounts(len(brands) * MAX_PLATFORMS)
        self._platform_slots: list[dict[str, int]] = [{} for _ in brands]
        self._emphasis = EmphasisSums(len(brands))
        self._evidence = EvidenceStore(len(brands))
        self.posts = PostStore(len(brands), [b.allies for b in brands])
        self._supporters = Supporters(self.brands)
        self._narrated = Narrated(self.brands, self.posts, self.pace_before)
        self._terms = Terms()
        self._topics = Topics(lexicon)
        self._own_words = [_own_words(b) for b in brands]

    # remembering ----------------------------------------------------------------------------

    def keep(self, obs: Observations, rows: Int64) -> None:
        """What a signal may quote: known up to its moment, not to the end of the batch."""
        if not len(rows):
            return
        platforms = [obs.platform[i] for i in rows.tolist()]
        series = self._platform_series(obs.brand[rows].tolist(), platforms)
        self._platforms.add(obs.published_ms[rows] // MINUTE_MS, series)
        self._emphasis.add(obs, rows)
        blobs: dict[int, bytes] = {}
        self._evidence.add(obs, rows, blobs)
        self.posts.add(obs, rows, blobs)

    def _platform_series(self, brands: list[int], platforms: list[str]) -> Int64:
        """Series of each brand and platform: the first platforms get their own, others share."""
        known, other = self._platform_slots, MAX_PLATFORMS - 1
        slots = [known[b].get(p, other) for b, p in zip(brands, platforms)]
        for i in [i for i, slot in enumerate(slots) if slot == other]:
            own = known[brands[i]]
            if len(own) < other:
                slots[i] = own.setdefault(platforms[i], len(own))
        return np.array(brands, dtype=np.int64) * MAX_PLATFORMS + np.array(slots, dtype=np.int64)

    def close_hours(self, first: int, upto: int) -> None:
        """Hours from the first on, the last not included, are final."""
        self._supporters.learn(self.posts, first, upto)
        self._evidence.thin(upto * HOUR_MS)
        self.posts.thin(upto * HOUR_MS)

    # signals --------------------------------------------------------------------------------

    def signal(self, f: Finding) -> Signal:
        """What was found in a window, with all that is known of it."""
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

    def pace_before(self, brand: int, since_ms: int) -> Pace:
        """How much was said of a brand until a time."""
        known_h = float(self._baseline.hours[brand])
        return pace_before(self._rolling.all, brand, since_ms, known_h)

    def sighted(self, sight: Sight) -> Signal:
        """The hour in which something was seen, as a signal of it."""
        brand, last = sight.brand, sight.until_ms // MINUTE_MS - 1
        series, minute = np.array([brand]), np.array([last])
        counts = (self._rolling.all, self._rolling.negative)
        total, negative = (int(c.window(minute, series, HOUR_MIN)[0]) for c in counts)
        expected = self._baseline.expected(minute, series)[1, 0]
        f = Finding(
            0, brand, sight.kind, sight.phase, sight.until_ms + self._lateness_ms, last, HOUR_MIN,
            total, float(expected), 0, 0, 0.0, 0.0, 0, total, negative,
            float(self._tone.usual_share()[brand]), int(self._baseline.hours[brand]),
        )  # fmt: skip
        start_ms = sight.until_ms - HOUR_MS
        usual = self._evidence.window(brand, start_ms - 24 * HOUR_MS, start_ms).texts()
        evidence = _best(sight.posts, prefer_negative=True)
        own = self._own_words[brand]
        signal = msgspec.structs.replace(self.signal(f), bars=self._bars(brand, sight.bars))
        return sighted(signal, sight, evidence, self._terms, self._topics, usual, own)

    def _split(self, f: Finding, start_ms: int, end_ms: int) -> Split:
        """Who acts together in a window; in a long one of an old episode, as far as is final."""
        if f.phase == "weak" or f.kind in UNSPLIT:
            return Split()
        at_once = f.phase == "fired" or f.window_min <= HOUR_MIN
        final_ms = None if at_once else f.at_ms - self._lateness_ms
        return self.posts.split(f.brand, start_ms, end_ms, final_ms)

    def _defence(self, f: Finding, start_ms: int, end_ms: int) -> Defence | None:
        if f.phase == "weak" or f.kind == SOURCE_SILENT:
            return None
        since_ms = max(start_ms, end_ms - KEPT_HOURS * HOUR_MS)
        posts = self.posts.sample(f.brand, since_ms - HOUR_MS, end_ms)
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

    @property
    def platforms(self) -> list[list[str]]:
        """Platforms of each brand that are counted by themselves, in order of appearance."""
        return [list(slots) for slots in self._platform_slots]

    def changes(self) -> dict[str, list[Change]]:
        """What to store since the last call, by part."""
        return {
            "platforms": self._platforms.changes(),
            "emphasis": self._emphasis.changes(),
            "evidence": self._evidence.changes(),
            "posts": self.posts.changes(),
            "supporters": self._supporters.changes(),
        }

    def restore(self, platforms: Mapping[str, list[str]], part: Callable[[str], Pieces]) -> None:
        """Take up what ``changes`` gave, and ``platforms`` by brand."""
        self._platform_slots = [
            {name: slot for slot, name in enumerate(platforms.get(b.id, []))} for b in self.brands
        ]
        self._platforms.restore(part("platforms"))
        self._emphasis.restore(part("emphasis"))
        self._evidence.restore(part("evidence"))
        self.posts.restore(part("posts"))
        self._supporters.restore(part("supporters"))


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
