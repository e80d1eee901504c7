"""Campaigns that are known: found, thinned in other talk, changed to escape, and in Arabic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.quality import campaigns as c
from benchmarks.quality.document import QualityError, percent, table, verdict
from benchmarks.quality.options import Options
from models.coordination.detector import LINE
from models.coordination.group import Group
from models.coordination.record import published_of, record
from models.records import Mention

_RATIOS = (1, 5, 20)
_SPANS = {"as long as the burst": timedelta(0), "a day": timedelta(days=1)}
_SEEDS = range(5)
_SIMULATED = range(20)
_EVADING = range(10)
_DILUTED = 5  # other mentions for each, where changes are measured


class _Data(NamedTuple):
    burst: list[Mention]
    organic: list[Mention]
    english: list[str]
    arabic: list[str]


def run(options: Options) -> list[str]:
    """Measure; the lines of the section."""
    data = _read(options.data)
    return [
        *_labelled(data),
        *_stocknet(options),
        "",
        *_diluted(data),
        "",
        *_changed(data),
        "",
        *_in_arabic(data),
        "",
        *_no_campaign(),
    ]


def mixed(folder: Path, ratio: int, span: timedelta) -> list[Mention]:
    """The burst among ``ratio`` times as many other mentions, in order of time."""
    data = _read(folder)
    made = _thinned(data, data.burst, data.english, ratio, span, 1)
    return sorted([*made.own, *made.other], key=lambda m: m.published_at)


@cache
def _read(data: Path) -> _Data:
    folder, said = data / "coordination", data / "sentiment"
    if not folder.is_dir():
        raise QualityError(f"no {folder}: the figures need it")
    return _Data(
        c.read(folder / "prayers-burst.jsonl.gz"),
        c.read(folder / "organic-spotify-2017-10.jsonl.gz"),
        c.texts(said, arabic=False),
        c.texts(said, arabic=True),
    )


def _labelled(data: _Data) -> Iterator[str]:
    burst = c.campaign_of(data.burst, [])
    told = c.outcome(burst)
    first: dict[str, float] = {}
    for mention in data.burst:
        first.setdefault(c.account(mention), mention.published_at.timestamp())
    tenth_s = sorted(first.values())[9]
    found_ms = min((g.found_ms for g in told.groups), default=float("inf"))
    minutes = found_ms / 60_000 - tenth_s / 60
    organic = len(_coordinated(data.organic))
    yield from table(
        ["goal", "Nadhir", "reached"],
        [
            ["burst: accounts found ≥ 90 %", percent(told.recall), verdict(told.recall >= 0.9)],
            ["burst: others named", percent(1 - told.precision), verdict(told.precision >= 0.9)],
            ["burst: found ≤ 10 min after its tenth account", f"{minutes:.0f} min",
             verdict(minutes <= 10)],
            ["organic stream: no group", organic, verdict(not organic)],
        ],
    )  # fmt: skip
    yield ""


def _stocknet(options: Options) -> Iterator[str]:
    bursts = c.stocknet_bursts(options.data / "coordination" / "stocknet-bursts-2014.csv")
    mentions = c.read(options.data / "mentions" / "stocknet-2014.jsonl.gz")
    at_ms = [int(m.published_at.timestamp() * 1000) for m in mentions]
    published = published_of(np.array(at_ms, dtype=np.int64))
    groups = [record(group, published) for group in c.found(mentions)]
    amplified = [(g, set(g.mentions)) for g in groups if g.kind == "amplification"]
    shares = [
        max(group.share for group, ids in amplified if 2 * len(ids & burst) >= len(burst))
        for burst in bursts
        if any(2 * len(ids & burst) >= len(burst) for _, ids in amplified)
    ]
    called = sum(g.kind == "coordination" and g.score >= LINE for g in groups)
    yield (
        f"StockNet 2014: {len(shares)} of {len(bursts)} bursts are named amplification of one "
        f"post; it has {percent(float(np.median(shares)))} (median) of what was said between its "
        f"first and last. {called} groups are called coordination."
    )


def _diluted(data: _Data) -> Iterator[str]:
    yield f"The burst among other mentions, {len(_SEEDS)} seeds, mean (least):"
    yield ""
    rows = []
    for span, lasting in _SPANS.items():
        for ratio in _RATIOS:
            made = (_thinned(data, data.burst, data.english, ratio, lasting, s) for s in _SEEDS)
            recall, precision, shown = _figures(made)
            rows.append([f"1:{ratio}", span, *shown, verdict(min(recall) > 0 and _good(precision))])
    yield from table(["ratio", "others last", "recall", "precision", "precision ≥ 0.9"], rows)


def _changed(data: _Data) -> Iterator[str]:
    yield (
        f"What changes to the campaign's own mentions hide: the burst 1:{_DILUTED} in the same "
        f"time ({len(_SEEDS)} seeds), and simulated campaigns ({len(_EVADING)} seeds); mean "
        "(least):"
    )
    yield ""
    words = c.Words(c.vocabulary(data.english), c.vocabulary(data.arabic))

    def thinned(seed: int) -> c.Campaign:
        return _thinned(data, data.burst, data.english, _DILUTED, timedelta(0), seed)

    rows = []
    for name, change in c.EVASIONS.items():
        real = _figures(_evading(thinned, _SEEDS, change, words))
        simulated = _figures(_evading(c.simulated, _EVADING, change, words))
        rows.append([name, *real.shown, *simulated.shown])
    head = ["change", "burst: recall", "precision", "simulated: recall", "precision"]
    yield from table(head, rows)


def _evading(
    make: Callable[[int], c.Campaign], seeds: Iterable[int], change: c.Change | None, words: c.Words
) -> Iterator[c.Campaign]:
    for seed in seeds:
        yield c.evading(make(seed), change, np.random.default_rng([seed, 2]), words)


def _in_arabic(data: _Data) -> Iterator[str]:
    yield f"Languages; simulated campaigns with {len(_SIMULATED)} seeds, mean (least):"
    yield ""
    rows = []
    for name, lang in (("Arabic alone", "ar"), ("English alone", "en"), ("as simulated", None)):
        made = (c.simulated(seed, lang) for seed in _SIMULATED)
        some = [campaign for campaign in made if len(campaign.accounts) >= 10]
        rows.append([f"simulated, {name}, {len(some)} campaigns", *_figures(some).shown])
    for ratio in (0, *_RATIOS[:2]):
        made = (_arabic_burst(data, ratio, seed) for seed in _SEEDS)
        rows.append([f"burst with Arabic texts, 1:{ratio}", *_figures(made).shown])
    yield from table(["campaign", "recall", "precision"], rows)


def _no_campaign() -> Iterator[str]:
    yield "Simulated streams of two days without a campaign, 5 seeds each:"
    yield ""
    rows = []
    for name in ("calm", "slow_burn", "holiday_peak", "rumour", "viral_praise", "outage"):
        groups = [_coordinated(c.stream(name, seed)) for seed in range(5)]
        most = max((len(g.accounts) for found in groups for g in found), default=0)
        rows.append([name, sum(bool(found) for found in groups), most or "–"])
    yield from table(["scenario", "streams with a group", "accounts of the largest"], rows)


def _arabic_burst(data: _Data, ratio: int, seed: int) -> c.Campaign:
    rng = np.random.default_rng([seed, 1])
    own = c.in_arabic(data.burst, data.arabic, rng)
    used = {mention.text for mention in own}
    other = [text for text in data.arabic if text not in used]
    if not ratio:
        return c.campaign_of(own, [])
    return c.diluted(own, ratio * len(own), [], other, data.organic, timedelta(0), rng)


def _thinned(
    data: _Data, own: list[Mention], texts: list[str], ratio: int, span: timedelta, seed: int
) -> c.Campaign:
    rng = np.random.default_rng(seed)
    count = ratio * len(own)
    return c.diluted(own, count, data.organic, texts, data.organic, span, rng)


def _coordinated(mentions: list[Mention]) -> list[Group]:
    return [g for g in c.found(mentions) if g.kind == "coordination" and g.score >= LINE]


class _Figures(NamedTuple):
    recall: list[float]
    precision: list[float]
    shown: tuple[str, str]


def _figures(made: Iterable[c.Campaign]) -> _Figures:
    told = [c.outcome(campaign) for campaign in made]
    recall, precision = [t.recall for t in told], [t.precision for t in told if t.groups]
    return _Figures(recall, precision, (_mean(recall), _mean(precision)))


def _mean(figures: list[float]) -> str:
    return f"{np.mean(figures):.2f} ({min(figures):.2f})" if figures else "–"


def _good(precision: list[float]) -> bool:
    return bool(precision) and min(precision) >= 0.9
