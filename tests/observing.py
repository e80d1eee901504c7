"""Streams of observations for tests of detection: columns, ways to cut them, and a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import cycle

import numpy as np

from models.records import Author, Bool, Brand, Int64, Mention, Observations, Signal
from streams.detect import DetectStage

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START_MS = 1_700_006_400_000  # 2023-11-15 00:00 UTC, a Wednesday
LEXICON = {"outage": ["down", "عطل"], "payment": ["refund", "استرداد"]}

BRANDS = (
    Brand(id="acme", names=("Acme", "أكمي"), timezone="Asia/Riyadh"),
    Brand(id="bolt", names=("Bolt",), timezone="UTC"),
    Brand(id="calm", names=("Calm",), timezone="America/New_York", weekend=(5, 6)),
)


@dataclass(frozen=True)
class Stream:
    """Observations in order of arrival, as columns."""

    brand: Int64
    published_ms: Int64
    key: np.ndarray
    label: np.ndarray
    platform: list[str]
    mention: list[Mention]
    own: Bool

    def __len__(self) -> int:
        return len(self.brand)

    def take(self, rows: Int64 | slice) -> Stream:
        """Some rows, in the order given."""
        at = np.arange(len(self))[rows].tolist()
        return Stream(
            self.brand[rows],
            self.published_ms[rows],
            self.key[rows],
            self.label[rows],
            [self.platform[i] for i in at],
            [self.mention[i] for i in at],
            self.own[rows],
        )

    def join(self, other: Stream) -> Stream:
        """This stream, then the other."""
        return Stream(
            *(np.concatenate(pair) for pair in zip(self._arrays()[:4], other._arrays()[:4])),
            self.platform + other.platform,
            self.mention + other.mention,
            np.concatenate((self.own, other.own)),
        )

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.brand, self.published_ms, self.key, self.label, self.own

    def sorted(self, by: Int64 | None = None) -> Stream:
        """In order of publication, or of ``by``."""
        return self.take(np.argsort(self.published_ms if by is None else by, kind="stable"))

    def observations(self) -> Observations:
        """The stream as one batch."""
        n = len(self)
        negative = np.where(self.label == 0, 0.9, 0.1).astype(np.float32)
        reach = (self.key % np.uint64(1009)).astype(np.int64)
        return Observations(
            brand=self.brand, published_ms=self.published_ms, key=self.key,
            platform=self.platform, label=self.label, negative=negative,
            positive=np.where(self.label == 2, 0.9, 0.05).astype(np.float32),
            reach=reach, own=self.own, lang=["en"] * n, mention=self.mention,
        )  # fmt: skip

    def cut(self, size: int | Callable[[], int]) -> Iterator[Observations]:
        """As batches."""
        first = 0
        while first < len(self):
            last = first + (size if isinstance(size, int) else size())
            yield self.take(slice(first, last)).observations()
            first = last


def stream(
    brand: Sequence[int] | Int64,
    published_ms: Sequence[int] | Int64,
    label: Sequence[int] | Int64 | int = 1,
    *,
    platform: str = "x",
    seed: int = 0,
    texts: Sequence[str] = ("hello there", "the app is down again", "refund my order"),
) -> Stream:
    """A stream with keys, platforms and mentions made up."""
    times = np.asarray(published_ms, dtype=np.int64)
    n = len(times)
    rng = np.random.default_rng([seed, n])
    keys = rng.integers(1, 2**63, n).astype(np.uint64)
    mentions = [
        Mention(
            id=f"{seed}-{i}",
            platform=platform,
            published_at=datetime.fromtimestamp(t / 1000, UTC),
            text=texts[i % len(texts)],
            author=Author(id=f"a{i % 50}"),
        )
        for i, t in enumerate(times.tolist())
    ]
    labels = np.full(n, label) if isinstance(label, int) else np.asarray(label)
    return Stream(
        np.broadcast_to(np.asarray(brand, dtype=np.int64), n).copy(),
        times, keys, labels.astype(np.int8), [platform] * n, mentions, np.zeros(n, np.bool_),
    )  # fmt: skip


def usual(
    brand: int,
    rate: float,
    hours: int,
    seed: int,
    *,
    start_ms: int = START_MS,
    season: float = 0.5,
    shape: float = 8.0,
) -> Stream:
    """Gamma-Poisson mentions with a daily rhythm, 15 % of them negative."""
    rng = np.random.default_rng([seed, brand])
    hour = np.arange(hours)
    mean = rate * (1 + season * np.sin(hour * 2 * np.pi / 24))
    counts = rng.poisson(rng.gamma(shape, mean / shape))
    times = np.repeat(start_ms + hour * HOUR_MS, counts) + rng.integers(0, HOUR_MS, counts.sum())
    labels = rng.choice(3, len(times), p=[0.15, 0.55, 0.3])
    return stream(brand, np.sort(times), labels, seed=seed * 100 + brand)


def burst(
    brand: int, at_ms: int, count: int, minutes: int, seed: int, negative: float = 0.8
) -> Stream:
    """So many mentions, evenly at random, within so many minutes."""
    rng = np.random.default_rng([seed, brand, count])
    times = np.sort(at_ms + rng.integers(0, minutes * MINUTE_MS, count))
    labels = np.where(rng.random(count) < negative, 0, 1)
    return stream(brand, times, labels, seed=seed * 100 + 50 + brand)


def merged(*streams: Stream) -> Stream:
    """Several streams as one, in order of publication."""
    whole = streams[0]
    for more in streams[1:]:
        whole = whole.join(more)
    return whole.sorted()


@cache
def crisis() -> Stream:
    """Four days of three brands; a clear crisis of the first and then of the second.

    Every detector must find something here: extend it when a new one needs more to see.
    """
    return merged(
        usual(0, 16.0, 96, seed=1),
        usual(1, 4.0, 96, seed=1),
        usual(2, 8.0, 96, seed=1),
        burst(0, START_MS + 2 * DAY_MS + 5 * HOUR_MS, 220, 40, seed=1),
        burst(1, START_MS + 3 * DAY_MS + 9 * HOUR_MS, 70, 30, seed=1, negative=0.9),
    )


def delayed(events: Stream, seed: int, most_ms: int = 540_000, share: float = 0.3) -> Stream:
    """The same mentions, a share of them arriving late, but within the allowed lateness."""
    rng = np.random.default_rng([seed, 7])
    delay = rng.integers(0, most_ms, len(events)) * (rng.random(len(events)) < share)
    return events.sorted(by=events.published_ms + delay)


def stage(brands: Sequence[Brand] = BRANDS, **options: int) -> DetectStage:
    """A stage without history."""
    return DetectStage(brands, LEXICON, **options)


def detect(
    batches: Iterable[Observations], into: DetectStage | None = None
) -> tuple[list[Signal], DetectStage]:
    """Fold batches; the signals and the stage."""
    into = stage() if into is None else into
    return [signal for batch in batches for signal in into.detect(batch)], into


class Store:
    """What a key/value store with prefix drops makes of ``DetectStage.changes``."""

    def __init__(self) -> None:
        self.pieces: dict[str, bytes] = {}

    def save(self, changed: DetectStage) -> None:
        """Apply the changes in their order."""
        for name, blob in changed.changes():
            if blob is None:
                self.pieces = {k: v for k, v in self.pieces.items() if not k.startswith(name)}
            else:
                self.pieces[name] = blob

    def load(self, brands: Sequence[Brand] = BRANDS, **options: int) -> DetectStage:
        """A new stage with what is stored."""
        loaded = stage(brands, **options)
        loaded.restore(dict(self.pieces))
        return loaded

    def size(self) -> int:
        """Bytes stored, without the keys of mentions that were seen."""
        return sum(len(v) for k, v in self.pieces.items() if not k.startswith("dedupe"))


def singles(many: int = 100, then: int = 400) -> Callable[[], int]:
    """Sizes of batches: many of one, then a large one, and so on; all of one would take minutes."""
    after = cycle([1] * many + [then])
    return lambda: next(after)
