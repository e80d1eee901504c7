"""Stages and chain: what is held back, why, until when, and what goes out together."""

from __future__ import annotations

import re
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.notify.chain import Chain, Route, Sorted
from alerts.notify.queue import Queued
from alerts.notify.records import PAGING, Notification
from alerts.notify.stages.quiet import QuietHours, quiet_until_ms
from alerts.notify.stages.silenced import LOOK_MS, Mute
from alerts.notify.stages.stage import Delay, Drop
from tests.alerts.notify.build import AIRLINE, BANK, alert_of, queued, told

DOCS = Path(__file__).resolve().parents[3] / "docs" / "notifications.md"
NIGHT = QuietHours(start=time(22), end=time(7), timezone="Asia/Riyadh")
HOUR = 3_600_000
WATCH = replace(BANK, severity="watch")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def one(chain: Chain, item: Queued, now_ms: int = 0) -> tuple[str, Drop | Delay] | None:
    """The stage that held it back, and its verdict."""
    found = chain.sort([item], now_ms)
    if found.bundles:
        assert found.bundles == [[item]]
        return None
    (held,) = found.held
    assert held.verdict.reason
    return held.stage, held.verdict


class Silences:
    def silenced(self, told: Notification, now_ms: int) -> Mute | None:
        if told.alert.brand != "saqr-air":
            return None
        return Mute(9 * HOUR, "maintenance, by Amal, until 09:00")


class Open:
    def critical_open(self, brand: str, other_than: str) -> str | None:
        return "a-critical" if brand == "rimal-bank" and other_than != "a-critical" else None


@pytest.mark.parametrize(
    ("chain", "notification", "stage", "words"),
    [
        (Chain(Route(drills=False)), told(drill=True), "drill", "hears of no drills"),
        (Chain(Route(brands=("saqr-air",))), told(), "brand", "not for rimal-bank"),
        (Chain(Route(min_severity="critical")), told(alert=WATCH), "severity", "watch is below"),
        (Chain(Route(resolved=False)), told("resolved"), "resolved", "not told of ends"),
        (Chain(Route(), Silences()), told("assigned", AIRLINE), "silenced", "by Amal, until 09:00"),
        (Chain(Route(), None, Open()), told(alert=WATCH), "inhibited", "a-critical"),
    ],
)
def test_each_stage_drops_and_says_why(
    chain: Chain, notification: Notification, stage: str, words: str
) -> None:
    name, verdict = one(chain, queued(notification=notification)) or ("", Delay(0, ""))
    assert (name, type(verdict)) == (stage, Drop)
    assert words in verdict.reason
    assert name in chain.stages
    assert one(chain, queued(notification=replace(notification, why="test"))) is None


@pytest.mark.parametrize(
    ("chain", "notification"),
    [
        (Chain(Route()), told(drill=True)),
        (Chain(Route(brands=("rimal-bank",))), told()),
        (Chain(Route(brands=("rimal-bank",))), told(alert=replace(BANK, brand="rimal-bank~drill"))),
        (Chain(Route(min_severity="warning")), told()),
        (Chain(Route(), Silences()), told()),
        (Chain(Route(), None, Open()), told()),
        (Chain(Route(), None, Open()), told("resolved", alert=WATCH)),
        (Chain(Route(), None, Open()), told(alert=replace(WATCH, id="a-critical"))),
        # an impostor is no part of a crisis
        (Chain(Route(), None, Open()), told(alert=replace(WATCH, subject="i-1"))),
    ],
)
def test_what_passes(chain: Chain, notification: Notification) -> None:
    assert one(chain, queued(notification=notification)) is None


# quiet hours ----------------------------------------------------------------------------------


@pytest.mark.parametrize("why", sorted(PAGING))
def test_a_silence_delays_what_calls_people_and_is_asked_again(why: Any) -> None:
    chain, item = Chain(Route(), Silences()), queued(notification=told(why, AIRLINE))
    for now_ms, due_ms in ((0, LOOK_MS), (9 * HOUR - 5, 9 * HOUR)):
        stage, verdict = one(chain, item, now_ms) or ("", Drop(""))
        assert (stage, verdict) == ("silenced", Delay(due_ms, "maintenance, by Amal, until 09:00"))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-21T22:00:00+03:00", "2026-11-22T07:00:00+03:00"),
        ("2026-11-22T06:59:59+03:00", "2026-11-22T07:00:00+03:00"),
        ("2026-11-22T07:00:00+03:00", None),
        ("2026-11-21T21:59:59+03:00", None),
    ],
)
def test_quiet_hours_over_midnight(now: str, until: str | None) -> None:
    assert quiet_until_ms(NIGHT, at(now)) == (until and at(until))


def test_quiet_hours_when_the_clock_changes() -> None:
    """Berlin: on 29 March 2026 two o'clock becomes three, on 25 October three becomes two."""
    night = QuietHours(start=time(22), end=time(7), timezone="Europe/Berlin")
    assert quiet_until_ms(night, at("2026-03-28T22:00:00Z")) == at("2026-03-29T05:00:00Z")
    assert quiet_until_ms(night, at("2026-10-24T22:00:00Z")) == at("2026-10-25T06:00:00Z")


@given(st.integers(at("2026-01-01T00:00Z"), at("2027-01-01T00:00Z")), st.times(), st.times(),
       st.sampled_from(["Asia/Riyadh", "Europe/Berlin", "America/St_Johns", "UTC"]))  # fmt: skip
def test_quiet_hours_end_within_a_day_and_are_over_then(
    now_ms: int, start: time, end: time, zone: str
) -> None:
    start, end = start.replace(tzinfo=None, fold=0), end.replace(tzinfo=None, fold=0)
    hours = QuietHours(start=start, end=end, timezone=zone)
    until = quiet_until_ms(hours, now_ms)
    if until is not None and start != end:
        assert now_ms < until <= now_ms + 25 * HOUR + 1


def test_only_what_is_less_severe_waits_and_nothing_is_lost() -> None:
    chain, now = Chain(Route(quiet=NIGHT)), at("2026-11-22T01:00:00+03:00")
    stage, verdict = one(chain, queued(notification=told(alert=WATCH)), now) or ("", Drop(""))
    assert stage == "quiet hours"
    assert isinstance(verdict, Delay)
    assert verdict.until_ms == at("2026-11-22T07:00:00+03:00")
    assert one(chain, queued(notification=told(alert=WATCH)), verdict.until_ms) is None
    assert one(chain, queued(notification=told()), now) is None, "critical"


# grouping, limit, repetition ------------------------------------------------------------------


def items(count: int, **other: Any) -> list[Queued]:
    return [queued(i, told(alert=alert_of(i), **other), first_at_ms=i) for i in range(count)]


def sizes(found: Sorted) -> list[int]:
    return [len(bundle) for bundle in found.bundles]


def test_what_comes_while_a_group_waits_joins_it() -> None:
    chain = Chain(Route(group_wait_ms=1_000))
    first, second = items(2)
    other = queued(9, told(alert=AIRLINE), first_at_ms=0)
    stage, verdict = one(chain, first) or ("", Drop(""))
    assert (stage, getattr(verdict, "until_ms", None)) == ("grouping", 1_000)
    held = chain.sort([second, other], 600).held
    assert [getattr(h.verdict, "until_ms", None) for h in held] == [1_000, 1_000]
    assert sizes(chain.sort([first, second, other], 1_000)) == [2, 1], "a message a brand"
    late = queued(3, told(alert=alert_of(3)), first_at_ms=1_200)
    assert one(chain, late, 1_200) is not None, "a group of its own"


def test_drills_and_escalations_are_told_apart() -> None:
    chain = Chain(Route(group_wait_ms=1_000))
    mixed = [
        queued(1, told()), queued(2, told(drill=True)), queued(3, told("escalated", to=("amal",))),
        queued(4, told("escalated", to=("tariq",), version=2)),
    ]  # fmt: skip
    chain.sort(mixed, 0)
    assert sizes(chain.sort(mixed, 5_000)) == [1, 1, 1, 1]


def test_above_the_limit_there_is_one_summary() -> None:
    chain = Chain(Route(per_hour=3))
    assert sizes(chain.sort(items(10), 0)) == [1, 1, 8]
    held = chain.sort(items(2), 0)
    assert (held.bundles, len(held.held)) == ([], 2)
    until = [getattr(h.verdict, "until_ms", None) for h in held.held]
    assert until == [HOUR // 3] * 2
    assert sizes(chain.sort(items(2), HOUR // 3)) == [2], "all that waited, in one message"
    assert sizes(chain.sort(items(2, to=("amal",)), HOUR // 3)) == [1, 1], "people who are called"


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, HOUR)), max_size=30))
def test_the_limit_holds_and_everything_goes_out(steps: list[tuple[int, int]]) -> None:
    chain, now, sent, waiting, number = Chain(Route(per_hour=4)), 0, [], [], 0
    for count, pause in [*steps, (0, HOUR), (0, HOUR)]:
        now += pause
        waiting += [queued(number + i, told(alert=alert_of(number + i))) for i in range(count)]
        number += count
        found = chain.sort(waiting, now)
        waiting = [held.item for held in found.held]
        sent += [(now, len(bundle)) for bundle in found.bundles]
    assert sum(count for _, count in sent) == number, "nothing is lost"
    for start, _ in sent:
        assert sum(1 for at_, _ in sent if start <= at_ < start + HOUR) <= 8


def test_a_key_is_told_once() -> None:
    chain = Chain(Route())
    chain.delivered(told())
    stage, verdict = one(chain, queued()) or ("", Delay(0, ""))
    assert (stage, verdict) == ("repeated", Drop("was delivered before"))


@pytest.mark.parametrize(
    ("later", "earlier", "dropped"),
    [
        (told("resolved", version=3), told("opened", version=1), True),
        (told("resolved", version=3), told("escalated", version=2), True),
        (told("raised", version=2), told("opened", version=1), True),
        (told("raised", version=2), told("escalated", version=1), False),
        (told("assigned", version=2), told("opened", version=1), False),
        (told("resolved", version=3), told("reopened", version=4), False),
        (told("resolved", version=3, alert=AIRLINE), told("opened", version=1), False),
    ],
)
def test_overtaken_news_is_dropped(
    later: Notification, earlier: Notification, dropped: bool
) -> None:
    chain = Chain(Route())
    chain.delivered(later)
    held = one(chain, queued(notification=earlier))
    assert (held is not None) is dropped
    if held is not None:
        assert held[1].reason == f"version {later.version} of the alert was told before it"


def test_every_stage_is_documented_in_its_order() -> None:
    everything = Route(
        brands=("a",), min_severity="critical", resolved=False, drills=False, quiet=NIGHT,
        group_wait_ms=1, per_hour=1,
    )  # fmt: skip
    rows = re.findall(r"^\| `([a-z ]+)` \| [^|]*\. \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    stages = Chain(everything, Silences(), Open()).stages
    assert [row for row in rows if row in stages] == stages
    assert len(stages) == 10
