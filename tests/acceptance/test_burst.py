"""The labelled burst, a real one: found among others, in Arabic, and though it tries to escape.

One seed of what ``python -m benchmarks.quality coordination`` measures with several.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import campaigns, coordination
from benchmarks.quality.coordination import _Data

SEED = 7
SEEN_THROUGH = (
    "20 % of words changed",
    "times moved by up to 30 minutes",
    "letters of other alphabets",
    "tatweel and invisible characters",
)


@pytest.fixture(scope="module")
def data(shared_data: Path) -> _Data:
    return coordination._read(shared_data)


def thinned(data: _Data, ratio: int) -> campaigns.Campaign:
    return coordination._thinned(data, data.burst, data.english, ratio, timedelta(0), SEED)


def is_found(campaign: campaigns.Campaign) -> None:
    told = campaigns.outcome(campaign)
    assert told.recall >= 0.9
    assert told.precision >= 0.9


@pytest.mark.parametrize("ratio", [1, 5, 20])
def test_it_is_found_among_others(data: _Data, ratio: int) -> None:
    is_found(thinned(data, ratio))


@pytest.mark.parametrize("ratio", [0, 5])
def test_it_is_found_in_arabic(data: _Data, ratio: int) -> None:
    is_found(coordination._arabic_burst(data, ratio, SEED))


@pytest.mark.parametrize("change", SEEN_THROUGH)
def test_what_changes_little_does_not_hide_it(data: _Data, change: str) -> None:
    words = campaigns.Words(campaigns.vocabulary(data.english), campaigns.vocabulary(data.arabic))
    rng = np.random.default_rng(SEED)
    changed = campaigns.EVASIONS[change]
    is_found(campaigns.evading(thinned(data, 1), changed, rng, words))
