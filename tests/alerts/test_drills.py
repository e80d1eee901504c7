from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import alerts.texts
from alerts.drills import (
    Drill,
    DrillEvent,
    drill_id,
    is_drill,
    marked,
    score,
    sentences,
    shadow,
    watched_brand,
)
from alerts.fusion import AlertSettings, AlertStage
from alerts.texts import load_phrases
from tests.alerts.build import PHRASES, PLAYBOOKS, RIMAL, only_alert, signal

RESPONSE = load_phrases(Path(alerts.texts.__file__).with_name("response.yaml"))
ONSET = 1_000_000
DRILL = Drill(
    id="d",
    brand="rimal-bank",
    scenario="outage",
    seed=1,
    started_ms=0,
    onset_ms=ONSET,
    ends_ms=9**9,
)


def event(what: str, after_s: int, by: str | None = None) -> DrillEvent:
    return DrillEvent(at_ms=ONSET + after_s * 1000, what=what, by=by)  # type: ignore[arg-type]


def test_the_mark_is_the_id_and_everything_that_names_the_brand() -> None:
    told = marked(RIMAL, RESPONSE)
    assert told.id == shadow(RIMAL).id == "rimal-bank~drill"
    assert shadow(RIMAL).names == RIMAL.names  # by which texts are searched
    stage = AlertStage((told,), AlertSettings(), PLAYBOOKS, PHRASES)
    crisis = only_alert(stage.handle([signal(brand="rimal-bank~drill")]))
    assert is_drill(crisis.brand)
    assert watched_brand(crisis.brand) == "rimal-bank"
    assert crisis.title.en.startswith("[DRILL] Rimal Bank")
    assert crisis.title.ar.startswith("[تدريب] بنك رمال")
    holding = [m for m in crisis.playbook.messages if m.kind in ("holding", "internal_briefing")]
    for language, word in (("ar", "تدريب"), ("en", "DRILL")):
        texts = [m.text for m in holding if m.language == language and m.post == 1]
        assert texts
        assert all(word in text for text in texts)


@given(st.text(max_size=20))
def test_a_shadow_leads_back_to_its_brand(brand: str) -> None:
    assert is_drill(drill_id(brand))
    assert watched_brand(drill_id(brand)) == brand


def test_times_count_from_the_onset_and_from_the_step_before() -> None:
    result = score(
        DRILL,
        [
            event("message_sent", 900, "badr"),
            event("acknowledged", 300, "amal"),
            event("opened", 180),
            event("opened", 240),
        ],
    )
    assert result.noticed is not None
    assert result.acknowledged is not None
    assert result.message_sent is not None
    steps = (result.noticed, result.acknowledged, result.message_sent)
    assert [(s.since_onset_s, s.since_before_s, s.by) for s in steps] == [
        (180, 180, None),
        (300, 120, "amal"),
        (900, 720, "badr"),
    ]
    assert [s.en for s in sentences(result, RESPONSE)] == [
        "noticed: 0:03:00 after the crisis began.",
        "acknowledged: 0:05:00 after the crisis began, by amal.",
        "first message: 0:15:00 after the crisis began, by badr.",
    ]


def test_what_came_before_the_crisis_is_no_success() -> None:
    result = score(DRILL, [event("opened", -60), event("acknowledged", -30, "amal")])
    assert (result.noticed, result.acknowledged, result.early) == (None, None, 1)
    assert sentences(result, RESPONSE)[-1].en == "1 alerts came before the crisis began."
    late = score(DRILL, [event("acknowledged", 10, "amal"), event("opened", 60)])
    assert late.noticed is not None
    assert late.acknowledged is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["opened", "acknowledged", "message_sent"]), st.integers(-900, 9000)
        )
    )
)
def test_whatever_happened_in_whatever_order_it_is_scored_alike(
    happened: list[tuple[str, int]],
) -> None:
    events = [event(what, at) for what, at in happened]
    result = score(DRILL, events)
    assert score(DRILL, events[::-1]) == result
    assert sentences(result, RESPONSE)
    steps = [result.noticed, result.acknowledged, result.message_sent]
    for step in steps:
        if step is not None:
            assert step.since_onset_s >= step.since_before_s >= 0
            assert result.noticed is not None
