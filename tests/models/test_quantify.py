"""Shares corrected for the classifier's errors, and what the shipped rates belong to."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.quantify import (
    Rates,
    RatesByScript,
    adjusted_share,
    negative_share,
    rates_of,
    shipped_rates,
)
from models.records import LABELS
from models.sentiment import load
from models.sentiment.features import arabic_texts
from models.text import normalise

SHARP = Rates(hit=0.9, false_alarm=0.1, scale=1.0, bias=0.0)
DULL = Rates(hit=0.6, false_alarm=0.2, scale=0.5, bias=0.4)
RATES = RatesByScript("test", SHARP, DULL)


def test_the_rates_are_those_of_the_model_that_ships() -> None:
    assert shipped_rates().model == load().version


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("arabic", [True, False])
def test_calibrated_probabilities_give_back_the_share(share: float, arabic: bool) -> None:
    """Log-odds that are normal with variances as large as twice their means are calibrated."""
    rng, rate = np.random.default_rng(6), SHARP if arabic else DULL
    bad = rng.random(20_000) < share
    odds = rng.normal(np.where(bad, 1.0, -1.0), np.sqrt(2.0))  # for even shares
    p = 1 / (1 + np.exp(-(odds - rate.bias) / rate.scale))
    rows = np.stack([p, 1 - p, np.zeros_like(p)], axis=1).astype(np.float32)
    got = negative_share(rows, np.full(len(p), arabic), RATES)
    assert got == pytest.approx(share, abs=0.02)


def test_calibration_and_rates_are_measured_by_script() -> None:
    rng = np.random.default_rng(7)
    bad, arabic = rng.random(20_000) < 0.3, rng.random(20_000) < 0.5
    odds = rng.normal(np.where(bad, 1.0, -1.0), np.sqrt(2.0))
    odds = np.where(arabic, odds, (odds - DULL.bias) / DULL.scale)
    p = 1 / (1 + np.exp(-odds))
    rows = np.stack([p, 1 - p, np.zeros_like(p)], axis=1).astype(np.float32)
    rates = rates_of(rows, np.where(bad, 0, 1), arabic, "m")
    assert (rates.arabic.scale, rates.arabic.bias) == pytest.approx((1.0, 0.0), abs=0.08)
    assert (rates.latin.scale, rates.latin.bias) == pytest.approx((0.5, 0.4), abs=0.08)
    assert rates.arabic.hit == pytest.approx(0.76, abs=0.02)  # above even odds


@given(st.integers(0, 500), st.integers(0, 500), st.dictionaries(st.text(), st.integers(0, 99)))
def test_any_count_gives_a_share(negative: int, other: int, languages: dict[str, int]) -> None:
    assert 0 <= adjusted_share(negative, negative + other, languages) <= 1


def test_an_empty_group_has_none() -> None:
    assert negative_share(np.empty((0, 3), np.float32), np.empty(0, np.bool_)) == 0
    assert adjusted_share(0, 0, {}) == 0


def test_groups_of_two_hundred_are_within_four_points(shared_data: Path) -> None:
    """Calibrated on one half of dev, tried on the other."""
    with gzip.open(shared_data / "sentiment" / "dev.jsonl.gz") as lines:
        rows = [msgspec.json.decode(line) for line in lines]
    label = np.array([LABELS.index(row["label"]) for row in rows])
    batch, model = normalise([row["text"] for row in rows]), load()
    p, arabic = model.predict(batch), arabic_texts(batch, model.spec)
    rng = np.random.default_rng(4)
    first = rng.random(len(rows)) < 0.5
    rates = rates_of(p[first], label[first], arabic[first], "half")
    errors = []
    for _ in range(200):
        bad = int(rng.integers(10, 161))
        chosen = np.concatenate(
            [
                rng.choice(np.flatnonzero(~first & (label == 0)), bad),
                rng.choice(np.flatnonzero(~first & (label != 0)), 200 - bad),
            ]
        )
        errors.append(negative_share(p[chosen], arabic[chosen], rates) - bad / 200)
    assert np.abs(errors).mean() <= 0.04
