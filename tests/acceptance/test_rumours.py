"""Simulated rumours through the whole pipeline: named as such, with who said them first."""

from __future__ import annotations

import pytest

from models.records import SIGHTS
from tests.acceptance.scenarios import run


@pytest.mark.parametrize("seed", [1, 3])
def test_a_rumour_is_named_and_its_first_carriers_are_among_those_who_told_it(seed: int) -> None:
    outcome = run("rumour", seed)
    named = [alert for alert in outcome.hits if alert.type == "rumour"]
    assert named
    alert = named[0]
    assert alert.playbook.type == "rumour"
    told = [found for found in alert.narratives if found.kind == "rumour"]
    assert told
    assert told[0].carriers
    assert all(t.score >= 0.5 for t in told)
    # nothing of the days before was taken for a rumour or a group
    quiet = [a for a in outcome.alerts if a not in outcome.hits and a.opened_at < alert.opened_at]
    assert not [a for a in quiet if a.type == "rumour" or a.kind in SIGHTS]
