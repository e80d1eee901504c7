"""The chart of an alert: what is drawn where."""

from __future__ import annotations

import msgspec

from alerts.console.chart import figure_of, gauge_of
from alerts.console.course import changed_since, steps_of
from alerts.console.show import ago, mention
from alerts.records import rfc3339
from alerts.service.records import AuditEntry, CommentView
from models.records import Bar
from tests.alerts.build import MINUTE, START
from tests.alerts.responding import first

TEN = 10 * MINUTE
BARS = tuple(Bar(start_ms=START + i * TEN, mentions=n, coordinated=i) for i, n in enumerate((4, 8)))


def test_the_moments_lie_where_they_were_and_outside_nowhere() -> None:
    alert = msgspec.structs.replace(
        first(), bars=BARS, since=rfc3339(START - TEN), opened_at=rfc3339(START + TEN)
    )
    figure = figure_of(alert)
    assert figure is not None
    assert (figure.since, figure.opened) == (None, 500.0)
    assert figure_of(msgspec.structs.replace(alert, bars=())) is None


def test_the_expected_line_is_drawn_for_all_talk_alone() -> None:
    alert = msgspec.structs.replace(first(), bars=BARS, kind="volume", expected=24.0, window_min=60)
    figure = figure_of(alert)
    assert figure is not None
    # four in ten minutes, of a scale on which eight are 120 high
    assert figure.usual == 130 - 60
    negative = figure_of(msgspec.structs.replace(alert, kind="negative_count"))
    assert negative is not None
    assert negative.usual is None


def test_observed_expected_and_line_share_a_scale() -> None:
    gauge = gauge_of(msgspec.structs.replace(first(), observed=200, expected=20.0, threshold=50))
    assert gauge == (1000.0, 100.0, 250.0)
    gauge = gauge_of(msgspec.structs.replace(first(), observed=0, expected=0.0, threshold=0))
    assert gauge is None


def test_the_latest_mark_of_a_step_counts() -> None:
    step, other = first().playbook.steps[:2]
    said = [f"step {step.id}: mine", f"step {step.id}: done", f"step {other.id}: open", "step x"]
    comments = [
        CommentView(id=i, at=rfc3339(START + i), author=f"p{i}", text=text)
        for i, text in enumerate(said)
    ]
    stands = steps_of(first().playbook.steps, comments)
    assert [(s.mark, s.who) for s in stands[:2]] == [("done", "p1"), ("open", None)]


def test_only_what_came_after_is_a_change() -> None:
    entries = [
        AuditEntry(
            seq=i, at=rfc3339(START), actor="x", action="assigned", alert="a",
            details=details, hash="",
        )
        for i, details in enumerate(({"version": 1}, {"version": 2}, {}))
    ]  # fmt: skip
    assert [c.details for c in changed_since(entries, 1)] == [{"version": 2}]


def test_times_are_told_in_words() -> None:
    assert ago(START, START + 5 * MINUTE, "en") == "5 minutes ago"
    assert ago(START, START + 5 * MINUTE, "ar") == "قبل 5 دقائق"


def test_a_text_of_any_length_is_cut_before_it_is_looked_at() -> None:
    assert len(mention("x" * 10_000_000)) == 2_000
    assert mention(None) == ""
