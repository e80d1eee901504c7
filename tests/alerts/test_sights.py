"""Alerts of what is seen though no figure rises: gates, type, words, and how they join others."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from alerts.records import Alert
from alerts.show import render_page
from alerts.show.chart import chart_of
from models.records import (
    COORDINATION,
    RUMOUR,
    Advocate,
    Bar,
    Defence,
    NarrativeText,
    Signal,
)
from tests.alerts.build import MINUTE, START, only_alert, signal, stage
from tests.alerts.test_narratives import RUMOUR as FOUND
from tests.alerts.test_show_groups import HOSTILE, group

ARABIC = re.compile("[\u0600-\u06ff]")
BARS = tuple(
    Bar(start_ms=START + (i - 18) * 10 * MINUTE, mentions=10 + i, coordinated=i // 3)
    for i in range(18)
)


def rumour(minute: int = 0, phase: Any = "fired", **more: Any) -> Signal:
    """An hour of 70 mentions, 60 are usual, in which a claim spreads."""
    fields: dict[str, Any] = {
        "observed": 70, "expected": 60.0, "total": 70, "negative": 20, "usual_negative_share": 0.2,
        "window_min": 60, "surprise": 0.0, "line": 0.0, "threshold": 0, "score": 0.91,
        "authors": 97, "narratives": (FOUND,), "told_share": 0.4, "told_negative": 0.5,
        "topics": {}, "bars": BARS,
    }  # fmt: skip
    return signal(RUMOUR, phase, minute=minute, **(fields | more))


def puppets(minute: int = 0, phase: Any = "fired", **more: Any) -> Signal:
    """The same hour, in which a group criticises."""
    held = msgspec.structs.replace(group(10), mentions=tuple(f"p{i}" for i in range(20)))
    fields = {"narratives": (), "groups": (held,), "authors": 10, "coordinated_share": 0.4}
    seen = rumour(minute, phase, **(fields | more))
    return msgspec.structs.replace(seen, kind=COORDINATION, id=f"s-c-{minute}-{phase}")


def opened(*signals: Signal, **settings: int) -> Alert:
    return only_alert(stage(**settings).handle(signals))


@pytest.mark.parametrize(("seen", "type_"), [(rumour(), "rumour"), (puppets(), "coordinated")])
def test_what_is_seen_opens_an_alert_of_its_type(seen: Signal, type_: str) -> None:
    alert = opened(seen)
    assert alert.type.startswith(type_)
    assert alert.kind == seen.kind
    assert alert.playbook.type == alert.type
    told = alert.explanation
    assert all(gate.passed for gate in told.gates)
    assert len(told.would_have_stopped_it) == len(told.gates) == 4
    assert "not about a rise" in told.expected.en
    assert told.split is None
    for said in (alert.title, told.observed, told.expected, *told.would_have_stopped_it):
        assert ARABIC.search(said.ar)
        assert not ARABIC.search(said.en.replace("رمال", ""))
    # ordinary talk in number: the score says so
    assert alert.severity == "watch"
    assert round(sum(p.points for p in told.parts)) == alert.score


def test_a_rumour_shows_its_first_carriers() -> None:
    alert = opened(rumour())
    assert "@first (followers: 1,200)" in alert.explanation.narratives[0].en
    assert "103 mentions from about 97 accounts" in alert.title.en
    assert "40% of what was said" in alert.explanation.observed.en


def test_a_rumour_that_people_ask_after_is_told_so() -> None:
    asked = msgspec.structs.replace(FOUND, claims=0, questions=16)
    alert = opened(rumour(narratives=(asked,)))
    told = alert.explanation.observed
    assert told.en.startswith("People ask whether a claim is true: 103 mentions")
    assert told.ar.startswith("يسأل الناس عن صحة معلومة: 103 إشارات")
    passed_on = opened(rumour()).explanation.observed
    assert passed_on.en.startswith("A claim is passed on in 103 mentions")
    assert "possible rumour" in alert.title.en
    assert "شائعة محتملة" in alert.title.ar


@pytest.mark.parametrize(
    ("seen", "gate"),
    [
        (rumour(score=0.49), "sure"),
        (rumour(narratives=(msgspec.structs.replace(FOUND, mentions=14),)), "mentions"),
        (rumour(authors=4), "authors"),
        (rumour(told_negative=0.19), "harm"),
        (puppets(score=0.59), "sure"),
        (puppets(groups=(group(10),)), "mentions"),
        (puppets(told_negative=0.49), "harm"),
    ],
)
def test_each_gate_refuses_and_says_why(seen: Signal, gate: str) -> None:
    outcome = stage().handle([seen])
    assert not outcome.cases
    (decision,) = outcome.decisions
    assert (decision.outcome, decision.reason) == ("not_alerted", gate)
    assert ARABIC.search(decision.sentence.ar)


def test_a_rumour_joins_the_open_alert_and_makes_its_type_more_specific() -> None:
    running = stage()
    first = only_alert(running.handle([signal(minute=0, topics={})]))
    joined = only_alert(running.handle([rumour(10)]))
    assert joined.id == first.id
    assert (first.type, joined.type) == ("negativity_spike", "rumour")
    assert [e.event for e in joined.timeline][-1] == "retyped"
    # the figures stay those of the rise
    assert (joined.kind, joined.observed) == (first.kind, first.observed)
    assert joined.narratives[0].id == FOUND.id
    assert joined.explanation.narratives
    later = only_alert(running.handle([signal(minute=20, observed=400, topics={})]))
    assert later.type == "rumour"
    assert later.narratives[0].id == FOUND.id


def test_who_said_it_first_stays_first() -> None:
    late = msgspec.structs.replace(
        FOUND.carriers[0], account="99", published_ms=START + 9, mention="9"
    )
    again = msgspec.structs.replace(
        FOUND, id="n-2", terms=("merger", "اندماج", "board"), carriers=(late,), first_ms=START + 9
    )
    first = msgspec.structs.replace(FOUND, terms=again.terms)
    running = stage()
    running.handle([signal(minute=0, topics={}, observed=40), rumour(1, narratives=(first,))])
    other = msgspec.structs.replace(again, id="n-3", terms=("price",), mentions=5)
    alert = only_alert(
        running.handle([signal(minute=9, topics={}, observed=400, narratives=(again, other))])
    )
    assert [n.id for n in alert.narratives] == ["n-1", "n-3"]
    assert [c.account for c in alert.narratives[0].carriers] == ["17", "99"]
    assert alert.narratives[0].first_ms == FOUND.first_ms


def test_counts_of_a_sample_are_told_as_such() -> None:
    alert = opened(rumour(narratives=(msgspec.structs.replace(FOUND, sampled_h=3.0),)))
    said = alert.explanation.narratives[0]
    assert "of the posts that are kept of the latest 3 hours" in said.en
    assert "3 ساعات" in said.ar
    assert "day before" not in said.en


def test_a_small_rumour_in_a_large_outage_is_shown_and_names_nothing() -> None:
    running = stage()
    running.handle([signal(minute=0)])
    alert = only_alert(running.handle([rumour(10, told_share=0.1)]))
    assert alert.type == "service_outage"
    assert alert.narratives[0].kind == RUMOUR


def test_who_criticises_is_told_by_the_figures_where_these_rose() -> None:
    running = stage()
    running.handle([signal(minute=0, topics={}, coordinated_share=0.1)])
    alert = only_alert(running.handle([puppets(10)]))
    assert alert.type == "negativity_spike"
    assert alert.groups[0].id == "g-1"


def test_a_campaign_with_a_claim_is_one_of_coordinated_criticism() -> None:
    assert opened(rumour(), puppets(5)).type == "coordinated_criticism"
    assert opened(puppets(), rumour(5)).type == "coordinated_criticism"


def test_going_on_keeps_an_alert_open() -> None:
    running = stage()
    running.handle([rumour(), rumour(50, "update")])
    assert only_alert(running.advance(START + 150 * MINUTE)).state == "resolved"
    running = stage()
    running.handle([rumour(), rumour(50, "update")])
    assert not running.advance(START + 100 * MINUTE).cases


def test_the_page_shows_narratives_and_one_chart_and_no_harm() -> None:
    hostile = msgspec.structs.replace(
        FOUND, texts=(NarrativeText(id="1", text=HOSTILE, times=3),), terms=(HOSTILE,)
    )
    page = render_page([opened(rumour(narratives=(hostile,)))], {})
    assert "What is being said" in page
    assert "ما الذي يُقال" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "said in these words: 3" in page
    assert page.count('<figure class="chart">') == 1
    drawn = [float(h) for h in re.findall(r'<rect class="own"[^>]* height="([\d.]+)"', page)]
    assert len(drawn) == 18
    assert drawn[-1] == max(drawn) > 0
    assert "everybody else" in page


def test_who_stands_by_the_brand_is_told() -> None:
    advocate = Advocate(
        account="7", platform="x", handle="ally\u202e", followers=3, days=5, supportive=9,
        positive_share=1.0, answers=0, first_ms=START, last_ms=START,
    )  # fmt: skip
    defence = Defence(threads=40, answered=10, active=7, advocates=(advocate,))
    alert = opened(signal(topics={}, defence=defence))
    said = alert.explanation.defence
    assert said is not None
    assert "7 accounts" in said.en
    assert "ally" in said.en
    assert "\u202e" not in msgspec.json.encode(alert).decode()
    assert "10 of 40 critical threads (25%)" in said.en
    assert "40" in said.ar
    page = render_page([alert], {})
    assert "Who stands by the brand" in page
    silent = opened(
        signal(topics={}, defence=Defence(threads=0, answered=0, active=0, advocates=()))
    )
    assert silent.explanation.defence is not None
    assert "None of those" in silent.explanation.defence.en
    assert opened(signal(topics={})).explanation.defence is None


def test_bars_are_as_high_as_their_counts() -> None:
    chart = chart_of(BARS)
    assert chart is not None
    for bar, drawn in zip(BARS, chart.bars):
        whole = drawn.own_height + drawn.other_height
        assert whole == pytest.approx(120 * bar.mentions / 27, abs=0.02)
        assert drawn.own_height == pytest.approx(120 * bar.coordinated / 27, abs=0.02)
        assert drawn.top + whole == pytest.approx(130, abs=0.02)
    assert chart_of([]) is None
    assert chart_of([Bar(start_ms=0, mentions=0, coordinated=0)]) is None
