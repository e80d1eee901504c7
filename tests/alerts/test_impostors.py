"""Impostors are cases of their own: alert, arithmetic, explanation, life."""

from __future__ import annotations

from math import floor

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from alerts.fusion import Case
from alerts.imitation import difference, explain_reasons
from alerts.impostors import WEIGHTS as SHARES
from alerts.show import print_alert, render_page
from models.impersonation import impostor as accounts
from models.impersonation import intent, links
from models.impersonation.findings import Reason, score_of
from models.impersonation.suspects import BLOCKED
from models.records import Impostor
from tests.alerts.build import MINUTE, NAMES, PHRASES, RIMAL, START, signal, stage
from tests.alerts.impostor_signals import domain, impostor, sighted

CODES = sorted({*accounts.WEIGHTS, *links.WEIGHTS, *intent.WEIGHTS, BLOCKED})
HOUR, DAY = 60, 24 * 60


def test_a_crisis_and_two_impostors_are_three_alerts() -> None:
    running = stage()
    told = running.handle([signal(minute=1), sighted(), sighted(domain())])
    alerts = [case.alert for case in told.cases.values()]
    assert sorted(a.type for a in alerts) == ["impersonation", "phishing", "service_outage"]
    assert len({a.id for a in alerts}) == 3
    assert [d.outcome for d in told.decisions] == ["opened"] * 3
    more = running.handle([sighted(impostor(sightings=30, last_day=30), "update", 30)])
    (case,) = more.cases.values()
    assert case.alert.subject == impostor().id
    assert case.alert.observed == 30


def test_the_score_can_be_recomputed() -> None:
    for weights in SHARES.values():
        assert sum(weights.values()) == 100
    for who in (impostor(), domain(), impostor(likeness=9.0, intent=1.5, victims=10**6)):
        (case,) = stage().handle([sighted(who)]).cases.values()
        parts = case.alert.explanation.parts
        assert case.alert.score == floor(round(sum(p.points for p in parts), 2) + 0.5)
        assert all(p.points == round(p.weight * p.value, 2) for p in parts)


def test_more_victims_make_it_worse_and_it_never_falls() -> None:
    running = stage()
    scores = []
    for minute, victims in enumerate((0, 4, 60, 2)):
        who = impostor(victims=victims, complained=victims // 2)
        phase = "update" if minute else "fired"
        (case,) = running.handle([sighted(who, phase, 10 + minute)]).cases.values()
        scores.append(case.alert.score)
    assert scores[0] < scores[1] < scores[2] == scores[3]


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({"likeness": 0.4, "score": 0.9}, "likeness"),
        ({"likeness": 1.5, "intents": (), "complained": 0}, "likeness_alone"),
        ({"score": 0.49}, "certainty"),
    ],
)
def test_what_is_not_sure_enough_leaves_a_decision(changes: dict[str, float], gate: str) -> None:
    told = stage().handle([sighted(impostor(**changes), "weak")])
    assert not told.cases
    (decision,) = told.decisions
    assert (decision.outcome, decision.reason) == ("not_alerted", gate)
    assert "No alert" in decision.sentence.en


@pytest.mark.parametrize("code", CODES)
def test_every_reason_has_words(code: str) -> None:
    (said,) = explain_reasons([Reason(code, 0.7, "rima1bank")], RIMAL, PHRASES)
    assert "+0.7" in said.ar
    assert "+0.7 points" in said.en
    if code in intent.WEIGHTS:
        assert PHRASES.say(f"impostors.asks.{code}").en


def test_the_difference_to_the_official_spelling_is_told() -> None:
    (said,) = explain_reasons([Reason("handle_homoglyph", 1.5, "rima1bank")], RIMAL, PHRASES)
    assert "1\u2069 in place of 'l'" in said.en
    assert "مكان «l»" in said.ar
    (said,) = explain_reasons([Reason("typo", 1.3, "rimаlbank")], RIMAL, PHRASES)
    assert "U+0430" in said.en
    assert difference("rimalbankk", ["rimalbank"]) == [("added", "k", "")]
    assert difference("completely-else", ["rimalbank"]) == []


def test_it_stays_open_for_a_week_and_is_forgotten_after_the_cooldown() -> None:
    running = stage()
    (first,) = running.handle([sighted()]).cases.values()
    assert not running.advance(START + 6 * DAY * MINUTE).cases
    (ended,) = running.advance(START + 7 * DAY * MINUTE + HOUR * MINUTE).cases.values()
    assert ended.alert.state == "resolved"
    (again,) = running.handle([sighted(phase="update", minute=7 * DAY + HOUR)]).cases.values()
    assert (again.alert.id, again.alert.state) == (first.alert.id, "open")
    over = running.advance(START + 15 * DAY * MINUTE)
    assert over.forgotten == [("rimal-bank", impostor().id)]
    (new,) = running.handle([sighted(phase="update", minute=16 * DAY)]).cases.values()
    assert new.alert.id != first.alert.id


def test_a_restart_goes_on_with_every_case() -> None:
    before = stage()
    cases = before.handle([signal(minute=1), sighted(), sighted(domain())]).cases.values()
    after = stage()
    stored = [msgspec.json.decode(msgspec.json.encode(c), type=Case) for c in cases]
    after.restore(stored)
    more = [sighted(impostor(victims=50), "update", 40), sighted(domain(), "update", 41)]
    assert after.handle(more) == before.handle(more)


def test_the_playbook_names_the_suspect_to_responders_alone() -> None:
    (case,) = stage().handle([sighted(domain())]).cases.values()
    book = case.alert.playbook
    assert book.type == "phishing"
    broken = "rimalbank-login[.]example"
    internal = [m for m in book.messages if m.kind == "internal_briefing"]
    assert all(broken in m.text for m in internal)
    public = [m.text for m in book.messages if m.kind in ("holding", "reply", "direct_message")]
    assert not any("rimalbank-login" in text for text in public)


HOSTILE = st.text(max_size=60) | st.sampled_from(
    [
        "\u202eevil",
        "<script>alert(1)</script>",
        "{brand}",
        "{{ x }}",
        "\x1b[31m",
        "@a",
        "http://a.b",
    ]
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_text_raises_or_steers_what_shows_it(handle: str, name: str, what: str) -> None:
    who = impostor(
        handle=handle,
        name=name,
        urls=(what,),
        earlier_handles=(what,),
        reasons=(Reason("handle_homoglyph", 1.5, what), Reason("typo", 1.0, handle)),
    )
    (case,) = stage().handle([sighted(who)]).cases.values()
    page = render_page([case.alert], NAMES)
    assert "<script" not in page
    console = Console(file=open("/dev/null", "w"), width=80)  # noqa: SIM115
    with console.file:
        print_alert(case.alert, console)
    said = case.alert.title.en + case.alert.explanation.observed.en
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_what_is_shown_cannot_be_clicked() -> None:
    who: Impostor = domain(urls=("https://rimalbank-login.example/verify",))
    (case,) = stage().handle([sighted(who)]).cases.values()
    page = render_page([case.alert], NAMES)
    assert "hxxps://rimalbank-login[.]example/verify" in page
    assert "https://rimalbank-login" not in page
    assert score_of(who.likeness + who.intent) == who.score
