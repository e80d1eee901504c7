from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from alerts.lifecycle import (
    ACTS,
    ON_ACT,
    ON_SIGNAL,
    STATES,
    Act,
    Lifecycle,
    Refused,
    acted,
    suppressed,
    told,
)
from alerts.records import Happened

HOUR = 3_600_000


def test_every_piece_of_news_has_its_place_in_the_table() -> None:
    later = [event for event in get_args(Happened) if event != "opened"]
    assert ON_SIGNAL.keys() == {(None, "opened"), *product(STATES, later)}


@pytest.mark.parametrize(("state", "act"), list(product(STATES, ACTS)))
def test_an_act_is_in_the_table_or_refused(state: Lifecycle, act: Act) -> None:
    if (state, act) in ON_ACT:
        assert acted(state, act).to != state
    else:
        with pytest.raises(Refused, match=f"{act} does not apply to an alert that is {state}"):
            acted(state, act)


def test_from_every_state_people_reach_every_other() -> None:
    for start in STATES:
        reached = {start}
        while more := {s.to for (at, _), s in ON_ACT.items() if at in reached} - reached:
            reached |= more
        assert reached == set(STATES)


@pytest.mark.parametrize("state", STATES)
def test_a_rise_always_calls_somebody(state: Lifecycle) -> None:
    step = told(state, ["raised"])
    assert (step.to, step.pages) == ("open", True)


@pytest.mark.parametrize(
    ("state", "news", "to", "why"),
    [
        (None, ["opened", "raised"], "open", "opened"),
        (None, ["raised"], "open", "opened"),
        (None, ["opened", "raised", "resolved"], "resolved", "resolved"),
        ("acknowledged", ["retyped", "raised"], "open", "raised"),
        ("acknowledged", ["retyped"], "acknowledged", "retyped"),
        ("acknowledged", ["reopened"], "acknowledged", None),
        ("resolved", ["resolved"], "resolved", None),
        ("resolved", ["reopened", "raised"], "open", "reopened"),
        ("open", ["raised", "resolved"], "resolved", "resolved"),
        ("open", ["opened"], "open", None),
    ],
)
def test_news_in_a_row(
    state: Lifecycle | None, news: list[Happened], to: str, why: str | None
) -> None:
    step = told(state, news)
    assert (step.to, step.why) == (to, why)


def test_an_unknown_alert_without_news_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="needs news"):
        told(None, [])


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, []),
        ({"silences": ["s1", "s2"]}, ["silenced", "silenced"]),
        ({"greater": "a-1"}, ["inhibited"]),
        ({"greater": "a-1", "severity": "critical"}, []),
        ({"greater": "a-1", "state": "resolved"}, []),
        ({"state": "resolved", "resolved_ms": 0}, ["cooldown"]),
        ({"state": "resolved", "resolved_ms": -HOUR}, []),
        ({"drill": True, "silences": ["s1"]}, ["silenced", "drill"]),
    ],
)
def test_suppression_is_derived(changes: dict[str, object], reasons: list[str]) -> None:
    facts: dict[str, object] = {
        "state": "open", "severity": "warning", "drill": False, "silences": [], "greater": None,
        "resolved_ms": None, "cooldown_ms": HOUR, "now_ms": 0,
    }  # fmt: skip
    assert [s.reason for s in suppressed(**(facts | changes))] == reasons  # type: ignore[arg-type]
