r"""How many of a group are negative: shares corrected for what the classifier gets wrong.

Counting labels misses negative mentions and takes others for negative ones, at rates that differ by
language; so a low share is told too high and a high one too low.  Adjusted counting takes the two
rates out: of a share :math:`q` of mentions labelled negative the true one is about

.. math:: (q - f) / (t - f)

with the rates :math:`t` among negative and :math:`f` among other mentions (Forman, "Quantifying
counts and costs via classification", *Data Mining and Knowledge Discovery* 17, 2008).  With mean
probabilities in place of labels it varies less (Bella et al., "Quantification via probability
estimators", ICDM 2010).  The rates were measured on labelled rows (``sentiment_rates.json``); talk
of another kind has others.

Maximising the likelihood of the prior (Saerens et al., *Neural Computation* 14, 2002) was tried and
is worse here: it trusts probabilities that are not calibrated for talk to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from models.records import Bool, Float32, Int64

RATES_FILE = Path(__file__).parent / "artifacts" / "sentiment_rates.json"


class Rates(msgspec.Struct, frozen=True):
    """What negative and other mentions get on average: labels, and probabilities of negative."""

    hit: float
    false_alarm: float
    negative: float
    other: float


class RatesByScript(msgspec.Struct, frozen=True):
    """Rates for texts with more Arabic letters than Latin ones, and for all others."""

    model: str
    arabic: Rates
    latin: Rates


@cache
def shipped_rates() -> RatesByScript:
    """The rates of the model that ships with Nadhir."""
    return msgspec.json.decode(RATES_FILE.read_bytes(), type=RatesByScript)


def rates_of(probabilities: Float32, label: Int64, arabic: Bool, model: str) -> RatesByScript:
    """Measure rates on labelled rows; 0 is the label of negative ones."""

    def of(script: Bool) -> Rates:
        bad, good = script & (label == 0), script & (label != 0)
        said = probabilities.argmax(axis=1) == 0
        means = said[bad], said[good], probabilities[bad, 0], probabilities[good, 0]
        return Rates(*(round(float(np.mean(each)), 4) for each in means))

    return RatesByScript(model, of(arabic), of(~arabic))


def negative_share(
    probabilities: Float32, arabic: Bool, rates: RatesByScript | None = None
) -> float:
    """Estimate the share of negative mentions in a group.

    Parameters
    ----------
    probabilities : float32[n, 3]
        What the model says of each, in the order of ``LABELS``.
    arabic : bool[n]
        Texts with more Arabic letters than Latin ones.
    rates : RatesByScript, optional
        Those of the model; by default of the one that ships with Nadhir.

    Examples
    --------
    >>> p = np.array([[0.9, 0.05, 0.05]] * 30 + [[0.05, 0.9, 0.05]] * 70, dtype=np.float32)
    >>> round(negative_share(p, np.ones(100, dtype=np.bool_)), 2)
    0.33
    """
    if not len(probabilities):
        return 0.0
    rates = rates or shipped_rates()
    total = 0.0
    for script, rate in ((arabic, rates.arabic), (~arabic, rates.latin)):
        if script.any():
            mean = float(probabilities[script, 0].astype(np.float64).mean())
            total += script.sum() * _adjusted(mean, rate.negative, rate.other)
    return float(total / len(probabilities))


def adjusted_share(negative: int, total: int, languages: Mapping[str, int]) -> float:
    """Estimate the share of negative mentions from how many were labelled so.

    Parameters
    ----------
    languages : mapping of str to int
        Mentions by language, of a sample: ``ar`` has rates of its own.

    Examples
    --------
    >>> [round(adjusted_share(n, 100, {"ar": 50}), 2) for n in (5, 35, 60, 95)]
    [0.0, 0.37, 0.73, 1.0]
    """
    if total <= 0:
        return 0.0
    rates = shipped_rates()
    known = max(sum(languages.values()), 1)
    arabic = languages.get("ar", 0) / known
    hit = arabic * rates.arabic.hit + (1 - arabic) * rates.latin.hit
    false = arabic * rates.arabic.false_alarm + (1 - arabic) * rates.latin.false_alarm
    return _adjusted(negative / total, hit, false)


def _adjusted(mean: float, negative: float, other: float) -> float:
    return min(max((mean - other) / (negative - other), 0.0), 1.0)
