"""Gates between a signal and an alert: their lines, and sentences that agree with them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.gates import GateSettings, judge, ratio_of
from alerts.records import Gate
from models.records import Sensitivity, Signal
from tests.alerts.build import PHRASES, praise, signal

NAMES = ["surprise", "mentions", "lift", "authors", "tone"]


def gates_of(given_: Signal, **settings: Any) -> dict[str, Gate]:
    return {g.name: g for g in judge(given_, GateSettings(**settings), PHRASES)}


def failed(given_: Signal, **settings: Any) -> list[str]:
    return [name for name, gate in gates_of(given_, **settings).items() if not gate.passed]


def test_order_and_a_plain_pass() -> None:
    assert list(gates_of(signal())) == NAMES
    assert failed(signal()) == []


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"surprise": 6.499}, "surprise"),
        ({"negative": 6}, "mentions"),
        ({"observed": 6, "expected": 3.4}, "lift"),
        ({"authors": 4}, "authors"),
        ({"total": 1300}, "tone"),
    ],
)
def test_each_gate_refuses_alone(change: dict[str, Any], gate: str) -> None:
    fine = {"observed": 214, "negative": 214, "total": 268, "surprise": 20.0} | change
    assert gate in failed(signal(**fine))
    assert set(failed(signal(**fine))) <= {gate, "tone" if gate == "mentions" else gate}


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"surprise": 6.5}, "surprise"),
        ({"negative": 7, "total": 8}, "mentions"),
        ({"observed": 20, "expected": 10.0}, "lift"),
        ({"authors": 5}, "authors"),
        ({"window_min": 60, "negative": 214, "total": 764, "usual_negative_share": 0.2551}, "tone"),
    ],
)
def test_the_line_itself_passes(change: dict[str, Any], gate: str) -> None:
    assert gates_of(signal(**change))[gate].passed


@pytest.mark.parametrize(
    ("sensitivity", "lift", "authors"),
    [("sensitive", 1.5, 3), ("balanced", 2, 5), ("strict", 3, 8)],
)
def test_sensitivity(sensitivity: Sensitivity, lift: float, authors: int) -> None:
    gates = gates_of(signal(), sensitivity=sensitivity)
    assert (gates["lift"].needed, gates["authors"].needed) == (lift, authors)


@pytest.mark.parametrize(
    ("kind", "least", "needed"),
    [("volume", 15, 15), ("volume", 40, 40), ("negative_count", 15, 7), ("negative_share", 4, 5)],
)
def test_minimum_of_mentions(kind: str, least: int, needed: int) -> None:
    assert gates_of(signal(kind), min_mentions=least)["mentions"].needed == needed


def test_a_bounded_share_is_not_asked_to_triple() -> None:
    gates = gates_of(signal("negative_share", usual_negative_share=0.4), sensitivity="strict")
    assert gates["lift"].needed == 1.75


LOUD: dict[str, Any] = {
    "window_min": 60,
    "observed": 400,
    "expected": 20.0,
    "negative": 72,
    "usual_negative_share": 0.18,
}


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({"expected": 20.0}, 0.205),  # twenty times the usual: a quarter of the harm
        ({"expected": 60.0}, 0.23),  # almost seven times: half of it
        ({"expected": 110.0}, 0.28),  # less: all of it
        ({"expected": 110.0, "window_min": 1440}, 0.23),  # but over a day half of it
        ({"expected": 20.0, "window_min": 5}, 0.28),  # and over minutes all of it
    ],
)
def test_the_louder_the_less_harm_is_needed(change: dict[str, Any], needed: float) -> None:
    tone = gates_of(signal("volume", **LOUD | change))["tone"]
    assert (tone.needed, tone.passed) == (needed, False)
    enough = {"negative": round(400 * needed) + 1}
    assert gates_of(signal("volume", **LOUD | change | enough))["tone"].passed


def test_a_rise_that_lasts_a_day_may_be_lower() -> None:
    day = gates_of(signal("volume", **LOUD | {"window_min": 1440}))
    assert day["lift"].needed == 1.5


def test_tone_sentence_fits_a_share_that_is_merely_usual() -> None:
    sentence = gates_of(signal("volume", **LOUD))["tone"].sentence
    assert sentence.en.startswith("18% are negative; 18% is usual. For a rise of this size 2")
    assert "ثناء" in sentence.ar
    assert "neither" not in sentence.en


@pytest.mark.parametrize(
    ("sensitivity", "often_h", "passes"),
    [
        ("sensitive", 71.9, False),
        ("sensitive", 72.0, True),
        ("balanced", 335.9, False),
        ("balanced", 336.0, True),
        ("strict", 1439.0, False),
        ("strict", 1440.0, True),
    ],
)
def test_a_brand_that_often_rises_so_far(
    sensitivity: Sensitivity, often_h: float, passes: bool
) -> None:
    gates = gates_of(signal(return_h=often_h), sensitivity=sensitivity)
    assert gates["rarity"].passed == passes
    assert list(gates) == [NAMES[0], "rarity", *NAMES[1:]]


def test_rarity_is_said_in_days_and_never_beyond_two_years() -> None:
    assert "once in 13 days, which" in gates_of(signal(return_h=335.9))["rarity"].sentence.en
    sentence = gates_of(signal(return_h=1e30))["rarity"].sentence
    assert "once in 730 days or more; the alert line is once in 14 days" in sentence.en
    assert "مرة كل 730 يومًا أو أكثر" in sentence.ar


def test_praise_fails_by_its_tone() -> None:
    assert failed(praise()) == ["tone"]


def test_sentences_of_a_near_miss_do_not_contradict() -> None:
    near = gates_of(signal(observed=196, expected=100.0, surprise=6.4999))
    assert "1.96 times the usual, below the minimum: twice" in near["lift"].sentence.en
    assert near["surprise"].sentence.en.count("3.2 million") < 2


@given(
    kind=st.sampled_from(["volume", "negative_count", "negative_share"]),
    observed=st.integers(0, 3_000),
    expected=st.floats(0.0, 500.0),
    surprise=st.floats(0.0, 40.0),
    total=st.integers(0, 4_000),
    usual=st.floats(0.0, 1.0),
    authors=st.integers(0, 3_000),
    sensitivity=st.sampled_from(["sensitive", "balanced", "strict"]),
)
def test_what_is_recorded_decides(
    kind: str,
    observed: int,
    expected: float,
    surprise: float,
    total: int,
    usual: float,
    authors: int,
    sensitivity: Sensitivity,
) -> None:
    negative = min(observed, total)
    given_ = signal(
        kind,
        observed=observed,
        total=total,
        negative=negative,
        usual_negative_share=usual,
        authors=authors,
    )
    for gate in gates_of(_with(given_, expected, surprise), sensitivity=sensitivity).values():
        assert gate.passed == (gate.observed >= gate.needed)
        assert gate.sentence.ar
        assert gate.sentence.en


def _with(given_: Signal, expected: float, surprise: float) -> Signal:
    return replace(given_, expected=round(expected, 3), surprise=round(surprise, 3))


def test_ratio_of_nothing_expected_is_finite() -> None:
    assert ratio_of(_with(signal(observed=5), 0.0, 9.0)) == 500.0
