from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.escalation import (
    Chain,
    Escalation,
    Step,
    begin,
    choose,
    due,
    escalate_now,
    next_due,
    plan,
    raised,
    restart,
    stop,
)
from alerts.hours import BusinessHours, after, open_windows
from alerts.recurrence import instant_ms

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONES = ("Asia/Riyadh", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe",
         "Pacific/Apia", "UTC")  # fmt: skip
RIYADH = BusinessHours(timezone="Asia/Riyadh", days=(6, 0, 1, 2, 3))


def ms(text: str, zone: str = "Asia/Riyadh") -> int:
    return instant_ms(datetime.fromisoformat(text), ZoneInfo(zone))


def step(after_min: int, *receivers: str, hours: str = "always") -> Step:
    return msgspec.convert(
        {"after_min": after_min, "targets": [{"receiver": r} for r in receivers], "hours": hours},
        Step,
    )


PAGE = Chain(
    name="page",
    severities=("critical",),
    steps=(step(0, "pager"), step(10, "lead"), step(20, "boss")),
    repeats=2,
    repeat_after_min=15,
)
OFFICE = Chain(name="office", severities=("watch", "warning"),
               steps=(step(15, "desk", hours="business"),))  # fmt: skip
START = ms("2026-03-05T22:00")  # a Thursday, before the weekend of Riyadh


def names(steps: tuple[object, ...]) -> list[str]:
    return [t.receiver for s in steps for t in s.targets]  # type: ignore[attr-defined]


# business hours -------------------------------------------------------------------------------


def test_a_delay_counts_in_business_hours_only() -> None:
    sunday = ms("2026-03-08T09:00")
    assert after(RIYADH, START, 0) == sunday
    assert after(RIYADH, START, 15 * MINUTE) == sunday + 15 * MINUTE
    assert after(RIYADH, ms("2026-03-05T16:50"), 30 * MINUTE) == sunday + 20 * MINUTE
    assert after(RIYADH, ms("2026-03-05T16:50"), 10 * MINUTE) == sunday  # closed at 17:00


def test_a_day_on_which_the_clock_is_changed_is_shorter_or_longer() -> None:
    night = BusinessHours(timezone="Europe/Berlin", opens="00:00", closes="06:00", days=(6,))
    lengths = [
        (w.end_ms - w.start_ms) // HOUR
        for day in ("2026-03-29", "2026-10-25", "2026-11-01")
        for w in [next(iter(open_windows(night, ms(f"{day}T00:00", "Europe/Berlin"))))]
    ]
    assert lengths == [5, 7, 6]


def test_hours_that_never_open_are_refused() -> None:
    for wrong in ({"opens": "17:00", "closes": "09:00"}, {"days": ()}, {"days": (7,)}):
        with pytest.raises(ValueError, match="never opens"):
            BusinessHours(timezone="UTC", **wrong)


@settings(max_examples=200, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    start=st.datetimes(datetime.fromisoformat("2010-01-01"), datetime.fromisoformat("2080-01-01")),
    delay=st.integers(0, 60 * 60),
    days=st.sets(st.integers(0, 6), min_size=1),
    opens=st.integers(0, 22 * 60),
    length=st.integers(61, 1440),
)
@example("Europe/Berlin", datetime.fromisoformat("2026-03-28T23:00"), 120, {6}, 120, 70)
@example("Pacific/Apia", datetime.fromisoformat("2011-12-29T12:00"), 600, {4}, 540, 480)
def test_after_lies_in_open_hours_and_counts_just_them(
    zone: str, start: datetime, delay: int, days: set[int], opens: int, length: int
) -> None:
    closes = min(opens + length, 1440)
    hours = BusinessHours(
        timezone=zone,
        opens=f"{opens // 60:02}:{opens % 60:02}",
        closes=f"{closes // 60:02}:{closes % 60:02}",
        days=tuple(sorted(days)),
    )
    begin_ms = instant_ms(start.replace(microsecond=0), ZoneInfo(zone))
    due_ms = after(hours, begin_ms, delay * MINUTE)
    passed, inside = 0, False
    for window in open_windows(hours, begin_ms):
        if window.start_ms > due_ms:
            break
        passed += min(window.end_ms, due_ms) - window.start_ms
        inside |= window.holds(due_ms)
    assert inside
    assert passed == delay * MINUTE


# chains ---------------------------------------------------------------------------------------


def test_the_chain_that_names_the_brand_comes_first_then_the_severity() -> None:
    general = Chain(name="general", steps=())
    ours = Chain(name="ours", steps=(), brands=("acme",))
    sharp = Chain(name="sharp", steps=(), brands=("acme",), severities=("critical",))
    chains = [general, PAGE, ours, sharp]
    chosen = {
        (brand, severity): choose(chains, brand, severity)
        for brand in ("acme", "other")
        for severity in ("watch", "critical")
    }
    assert {k: c and c.name for k, c in chosen.items()} == {
        ("acme", "watch"): "ours",
        ("acme", "critical"): "sharp",
        ("other", "watch"): "general",
        ("other", "critical"): "page",
    }
    assert choose([PAGE], "acme", "watch") is None


def test_a_plan_is_derived_and_in_order() -> None:
    laid = plan(PAGE, "a-1", 1, START)
    assert [(s.due_ms - START) // MINUTE for s in laid] == [0, 10, 20, 35, 45, 55, 70, 80, 90]
    assert [s.key for s in laid][:4] == ["a-1:page:1:0:0", "a-1:page:1:0:1", "a-1:page:1:0:2",
                                         "a-1:page:1:1:0"]  # fmt: skip
    assert plan(PAGE, "a-1", 1, START) == laid
    assert not {s.key for s in laid} & {s.key for s in plan(PAGE, "a-1", 2, START)}


def test_a_step_for_business_hours_waits_while_the_others_go_on() -> None:
    mixed = Chain(name="m", steps=(step(0, "desk", hours="business"), step(5, "pager")))
    laid = plan(mixed, "a-1", 1, START, RIYADH)
    assert names(laid) == ["pager", "desk"]
    assert laid[1].due_ms == ms("2026-03-08T09:00")
    assert names(plan(mixed, "a-1", 1, START)) == ["desk", "pager"]  # a brand that never closes


def test_steps_come_one_by_one_and_end() -> None:
    state, told = begin(PAGE, "a-1", "critical", 1, START), []
    while (at := next_due(state)) is not None:
        state, steps = due(state, at)
        told.append(((at - START) // MINUTE, names(steps)))
    assert told[:4] == [(0, ["pager"]), (10, ["lead"]), (20, ["boss"]), (35, ["pager"])]
    assert len(told) == 9
    assert not state.running
    assert due(state, START + DAY)[1] == ()


def test_acknowledged_means_nothing_more() -> None:
    state, _ = due(begin(PAGE, "a-1", "critical", 1, START), START)
    state = stop(state, START + MINUTE)
    assert next_due(state) is None
    assert due(state, START + DAY) == (state, ())
    assert [s.outcome for s in state.steps] == ["sent"] + ["stopped"] * 8


def test_after_a_long_pause_each_step_comes_once() -> None:
    state = begin(PAGE, "a-1", "critical", 1, START)
    state, steps = due(state, START + DAY)
    assert [(s.round, t) for s, t in zip(steps, names(steps))] == [
        (2, "pager"),
        (2, "lead"),
        (2, "boss"),
    ]
    assert [s.outcome for s in state.steps].count("superseded") == 6


def test_a_rise_begins_the_higher_chain_also_after_an_acknowledgement() -> None:
    quiet = begin(OFFICE, "a-1", "warning", 1, START, RIYADH)
    for before in (quiet, stop(quiet, START)):
        state = raised(before, PAGE, "critical", 2, START + MINUTE)
        assert (state.chain, state.severity) == ("page", "critical")
        state, steps = due(state, START + MINUTE)
        assert names(steps) == ["pager"]
        assert {s.outcome for s in state.steps if s.chain == "office"} == {"stopped"}


def test_a_rise_within_the_same_chain_goes_on_unless_it_was_acknowledged() -> None:
    both = msgspec.structs.replace(PAGE, severities=("warning", "critical"))
    running = begin(both, "a-1", "warning", 1, START)
    on = raised(running, both, "critical", 2, START + 5 * MINUTE)
    assert (on.steps, on.severity) == (running.steps, "critical")
    again = raised(stop(running, START), both, "critical", 2, START + 5 * MINUTE)
    assert names(due(again, START + 5 * MINUTE)[1]) == ["pager"]
    assert raised(running, None, "critical", 2, START).steps == running.steps


def test_what_is_reopened_pages_again_under_new_keys() -> None:
    first = stop(due(begin(PAGE, "a-1", "critical", 1, START), START)[0], START)
    state = restart(first, PAGE, "critical", 7, START + HOUR)
    _, steps = due(state, START + HOUR)
    assert [s.key for s in steps] == ["a-1:page:7:0:0"]


def test_escalate_now_brings_the_next_step_forward_and_no_other() -> None:
    state, _ = due(begin(PAGE, "a-1", "critical", 1, START), START)
    state, steps = due(escalate_now(state, START + MINUTE), START + MINUTE)
    assert names(steps) == ["lead"]
    assert next_due(state) == START + 20 * MINUTE
    over = stop(state, START)
    assert escalate_now(over, START) == over


@settings(max_examples=150, deadline=None)
@given(
    delays=st.lists(st.integers(0, 200), min_size=1, max_size=5),
    repeats=st.integers(0, 3),
    gap=st.integers(1, 60),
    moments=st.lists(st.integers(0, 2000), max_size=12),
    business=st.booleans(),
    acknowledged=st.none() | st.integers(0, 2000),
)
def test_whenever_it_runs_or_restarts_no_step_is_forgotten_or_comes_twice(
    delays: list[int],
    repeats: int,
    gap: int,
    moments: list[int],
    business: bool,
    acknowledged: int | None,
) -> None:
    hours = "business" if business else "always"
    chain = Chain(
        name="c",
        steps=tuple(step(d, "r", hours=hours) for d in delays),
        repeats=repeats,
        repeat_after_min=gap,
    )
    state = begin(chain, "a-1", "critical", 1, START, RIYADH)
    planned = {s.key: s.due_ms for s in state.steps}
    sent: list[str] = []
    end = max(planned.values())
    cut = end + 1 if acknowledged is None else START + acknowledged * MINUTE
    for at in [*sorted(START + m * MINUTE for m in moments), end]:
        state = msgspec.json.decode(msgspec.json.encode(state), type=Escalation)  # a restart
        if at >= cut:
            state = stop(state, cut)
        state, steps = due(state, at)
        assert all(planned[s.key] <= at < cut for s in steps)
        sent += [s.key for s in steps]
    assert len(sent) == len(set(sent))
    by_outcome = {o: {s.key for s in state.steps if s.outcome == o} for o in ("sent", None)}
    assert by_outcome == {"sent": set(sent), None: set()}
    for gone in (s for s in state.steps if s.outcome == "superseded"):
        later = {s.round for s in state.steps if s.step == gone.step and s.outcome == "sent"}
        assert max(later) > gone.round
