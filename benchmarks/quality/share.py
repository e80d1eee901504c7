"""The negative share of groups of mentions: how far off the ways to tell it are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from benchmarks.quality.document import percent, table, verdict
from benchmarks.quality.labelled import Labelled, joined, sentiment
from benchmarks.quality.options import Options
from models.quantify import RatesByScript, negative_share, rates_of
from models.records import Float32, Float64, Int64

SIZE = 200
SHARES = tuple(round(0.05 * step, 2) for step in range(1, 17))  # 5 % to 80 %
_GROUPS = 20  # of each share
_GOAL = 0.04
_SHOWN = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
_ADJUSTED, _NADHIR = "adjusted count, as in alerts", "calibrated EMQ (`negative_share`)"

Part = Callable[[Labelled], Labelled]
Way = Callable[[Labelled], float]
Errors = Mapping[str, Float64]  # by way, float64[shares, groups]

_ARABIC: Part = partial(Labelled.of, language="Arabic")
_ENGLISH: Part = partial(Labelled.of, language="English")
# what groups are drawn from; parts give equally many rows
_POOLS: dict[str, tuple[Part, ...]] = {
    "dev": (lambda rows: rows,),
    "Arabic": (_ARABIC,),
    "English": (_ENGLISH,),
    "half Arabic, half English": (_ARABIC, _ENGLISH),
}
_SETS = {"arsas-test": "umsab-ar", "tweeteval-test": "umsab-en"}  # for groups, and for rates


def run(options: Options) -> list[str]:
    """Measure; the lines of the section."""
    rows = sentiment(options.data)
    half = np.random.default_rng(0).random(len(rows.label)) < 0.5
    folds = [(rows.where(half), rows.where(~half)), (rows.where(~half), rows.where(half))]
    errors: dict[tuple[str, str], Errors] = {}
    for name, parts in _POOLS.items():
        found = [
            _errors([part(some) for part in parts], _ways(_rates(rest)), _GROUPS // 2, seed)
            for seed, (some, rest) in enumerate(folds)
        ]
        errors[name, "other half of dev"] = {
            way: np.concatenate([each[way] for each in found], axis=1) for way in found[0]
        }
    for large, small in _SETS.items():
        ways = _ways(_rates_of_set(rows.where(rows.source == small)))
        errors[large, small] = _errors([rows.where(rows.source == large)], ways, _GROUPS, 0)
    return [*_summary(errors), "", *_by_share(errors)]


def _rates(labelled: Labelled) -> RatesByScript:
    return rates_of(labelled.p, labelled.label, labelled.arabic, "measured")


def _rates_of_set(labelled: Labelled) -> RatesByScript:
    """Rates of a set in one language, for both scripts."""
    flags = np.ones(len(labelled.label), dtype=np.bool_)
    return _rates(joined([labelled._replace(arabic=flags), labelled._replace(arabic=~flags)]))


def _ways(rates: RatesByScript) -> dict[str, Way]:
    """Ways to tell the negative share of a group, some by the rates of errors."""
    return {
        "labels counted": lambda group: float((group.p.argmax(axis=1) == 0).mean()),
        "mean probability": lambda group: float(group.p[:, 0].mean()),
        "EMQ": lambda group: likeliest(group.p),
        _ADJUSTED: lambda group: _adjusted(group, rates),
        _NADHIR: lambda group: negative_share(group.p, group.arabic, rates),
    }


def likeliest(p: Float32) -> float:
    """The negative share with the highest likelihood, if the model learnt with even shares.

    Expectation and maximisation in turn (Saerens et al., *Neural Computation* 14, 2002).
    """
    share = np.full(p.shape[1], 1 / p.shape[1])
    for _ in range(200):
        weighted = p * (share * p.shape[1])
        share = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
    return float(share[0])


def _adjusted(group: Labelled, rates: RatesByScript) -> float:
    """What ``adjusted_share`` of models/quantify.py tells, with rates of our own."""
    arabic, counted = group.arabic.mean(), (group.p.argmax(axis=1) == 0).mean()
    hit = arabic * rates.arabic.hit + (1 - arabic) * rates.latin.hit
    false = arabic * rates.arabic.false_alarm + (1 - arabic) * rates.latin.false_alarm
    return float(np.clip((counted - false) / (hit - false), 0, 1))


def group(label: Int64, share: float, size: int, rng: np.random.Generator) -> Int64:
    """Indices of a random group in which so many are negative; no row comes twice.

    Parameters
    ----------
    label : int64[n]
        0 is negative.
    share : float
        Of negative rows; rounded to whole rows.
    size : int
        Rows of the group.
    """
    negative = round(share * size)
    parts = (
        rng.choice(np.flatnonzero(label == 0), negative, replace=False),
        rng.choice(np.flatnonzero(label != 0), size - negative, replace=False),
    )
    return np.concatenate(parts)


def _errors(parts: list[Labelled], ways: dict[str, Way], groups: int, seed: int) -> Errors:
    """Error of each way in each group; the parts give equally many rows of it."""
    rng = np.random.default_rng(seed)
    errors = {name: np.zeros((len(SHARES), groups)) for name in ways}
    size = SIZE // len(parts)
    for row, share in enumerate(SHARES):
        for column in range(groups):
            drawn = joined([part.at(group(part.label, share, size, rng)) for part in parts])
            for name, way in ways.items():
                errors[name][row, column] = way(drawn) - share
    return errors


def _summary(errors: Mapping[tuple[str, str], Errors]) -> list[str]:
    rows = []
    for (groups, rates), by_way in errors.items():
        *others, ours = (float(np.abs(each).mean()) for each in by_way.values())
        rows.append([groups, rates, *(f"{other:.3f}" for other in others), f"**{ours:.3f}**",
                     f"≤ {_GOAL}", verdict(ours <= _GOAL)])  # fmt: skip
    ways = list(next(iter(errors.values())))
    return table(["mean absolute error, groups of", "rates of", *ways, "goal", "reached"], rows)


def _by_share(errors: Mapping[tuple[str, str], Errors]) -> list[str]:
    """Mean error, with its sign, at some shares."""
    rows = []
    for (groups, rates), by_way in errors.items():
        bias = by_way[_NADHIR].mean(axis=1)
        shown = (f"{bias[SHARES.index(share)]:+.3f}" for share in _SHOWN)
        rows.append([groups, rates, *shown])
    return table(
        ["mean error, groups of", "rates of", *(f"at {percent(share)}" for share in _SHOWN)], rows
    )
