"""Fusion: one alert a crisis, decisions with reasons, and a state that survives a restart."""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.cases import Case, crisis_type
from alerts.explain import crisis_score, severity_of
from alerts.fusion import AlertStage
from alerts.playbook.text import FSI, LRM, PDI
from alerts.records import SEVERITIES, Alert, Decision, alert_schema
from models.records import Evidence, Signal
from tests.alerts.build import (
    MINUTE,
    RIMAL,
    START,
    evidence,
    only_alert,
    praise,
    signal,
    stage,
    story,
    story_alerts,
)
from tests.alerts.test_explain import group

SMALL: dict[str, Any] = {"observed": 24, "total": 52, "topics": {}, "reach": 500}


def events(alert: Alert) -> list[str]:
    return [e.event for e in alert.timeline]


# the life of an alert -------------------------------------------------------------------------


def test_opening() -> None:
    outcome = stage().handle([signal()])
    alert = only_alert(outcome)
    assert (alert.state, alert.resolved_at) == ("open", None)
    assert alert.opened_at == "2026-11-21T07:41:41Z"
    assert alert.since == "2026-11-21T07:37:00Z"
    assert events(alert) == ["opened"]
    (decision,) = outcome.decisions
    assert (decision.outcome, decision.reason, decision.alert) == ("opened", "opened", alert.id)
    assert all(g.passed for g in decision.gates)


def test_a_worse_signal_is_told() -> None:
    running = stage()
    first = only_alert(running.handle([signal(**SMALL)]))
    second = only_alert(running.handle([signal(minute=9, phase="update")]))
    assert second.id == first.id
    assert second.score > first.score
    assert second.observed == 214
    assert second.since == first.since
    assert events(second) == ["opened", "raised", "retyped"]


def test_the_public_message_keeps_the_start_of_the_crisis() -> None:
    running = stage()
    running.handle([signal(**SMALL)])
    later = only_alert(running.handle([signal(minute=50, phase="update")]))
    assert "10:37" in later.playbook.messages[0].text


def test_a_quieter_signal_keeps_the_alert_alive() -> None:
    running = stage()
    loud = only_alert(running.handle([signal()]))
    after = only_alert(running.handle([signal(minute=40, phase="update", **SMALL)]))
    assert (after.score, after.severity, after.observed) == (loud.score, loud.severity, 214)
    assert after.updated_at > loud.updated_at
    assert events(after) == ["opened"]
    assert len(after.signals) == 2


def test_a_grown_count_is_told_though_the_score_stands() -> None:
    running = stage()
    vast = {"authors": 5000, "reach": 5_000_000}
    first = only_alert(running.handle([signal(observed=3000, **vast)]))
    more = only_alert(running.handle([signal(observed=4400, minute=5, phase="update", **vast)]))
    most = only_alert(running.handle([signal(observed=4500, minute=9, phase="update", **vast)]))
    assert first.score == more.score == most.score
    assert (first.observed, more.observed, most.observed) == (3000, 3000, 4500)
    assert "4,500" in most.title.en
    assert events(most) == ["opened"]
    assert crisis_score(most.explanation.parts) == most.score


def test_the_same_signal_twice_changes_nothing() -> None:
    running = stage()
    once = running.handle([signal()]).cases
    assert running.handle([signal()]).cases == once


def test_type_becomes_service_outage_and_stays() -> None:
    running = stage()
    quiet = signal("volume", observed=400, expected=14.2, topics={}, negative=330)
    assert only_alert(running.handle([quiet])).type == "volume_spike"
    criticism = signal(minute=2, **SMALL | {"topics": {"outage": 0.24}})
    assert only_alert(running.handle([criticism])).type == "negativity_spike"
    outage = signal(minute=5, phase="update", **SMALL | {"topics": {"outage": 0.25}})
    alert = only_alert(running.handle([outage]))
    assert alert.type == alert.playbook.type == "service_outage"
    assert "service outage" in alert.title.en
    calm = only_alert(running.handle([signal(minute=9, phase="update", **SMALL)]))
    assert calm.type == "service_outage"
    assert events(calm) == ["opened", "retyped", "retyped"]


def test_a_retyped_alert_can_still_be_recomputed() -> None:
    running = stage()
    loud = signal("volume", observed=900, expected=14.2, topics={}, negative=880, reach=900_000)
    running.handle([loud])
    # later and smaller, and of another type
    running.handle([signal("volume", "update", minute=20, observed=90, expected=14.2, negative=50)])
    alert = only_alert(running.handle([signal(minute=25, **SMALL | {"topics": {"outage": 0.9}})]))
    assert alert.type == "service_outage"
    assert alert.score == crisis_score(alert.explanation.parts)


def test_types() -> None:
    volume, negative = signal("volume", topics={"outage": 1.0}), signal(topics={})
    assert crisis_type({"volume": volume}) == "volume_spike"
    assert crisis_type({"volume": volume, "negative_count": negative}) == "negativity_spike"
    assert crisis_type({"volume": volume}, "negativity_spike") == "negativity_spike"
    assert crisis_type({"volume": volume}, "service_outage") == "service_outage"


def test_resolved_after_quiet_however_late_it_is_noticed() -> None:
    for notice in (60, 61, 600):
        running = stage()
        running.handle([signal()])
        assert not running.advance(START + 41_000 + 60 * MINUTE - 1).cases
        alert = only_alert(running.advance(START + 41_000 + notice * MINUTE))
        assert (alert.state, alert.resolved_at) == ("resolved", "2026-11-21T08:41:41Z")
        assert alert.timeline[-1].at == alert.resolved_at
        assert not running.advance(START + 5_000 * MINUTE).cases


def test_reopened_within_the_cooldown_as_the_same_alert() -> None:
    running = stage()
    first = only_alert(running.handle([signal()]))
    outcome = running.handle([signal(minute=180, **SMALL)])
    alert = only_alert(outcome)
    assert (alert.id, alert.state, alert.resolved_at) == (first.id, "open", None)
    assert events(alert) == ["opened", "resolved", "reopened"]
    assert [d.outcome for d in outcome.decisions] == ["reopened"]
    assert alert.severity == first.severity


def test_a_new_alert_after_the_cooldown() -> None:
    running = stage()
    first = only_alert(running.handle([signal()]))
    outcome = running.handle([signal(minute=181, **SMALL)])
    states = {case.alert.id: case.alert.state for case in outcome.cases.values()}
    assert states.pop(first.id) == "resolved"
    assert list(states.values()) == ["open"]
    assert [d.outcome for d in outcome.decisions] == ["opened"]


def test_brands_do_not_mix() -> None:
    outcome = stage().handle([signal(), signal(brand="saqr-air")])
    assert sorted(c.alert.brand for c in outcome.cases.values()) == ["rimal-bank", "saqr-air"]


def test_ids_are_derived() -> None:
    one, two = (stage().handle(story()) for _ in range(2))
    assert msgspec.json.encode(list(one.cases.values())) == msgspec.json.encode(
        list(two.cases.values())
    )
    assert [d.id for d in one.decisions] == [d.id for d in two.decisions]
    assert only_alert(stage().handle([signal()])).id == "a-70fa5b520a048d72"


# decisions ------------------------------------------------------------------------------------


HOLIDAY = signal("volume", observed=300, expected=60.0, negative=48)


@pytest.mark.parametrize("given_", [praise(), HOLIDAY], ids=["praise", "holiday"])
def test_praise_and_holidays_are_refused_by_their_tone(given_: Signal) -> None:
    outcome = stage().handle([given_])
    assert not outcome.cases
    (decision,) = outcome.decisions
    assert (decision.outcome, decision.reason, decision.alert) == ("not_alerted", "tone", None)
    assert decision.sentence.en.startswith("No alert. ")
    assert decision.sentence.ar.startswith("لم يصدر تنبيه. ")


@pytest.mark.parametrize("phase", ["weak", "fired"])
def test_every_refused_finding_is_noted_with_its_first_failed_gate(phase: Any) -> None:
    refused = signal(phase=phase, observed=5, total=6, authors=2)
    (decision,) = stage().handle([refused]).decisions
    gate = next(g for g in decision.gates if not g.passed)
    assert decision.reason == gate.name
    assert gate.sentence.en in decision.sentence.en
    assert decision.signal == refused.id


def test_a_running_finding_is_judged_again_but_not_noted_again() -> None:
    assert not stage().handle([signal(phase="update", observed=5, total=6)]).decisions


def test_a_running_finding_may_open_an_alert() -> None:
    outcome = stage().handle([praise(), signal("volume", "update", minute=15, observed=500)])
    assert [d.outcome for d in outcome.decisions] == ["not_alerted", "opened"]


# a random stream of signals -------------------------------------------------------------------

STEP = st.fixed_dictionaries(
    {
        "after": st.sampled_from([0, 1, 14, 59, 60, 61, 130, 200]),
        "kind": st.sampled_from(["volume", "negative_count", "negative_share"]),
        "phase": st.sampled_from(["weak", "fired", "update"]),
        "brand": st.sampled_from(["rimal-bank", "saqr-air"]),
        "observed": st.sampled_from([6, 40, 120, 900]),
        "calm": st.sampled_from([0.0, 0.5, 12.0]),
        "outage": st.sampled_from([0.0, 0.5]),
        "reach": st.sampled_from([0, 10_000, 10**7]),
    }
)


def stream(steps: Sequence[dict[str, Any]]) -> list[Signal]:
    minutes = itertools.accumulate(step["after"] for step in steps)
    return [
        signal(
            step["kind"],
            step["phase"],
            minute=minute,
            brand=step["brand"],
            observed=step["observed"],
            expected=12.0,
            total=round(step["observed"] * (1 + step["calm"])),
            negative=step["observed"],
            topics={"outage": step["outage"]},
            reach=step["reach"],
            id=f"s-{i:016x}",
        )
        for i, (step, minute) in enumerate(zip(steps, minutes, strict=True))
    ]


def restarted(running: dict[str, Case]) -> AlertStage:
    """A stage that takes up what was stored as JSON."""
    fresh = stage()
    stored = [msgspec.json.encode(case) for case in running.values()]
    fresh.restore(msgspec.json.decode(case, type=Case) for case in stored)
    return fresh


Folded = tuple[dict[str, Case], list[Decision]]


def fold(signals: Sequence[Signal], restart: frozenset[int]) -> Folded:
    """Signals one by one, with restarts before some of them."""
    running = stage()
    cases: dict[str, Case] = {}
    decisions: list[Decision] = []
    for i, given_ in enumerate(signals):
        if i in restart:
            running = restarted(cases)
        for outcome in (running.handle([given_]), running.advance(given_.at_ms)):
            cases |= outcome.cases
            decisions += outcome.decisions
    return cases, decisions


@settings(max_examples=40)
@given(st.lists(STEP, max_size=12), st.frozensets(st.integers(0, 11), max_size=3))
def test_a_restart_changes_nothing(steps: list[dict[str, Any]], restart: frozenset[int]) -> None:
    signals = stream(steps)
    assert fold(signals, restart) == fold(signals, frozenset())


@settings(max_examples=40)
@given(st.lists(STEP, max_size=12))
def test_how_signals_are_cut_into_batches_changes_nothing(steps: list[dict[str, Any]]) -> None:
    signals = stream(steps)
    running = stage()
    whole = running.handle(signals)
    cases = whole.cases | running.advance(max((s.at_ms for s in signals), default=0)).cases
    assert (cases, whole.decisions) == fold(signals, frozenset())


@settings(max_examples=40)
@given(st.lists(STEP, max_size=12))
def test_what_holds_at_every_moment(steps: list[dict[str, Any]]) -> None:
    running = stage()
    latest: dict[str, Alert] = {}
    noted: Counter[str] = Counter()
    for given_ in stream(steps):
        outcome = running.handle([given_])
        noted.update(d.signal for d in outcome.decisions)
        for alert in (case.alert for case in outcome.cases.values()):
            before = latest.get(alert.id, alert)
            assert SEVERITIES.index(alert.severity) >= SEVERITIES.index(before.severity)
            assert alert.score >= before.score
            assert alert.score == crisis_score(alert.explanation.parts)
            assert alert.severity == severity_of(alert.score)
            assert alert.timeline[: len(before.timeline)] == before.timeline
            latest[alert.id] = alert
        states = [a.brand for a in latest.values() if a.state == "open"]
        assert len(states) == len(set(states)), "one open alert a brand"
        if given_.phase != "update":
            assert noted[given_.id] == 1, "every finding leaves a decision"


def test_case_survives_json() -> None:
    for case in stage().handle(story()).cases.values():
        assert msgspec.json.decode(msgspec.json.encode(case), type=Case) == case


def test_restore_takes_the_latest_case_and_known_brands_only() -> None:
    running = stage()
    cases = dict(running.handle([signal(), signal(brand="saqr-air"), signal(minute=400)]).cases)
    assert len(cases) == 3
    fresh = stage(RIMAL)
    fresh.restore(reversed(list(cases.values())))
    newest = max(
        (c.alert for c in cases.values() if c.alert.brand == RIMAL.id), key=lambda a: a.opened_at
    )
    assert only_alert(fresh.handle([signal(minute=410, phase="update")])).id == newest.id


# what strangers write -------------------------------------------------------------------------

HOSTILE = (
    "{{7*7}}{% for x in y %}",
    "{0.__class__} {brand} {terms[0]} %s %(brand)s",
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>",
    "\x1b[2J\x1b]8;;http://evil.example\x07click\x1b]8;;\x07 \x9b31m",
    "\u202eevil\u202c \u2066x\u2069 \u200f\u200e\u061c",
    "nul \x00 in \x07 the \x08 middle\r\n\u2028line\u2029",
    "[bold red]rich[/] [link=http://evil.example]x[/link] :skull:",
    "ا" * 20_000,
    "a" * 20_000,
    "\U000e0041\ufffe\u0301\u0301\u0301\u0301\u0301 javascript:alert(1) @everyone",
    "",
)


def hostile_evidence() -> tuple[Evidence, ...]:
    return tuple(
        replace(
            evidence(0)[0],
            id=text[:256] or "id",
            platform=text[:64] or "x",
            text=text,
            handle=text[:256],
            name=text[:1024],
            url=f"https://x.example/{text[:200]}",
            author_id=text[:256],
        )
        for text in HOSTILE
    )


def hostile_signal() -> Signal:
    return signal(
        terms=HOSTILE,
        evidence=hostile_evidence(),
        platforms={text[:64]: i + 1 for i, text in enumerate(HOSTILE)},
        languages={text[:35]: i + 1 for i, text in enumerate(HOSTILE)},
    )


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield key
            yield from strings(below)
    elif isinstance(value, list):
        for below in value:
            yield from strings(below)


def steering(text: str) -> set[str]:
    """Characters that steer a terminal or a reading order, but for those Nadhir itself writes."""
    return {
        f"U+{ord(c):04X}"
        for c in text
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        and c not in ("\n", FSI, PDI, LRM)
    }


def test_hostile_text_is_harmless_in_json() -> None:
    outcome = stage().handle([hostile_signal()])
    (case,) = outcome.cases.values()
    for raw in (msgspec.json.encode(case), msgspec.json.encode(outcome.decisions)):
        for text in strings(msgspec.json.decode(raw)):
            assert not steering(text)
            assert "49" not in text or "{{7*7}}" not in text
    about = case.alert.explanation.about
    assert about is not None
    assert "{{7*7}}" in about.en
    assert "{0[.]__class__} {brand}" in about.en
    assert "Struct" not in about.en
    assert len(about.en) < 1_000
    assert sum(case.alert.platforms.values()) == sum(range(1, len(HOSTILE) + 1))


def test_isolates_are_balanced_around_hostile_terms() -> None:
    about = only_alert(stage().handle([hostile_signal()])).explanation.about
    assert about is not None
    for text in (about.ar, about.en):
        depth = list(itertools.accumulate({FSI: 1, PDI: -1}.get(c, 0) for c in text))
        assert set(depth) == {0, 1}
        assert depth[-1] == 0


@given(st.lists(st.text(max_size=30), max_size=4))
def test_no_text_can_raise(texts: list[str]) -> None:
    items = tuple(replace(evidence(0)[0], text=t, handle=t, platform=t, url=t) for t in texts)
    given_ = signal(terms=tuple(texts), evidence=items, platforms=dict.fromkeys(texts, 1))
    raw = msgspec.json.encode(list(stage().handle([given_]).cases.values()))
    assert not {c for text in strings(msgspec.json.decode(raw)) for c in steering(text)}


def test_a_hostile_refusal_is_harmless_too() -> None:
    (decision,) = stage().handle([replace(hostile_signal(), authors=1)]).decisions
    assert decision.reason == "authors"
    assert not steering(msgspec.json.encode(decision).decode())


# the record -----------------------------------------------------------------------------------


def test_schema_names_everything_an_alert_has() -> None:
    schema = alert_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "urn:nadhir:schema:alert:1"
    assert list(schema["properties"]) == list(Alert.__struct_fields__)
    assert schema["properties"]["resolved_at"]["anyOf"][0]["format"] == "date-time"
    assert all(field["description"] for field in schema["properties"].values())
    named = msgspec.json.encode(schema).decode()
    for name in schema["$defs"]:
        assert f'"#/$defs/{name}"' in named


@pytest.mark.parametrize("alert", story_alerts(), ids=lambda a: a.brand)
def test_alerts_fit_the_schema(alert: Alert) -> None:
    schema = alert_schema()
    assert not list(misfits(msgspec.json.decode(msgspec.json.encode(alert)), schema, schema))


def misfits(value: Any, rule: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Differences between a value and the keywords that the schema uses."""
    if "$ref" in rule:
        rule = schema["$defs"][rule["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in rule:
        if all(list(misfits(value, one, schema)) for one in rule["anyOf"]):
            yield f"{value!r} fits none of {rule['anyOf']}"
        return
    types: dict[str, Any] = {
        "string": str, "integer": int, "number": (int, float), "object": dict, "array": list,
        "null": type(None), "boolean": bool,
    }  # fmt: skip
    if "type" in rule and not isinstance(value, types[rule["type"]]):
        yield f"{value!r} is no {rule['type']}"
        return
    if "enum" in rule and value not in rule["enum"]:
        yield f"{value!r} is none of {rule['enum']}"
    if isinstance(value, dict):
        properties = rule.get("properties", {})
        yield from (f"{key} is missing" for key in rule.get("required", []) if key not in value)
        for key, below in value.items():
            inner = properties.get(key, rule.get("additionalProperties"))
            if inner is None:
                yield f"{key} is unknown"
            else:
                yield from misfits(below, inner, schema)
    if isinstance(value, list):
        for below in value:
            yield from misfits(below, rule.get("items", {}), schema)


# blindness ------------------------------------------------------------------------------------


def silent(minute: int, phase: Any = "fired") -> Signal:
    """The source has fallen silent."""
    return signal("source_silent", phase=phase, minute=minute, observed=0, expected=40.0, total=0)


def test_a_silent_source_is_no_crisis_and_its_reason_is_kept() -> None:
    outcome = stage().handle([silent(0), silent(15, "update")])
    assert not outcome.cases
    (decision,) = outcome.decisions
    assert (decision.outcome, decision.reason) == ("not_alerted", "blind")
    assert "the source is silent, which is not calm" in decision.sentence.en
    assert "المصدر صامت" in decision.sentence.ar


def test_nothing_is_resolved_while_we_are_blind() -> None:
    running = stage()
    first = only_alert(running.handle([signal()]))
    running.handle([silent(minute, "update") for minute in range(15, 181, 15)])
    quiet = running.advance(START + 200 * MINUTE)
    assert not quiet.news
    late = running.advance(START + 300 * MINUTE)
    assert [(a.id, a.state) for a in late.news] == [(first.id, "resolved")]


def test_blindness_keeps_an_alert_open_for_a_day_at_most() -> None:
    running = stage()
    first = only_alert(running.handle([signal()]))
    news = [
        alert
        for minute in range(15, 40 * 60, 15)
        for alert in running.handle([silent(minute, "update")]).news
    ]
    assert [(a.id, a.state) for a in news] == [(first.id, "resolved")]


# who acts together --------------------------------------------------------------------------


def test_an_alert_that_is_mostly_a_group_is_one_of_coordinated_criticism() -> None:
    running = stage()
    organic = only_alert(running.handle([signal(topics={}, coordinated_share=0.2)]))
    assert organic.type == "negativity_spike"
    alert = only_alert(
        running.handle([signal(minute=9, phase="update", topics={}, coordinated_share=0.6)])
    )
    assert alert.type == "coordinated_criticism"
    assert alert.coordinated_share == 0.6
    assert events(alert)[-1] == "retyped"
    assert alert.playbook.messages


def test_coordinated_criticism_stays_what_it_was_called() -> None:
    outage = {"negative_count": signal(topics={"outage": 1.0})}
    assert crisis_type(outage) == "service_outage"
    assert crisis_type(outage, "coordinated_criticism") == "coordinated_criticism"


def test_a_group_that_was_seen_stays_with_its_alert() -> None:
    running = stage()
    running.handle([signal(**SMALL, coordinated_share=0.6, groups=(group(),))])
    later = only_alert(running.handle([signal(minute=9, phase="update")]))
    assert later.observed == 214
    assert [g.id for g in later.groups] == ["g-1"]
    assert len(later.explanation.groups) == 1
