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
from models.sentiment.features import chunks
from models.text import normalise

DEV = Path(__file__).parents[2] / ".." / "shared" / "data" / "sentiment" / "dev.jsonl.gz"
SHARP = Rates(hit=0.9, false_alarm=0.1, negative=0.8, other=0.1)
DULL = Rates(hit=0.6, false_alarm=0.2, negative=0.5, other=0.25)
RATES = RatesByScript("test", SHARP, DULL)


def test_the_rates_are_those_of_the_model_that_ships() -> None:
    assert shipped_rates().model == load().version


@given(st.floats(0, 1), st.booleans(), st.integers(1, 400))
def test_expected_probabilities_give_back_the_share(share: float, arabic: bool, n: int) -> None:
    rate = SHARP if arabic else DULL
    mean = share * rate.negative + (1 - share) * rate.other
    p = np.tile(np.array([mean, 1 - mean, 0], dtype=np.float32), (n, 1))
    got = negative_share(p, np.full(n, arabic), RATES)
    assert got == pytest.approx(share, abs=1e-5)


def test_scripts_are_corrected_apart() -> None:
    p = np.array([[0.8, 0.1, 0.1]] * 10 + [[0.25, 0.7, 0.05]] * 30, dtype=np.float32)
    arabic = np.arange(40) < 10
    assert negative_share(p, arabic, RATES) == pytest.approx(0.25)


def test_rates_are_measured_by_script() -> None:
    p = np.array([[0.9, 0.1, 0], [0.3, 0.7, 0], [0.1, 0.9, 0], [0.6, 0.4, 0]], dtype=np.float32)
    rates = rates_of(p, np.array([0, 0, 1, 2]), np.array([True, False, True, False]), "m")
    assert rates.arabic == Rates(1.0, 0.0, 0.9, 0.1)
    assert rates.latin == Rates(0.0, 1.0, 0.3, 0.6)


@given(st.integers(0, 500), st.integers(0, 500), st.dictionaries(st.text(), st.integers(0, 99)))
def test_any_count_gives_a_share(negative: int, other: int, languages: dict[str, int]) -> None:
    assert 0 <= adjusted_share(negative, negative + other, languages) <= 1


def test_an_empty_group_has_none() -> None:
    assert negative_share(np.empty((0, 3), np.float32), np.empty(0, np.bool_)) == 0
    assert adjusted_share(0, 0, {}) == 0


@pytest.mark.skipif(not DEV.exists(), reason="needs ../shared/data/sentiment")
def test_groups_of_two_hundred_are_within_four_points() -> None:
    """Rates of one half of dev, tried on the other."""
    with gzip.open(DEV) as lines:
        rows = [msgspec.json.decode(line) for line in lines]
    label = np.array([LABELS.index(row["label"]) for row in rows])
    batch, model = normalise([row["text"] for row in rows]), load()
    p, arabic = model.predict(batch), np.zeros(len(rows), dtype=np.bool_)
    for chunk in chunks(batch, model.spec):
        arabic[chunk.first : chunk.first + len(chunk.lengths)] = chunk.arabic
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
