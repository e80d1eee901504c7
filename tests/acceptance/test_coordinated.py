"""Simulated campaigns through the whole pipeline: named as such, with who took part."""

from __future__ import annotations

import pytest

from tests.acceptance.scenarios import run


@pytest.mark.parametrize("seed", range(6))
def test_a_campaign_is_told_from_people_who_are_angry(seed: int) -> None:
    outcome = run("coordinated_attack", seed)
    true = {account["id"] for account in outcome.truth["coordinated"]["accounts"]}
    (alert, *_) = outcome.hits
    assert alert.type == "coordinated_criticism"
    assert alert.coordinated_share is not None
    assert alert.coordinated_share >= 0.5
    assert alert.explanation.split is not None
    group = alert.groups[0]
    assert group.kind == "coordination"
    named = set(group.accounts)
    assert len(named & true) >= 0.8 * len(true)
    assert len(named & true) >= 0.9 * len(named)


@pytest.mark.parametrize("seed", range(2))
def test_people_who_are_angry_are_no_campaign(seed: int) -> None:
    for alert in run("outage", seed).hits:
        assert alert.type != "coordinated_criticism"
        assert (alert.coordinated_share or 0.0) < 0.1
