r"""How many of a group are negative: shares corrected for what the classifier gets wrong.

Counting labels misses negative mentions and takes others for negative ones; so a low share is told
too high and a high one too low.  Two corrections:

`negative_share` looks for the share that makes the probabilities of a group likeliest (expectation
and maximisation in turn; Saerens, Latinne & Decaestecker, *Neural Computation* 14, 2002), after
they were calibrated for groups of which half are negative (Platt, 1999, for each script): without
that it is worse than counting, since the model is not calibrated for talk to come.

`adjusted_share` has only counts to go by and takes the rates of errors out: of a share :math:`q`
labelled negative the true one is about :math:`(q - f) / (t - f)` with the rates :math:`t` among
negative and :math:`f` among other mentions (Forman, *Data Min. Knowl. Discov.* 17, 2008).

Rates and calibration were measured on labelled rows (``sentiment_rates.json``); talk of another
kind has others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from scipy import optimize
from scipy.special import expit, logit

from models.records import Bool, Float32, Float64, Int64

RATES_FILE = Path(__file__).parent / "artifacts" / "sentiment_rates.json"
_ROUNDS = 200
_LEAST = 1e-4


class Rates(msgspec.Struct, frozen=True):
    """Errors of a model in one script.

    ``hit`` and ``false_alarm`` are the shares of negative and of other mentions that are labelled
    negative; ``scale`` and ``bias`` calibrate the log-odds of negative for even shares.
    """

    hit: float
    false_alarm: float
    scale: float
    bias: float


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
        bad = label[script] == 0
        said = probabilities[script].argmax(axis=1) == 0
        figures = said[bad].mean(), said[~bad].mean(), *_platt(probabilities[script, 0], bad)
        return Rates(*(round(float(each), 4) for each in figures))

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
    0.31
    """
    if not len(probabilities):
        return 0.0
    rates = rates or shipped_rates()
    scale, bias = (
        np.where(arabic, getattr(rates.arabic, name), getattr(rates.latin, name))
        for name in ("scale", "bias")
    )
    odds = scale * _log_odds(probabilities[:, 0]) + bias
    share = 0.5
    for _ in range(_ROUNDS):
        before = share
        share = float(expit(odds + logit(share)).mean())
        share = min(max(share, _LEAST), 1 - _LEAST)
        if abs(share - before) < _LEAST / 10:
            break
    return share


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
    return min(max((negative / total - false) / (hit - false), 0.0), 1.0)


def _log_odds(p: Float32) -> Float64:
    result: Float64 = logit(np.clip(p.astype(np.float64), 1e-6, 1 - 1e-6))
    return result


def _platt(p: Float32, bad: Bool) -> tuple[float, float]:
    """Scale and bias of the log-odds, by log-loss with both classes alike."""
    odds = _log_odds(p)
    weight = np.where(bad, 0.5 / max(bad.sum(), 1), 0.5 / max((~bad).sum(), 1))

    def loss(theta: Float64) -> float:
        z = theta[0] * odds + theta[1]
        return float((weight * (np.logaddexp(0, z) - bad * z)).sum())

    found = optimize.minimize(loss, np.array([1.0, 0.0]), bounds=((0.1, 5.0), (-5.0, 5.0)))
    return float(found.x[0]), float(found.x[1])
