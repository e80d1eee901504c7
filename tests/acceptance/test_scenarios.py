"""Simulated crises are found and quiet streams stay quiet enough, over 20 seeds each.

Twenty runs of twelve days are eight brand-months; the bound is one false alarm a brand and month.
The figures themselves are printed, and stand in docs/quality.md.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.scenarios import FOUND, QUIET, row, run

Recorder = Callable[[str, object], None]

SEEDS = range(20)
BRAND_MONTHS = 8


@pytest.mark.parametrize("scenario", QUIET)
def test_a_quiet_stream_raises_no_alarm(scenario: str, record_property: Recorder) -> None:
    outcomes = [run(scenario, seed) for seed in SEEDS]
    record_property("scenario", row(outcomes))
    false = {o.seed: [a.title.en for a in o.alerts] for o in outcomes if o.alerts}
    assert sum(map(len, false.values())) <= BRAND_MONTHS, false


@pytest.mark.parametrize("scenario", FOUND)
def test_a_crisis_is_found(scenario: str, record_property: Recorder) -> None:
    outcomes = [run(scenario, seed) for seed in SEEDS]
    record_property("scenario", row(outcomes))
    missed = [o.seed for o in outcomes if not o.hits]
    assert len(missed) <= (0 if scenario == "outage" else 2), missed
    expected = {*outcomes[0].truth["expected"], "volume_spike"}
    assert {o.hits[0].type for o in outcomes if o.hits} <= expected
    assert sum(len(o.alerts) - len(o.hits) for o in outcomes) <= BRAND_MONTHS
