"""Sentiment beside its peers, and what the volume detector costs, in CPU time a mention.

Sentiment: texts of ../shared/data/sentiment in batches of 1,000, normalisation included, by
Nadhir's model, by vaderSentiment (English alone: it knows no Arabic) and by a plain scikit-learn
pipeline of character n-grams, fitted here.  All in one process on one core, taking turns.

Volume: a simulated stream through the whole stage that detects, of which only the counting, the
detector and the closing of hours are timed, the first days left out.  The detector is the first
that runs and pays for what all detectors share: counts of negative mentions, too, and windows.
Each case in a process of its own, taking turns.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from models.kept import packed
from models.records import Brand, Int64, Mention, Observations, UInt64
from models.sentiment import load, load_offensive
from models.text import normalise
from streams.detect import DetectStage
from streams.simulate import SimulationSpec, synthetic_brands
from streams.simulate.brand_stream import BrandStream
from streams.simulate.people import Population

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NADHIR_TEST_DATA") or ROOT.parent / "shared" / "data") / "sentiment"
BATCH = 1_000
SENTIMENT_LIMIT_US, VOLUME_LIMIT_US = 25.0, 2.0
DAY_MS = 86_400_000
NADHIR, OFFENCE = "Nadhir's sentiment", "the same, and offensive language"


class Case(NamedTuple):
    """Brands that are watched and spoken of, those in a crisis, and mentions in a batch."""

    brands: int
    in_crisis: int
    batch: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much to measure; tests measure little.

    Attributes
    ----------
    dev, train : int
        Texts at most: those that are judged, and those on which the n-grams are fitted.
    turns : int
        Times that everything is measured.
    rate_per_hour : float
        Mentions of all brands together.
    days, first_days : float
        Length of the simulated stream, and how much of it is not timed.
    """

    dev: int = 20_000
    train: int = 10_000
    turns: int = 3
    rate_per_hour: float = 10_000
    days: float = 5
    first_days: float = 2
    cases: tuple[Case, ...] = (
        Case(10, 1, 4096),
        Case(10, 1, 512),
        Case(1_000, 1, 4096),
        Case(1_000, 1, 512),
        Case(1_000, 10, 4096),
        Case(1_000, 100, 4096),
    )


FULL = Sizes()


class Spent(NamedTuple):
    """Microseconds a mention: the least of all turns, and the median."""

    least: float
    median: float


def _spent(turns: Sequence[float]) -> Spent:
    return Spent(min(turns), median(turns))


# sentiment ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Texts:
    """Some texts and, by what reads them, the time that it takes."""

    name: str
    count: int
    characters: int
    spent: dict[str, Spent]


def _measure_sentiment(data: Path, sizes: Sizes) -> list[Texts]:
    rows = _rows(data / "dev.jsonl.gz", sizes.dev)
    of_language = {
        "Arabic": [row["text"] for row in rows if row["lang"] == "ar"],
        "English": [row["text"] for row in rows if row["lang"] == "en"],
        "both": [row["text"] for row in rows],
    }
    own, vader, ngrams = _ours(), _vader(), _ngrams(_rows(data / "train.jsonl.gz", sizes.train))
    measured = []
    for name, texts in of_language.items():
        readers = own | (vader if name == "English" else {}) | ngrams
        turns: dict[str, list[float]] = {reader: [] for reader in readers}
        for _ in range(sizes.turns):
            for reader, read in readers.items():
                turns[reader].append(_timed(read, texts))
        spent = {reader: _spent(each) for reader, each in turns.items()}
        characters = round(sum(map(len, texts)) / len(texts))
        measured.append(Texts(name, len(texts), characters, spent))
    return measured


def _rows(path: Path, most: int) -> list[dict[str, Any]]:
    """Rows of a file in a mixed order, always the same."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    order = np.random.default_rng(1).permutation(len(rows))
    return [rows[i] for i in order[:most].tolist()]


Reader = Callable[[list[str]], object]


def _timed(read: Reader, texts: list[str]) -> float:
    left = iter(texts)
    batches = list(iter(lambda: list(islice(left, BATCH)), []))
    began = time.process_time()
    for batch in batches:
        read(batch)
    return (time.process_time() - began) / len(texts) * 1e6


def _ours() -> dict[str, Reader]:
    model, offensive = load(), load_offensive()

    def both(texts: list[str]) -> object:
        batch = normalise(texts)
        return model.predict(batch), offensive.predict(batch)

    readers: dict[str, Reader] = {
        NADHIR: lambda texts: model.predict(normalise(texts)),
        "of this, normalisation": normalise,
        OFFENCE: both,
    }
    for read in readers.values():
        read(["."])  # tables are built at first use
    return readers


def _vader() -> dict[str, Reader]:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # not a need of Nadhir's

    scores = SentimentIntensityAnalyzer().polarity_scores
    return {"vaderSentiment": lambda texts: [scores(text) for text in texts]}


def _ngrams(rows: list[dict[str, Any]]) -> dict[str, Reader]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    pipeline = make_pipeline(vectors, LogisticRegression(max_iter=200))
    pipeline.fit([row["text"] for row in rows], [row["label"] for row in rows])
    return {"scikit-learn, character 2- to 5-grams": pipeline.predict_proba}


def _sentiment_table(measured: list[Texts]) -> Iterator[str]:
    yield f"Sentiment, batches of {BATCH:,}:"
    yield ""
    yield "| texts | mentions | characters | read by | least µs | median µs | of Nadhir's |"
    yield "|---|---|---|---|---|---|---|"
    for texts in measured:
        head = f"| {texts.name} | {texts.count:,} | {texts.characters} |"
        least = texts.spent[NADHIR].least
        for reader, spent in texts.spent.items():
            ratio = "" if reader == NADHIR else f"{spent.least / least:.2g}"
            yield f"{head} {reader} | {spent.least:.2f} | {spent.median:.2f} | {ratio} |"
    both = measured[-1].spent
    added = both[OFFENCE].least - both[NADHIR].least
    over = [texts.name for texts in measured if texts.spent[NADHIR].median > SENTIMENT_LIMIT_US]
    yield ""
    yield f"Offensive language adds {added:.2f} µs a mention.  "
    yield _verdict(SENTIMENT_LIMIT_US, over)


def _verdict(limit_us: float, over: list[str]) -> str:
    return f"Limit {limit_us:g} µs a mention: " + (
        f"missed by {'; '.join(over)}." if over else "held by every median."
    )


# volume ---------------------------------------------------------------------------------------

PARTS = ("counting", "testing", "closing hours")


@dataclass(frozen=True, slots=True)
class Volume:
    """One run: microseconds a mention by part."""

    mentions: int
    findings: int
    spent: dict[str, float]

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.spent.values())


class Clock:
    """Adds up the CPU time that watched methods take."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)

    def watch(self, owner: object, method: str, part: str) -> None:
        """Put a timed method in the place of one."""
        called = getattr(owner, method)

        def timed(*args: Any) -> Any:
            began = time.process_time()
            result = called(*args)
            if isinstance(result, Iterator):  # of findings, which are made when asked for
                result = list(result)
            self.spent[part] += time.process_time() - began
            return result

        setattr(owner, method, timed)


def _simulate(case: Case, sizes: Sizes) -> Int64:
    """Brand, time and label of mentions in order of arrival, int64[3, n]; texts do not matter."""
    parts = []
    for i, brand in enumerate(synthetic_brands(case.brands)):
        spec = SimulationSpec(
            scenario="outage" if i < case.in_crisis else "calm",
            seed=1,
            brands=(brand,),
            days=sizes.days,
            rate_per_hour=sizes.rate_per_hour / case.brands,
        )
        if not i:
            people = Population(spec.seed, spec.start_s)
        rows = BrandStream(spec, brand, people).take(float("inf"))
        parts.append(np.stack([np.full(len(rows), i), rows["t"] * 1000, rows["sentiment"]]))
    columns = np.concatenate(parts, axis=1, dtype=np.int64)
    return columns[:, np.argsort(columns[1], kind="stable")]


def _measure_volume(stream: Int64, case: Case, first_days: float) -> Volume:
    brands = [
        Brand(id=b.id, names=(b.name_en, b.name_ar), timezone=b.timezone)
        for b in synthetic_brands(case.brands)
    ]
    stage, clock = DetectStage(brands, {}), Clock()
    detector = next(d for d in stage.detectors if d.kind == "volume")
    for owner, method, part in (
        (stage, "_count", "counting"),
        (detector, "observe", "testing"),
        (stage, "_hour_close", "closing hours"),
        (detector, "busy", "closing hours"),
        (detector, "learn", "closing hours"),
    ):
        clock.watch(owner, method, part)
    begin = int(np.searchsorted(stream[1], stream[1, 0] + first_days * DAY_MS))
    findings = 0
    size = (stream.shape[1],)
    keys = np.random.default_rng(1).integers(1, 2**63, size, dtype=np.uint64)
    bounds = [*range(0, begin, case.batch), *range(begin, stream.shape[1], case.batch)]
    for first, last in zip(bounds, [*bounds[1:], stream.shape[1]]):
        if first == begin:
            clock.spent.clear()
            findings = 0
        signals = stage.detect(_observations(stream[:, first:last], keys[first:last]))
        findings += sum(signal.kind == "volume" for signal in signals)
    mentions = stream.shape[1] - begin
    spent = {part: clock.spent[part] / mentions * 1e6 for part in PARTS}
    return Volume(mentions, findings, spent)


def _observations(columns: Int64, keys: UInt64) -> Observations:
    brand, published_ms, label = columns[0].copy(), columns[1].copy(), columns[2]
    n = len(brand)
    now = datetime.fromtimestamp(int(published_ms[0]) / 1000, UTC)
    said = packed(Mention(id="1", platform="x", published_at=now, text="the app is down"))
    return Observations(
        brand=brand,
        published_ms=published_ms,
        key=keys,
        platform=["x"] * n,
        label=label.astype(np.int8),
        negative=np.where(label == 0, 0.9, 0.1).astype(np.float32),
        positive=np.where(label == 2, 0.9, 0.05).astype(np.float32),
        reach=np.zeros(n, dtype=np.int64),
        own=np.zeros(n, dtype=np.bool_),
        lang=["en"] * n,
        mention=[said] * n,
    )


def _volume_turns(folder: Path, sizes: Sizes) -> list[list[Volume]]:
    """Every case as often as there are turns, each time in a process of its own."""
    for case in sizes.cases:
        file = folder / _file(case)
        if not file.exists():
            np.save(file, _simulate(case, sizes))
    turns = [
        [
            Volume(**_child("volume", folder / _file(case), case, sizes.first_days))
            for case in sizes.cases
        ]
        for _ in range(sizes.turns)
    ]
    return [list(runs) for runs in zip(*turns)]


def _file(case: Case) -> str:
    return f"{case.brands}-{case.in_crisis}.npy"


def _volume_table(turns: list[list[Volume]], sizes: Sizes) -> Iterator[str]:
    yield f"Volume, {sizes.rate_per_hour:,.0f} mentions an hour of all brands together:"
    yield ""
    parts = " | ".join(f"{part} µs" for part in PARTS)
    yield (
        f"| brands | in crisis | in a batch | mentions | findings | {parts} "
        "| least µs | median µs |"
    )
    yield "|---" * (7 + len(PARTS)) + "|"
    over = []
    for case, runs in zip(sizes.cases, turns):
        best = min(runs, key=lambda run: run.total)
        spent = _spent([run.total for run in runs])
        cells = " | ".join(f"{best.spent[part]:.2f}" for part in PARTS)
        yield (
            f"| {case.brands:,} | {case.in_crisis} | {case.batch:,} | {best.mentions:,} "
            f"| {best.findings} | {cells} | {spent.least:.2f} | {spent.median:.2f} |"
        )
        if spent.median > VOLUME_LIMIT_US:
            over.append(
                f"{case.brands:,} brands, {case.in_crisis} in crisis, "
                f"batches of {case.batch:,} ({spent.median:.2f} µs)"
            )
    yield ""
    yield _verdict(VOLUME_LIMIT_US, over)


# both -----------------------------------------------------------------------------------------


def run(data: Path = DATA, sizes: Sizes = FULL) -> list[str]:
    """Measure both; the lines of two Markdown tables."""
    if data.is_dir():
        sentiment = list(_sentiment_table(_sentiment(data, sizes)))
    else:
        sentiment = ["Sentiment: not measured, since the test data has no folder `sentiment`."]
    with tempfile.TemporaryDirectory() as folder:
        turns = _volume_turns(Path(folder), sizes)
    return [*sentiment, "", *_volume_table(turns, sizes)]


def _sentiment(data: Path, sizes: Sizes) -> list[Texts]:
    found = _child("sentiment", data.resolve(), sizes.dev, sizes.train, sizes.turns)
    for each in found:
        each["spent"] = {reader: Spent(*spent) for reader, spent in each["spent"].items()}
    return [Texts(**each) for each in found]


def _child(what: str, path: Path, *args: object) -> Any:
    """What a process of its own, with a single thread, measures."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.detectors", what, str(path), json.dumps(args)],
        check=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    return json.loads(told.stdout)


def _main(what: str, path: Path, args: list[Any]) -> Any:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if what == "sentiment":
        dev, train, turns = args
        measured = _measure_sentiment(path, Sizes(dev=dev, train=train, turns=turns))
        return [asdict(texts) for texts in measured]
    case, first_days = args
    return asdict(_measure_volume(np.load(path), Case(*case), first_days))


if __name__ == "__main__":
    print(json.dumps(_main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))))
