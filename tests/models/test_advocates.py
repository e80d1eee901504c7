"""Who steadily supports a brand, who does not, and which critics are answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.coordination.window import DAY_MS
from models.narratives.advocates import Advocates
from models.records import Author, Mention

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)
BEGIN_MS = int(BEGIN.timestamp() * 1000)
NEGATIVE, NEUTRAL, POSITIVE = range(3)
LABELS = {"-": NEGATIVE, "=": NEUTRAL, "+": POSITIVE}
PRAISE, ANGER = "+ lovely service", "- awful service"


def post(who: str, day: float, text: str, **more: object) -> Mention:
    """A mention; the first sign of its text is its label."""
    return Mention(
        id=f"{who}:{day}", platform="x", published_at=BEGIN + timedelta(days=day), text=text,
        author=Author(id=who, handle=f"h{who}", followers=7), **more,
    )  # fmt: skip


def steady(who: str, days: int = 10, text: str = PRAISE, per_day: int = 1) -> list[Mention]:
    return [post(who, d + i / 100, text) for d in range(days) for i in range(per_day)]


def seen(mentions: list[Mention], size: int = 50, capacity: int = 2048) -> Advocates:
    mentions = sorted(mentions, key=lambda m: m.published_at)
    found = Advocates(capacity)
    for first in range(0, len(mentions), size):
        part = mentions[first : first + size]
        own = [m.author is not None and m.author.id == "brand" for m in part]
        found.observe(part, [LABELS.get(m.text[:1], NEUTRAL) for m in part], own)
    return found


def names(mentions: list[Mention], **more: int) -> list[str]:
    return [a.account for a in seen(mentions, **more).all()]


def test_who_praises_on_many_days_is_an_advocate() -> None:
    (advocate,) = seen(steady("a")).all()
    assert (advocate.account, advocate.handle, advocate.followers) == ("a", "ha", 7)
    assert (advocate.days, advocate.supportive, advocate.positive_share) == (10, 10, 1.0)


@pytest.mark.parametrize(
    "mentions",
    [
        steady("a", days=1, per_day=30),
        steady("a", days=3),
        [*steady("a", days=6)],
        steady("a", text="= the branch opens at nine"),
        [*steady("a"), *[post("a", d + 0.5, ANGER) for d in range(8)]],
        [*steady("a"), *[post("a", 5 + i / 1000, PRAISE) for i in range(40)]],
        steady("a", per_day=30),
        steady("brand"),
    ],
    ids=["one day", "too few days", "too short", "neutral", "mixed", "burst", "machine", "own"],
)
def test_others_are_not(mentions: list[Mention]) -> None:
    assert names(mentions) == []


def test_what_is_long_ago_no_longer_counts() -> None:
    assert names([*steady("a"), post("b", 20, PRAISE)]) == ["a"]
    assert names([*steady("a"), post("b", 60, PRAISE)]) == []


def test_late_mentions_count_on_their_day() -> None:
    mentions = steady("a")
    found = Advocates()
    for mention in [*mentions[::2], *mentions[1::2]]:
        found.observe([mention], [POSITIVE])
    assert [a.days for a in found.all()] == [10]


def test_critics_who_are_answered() -> None:
    critics = [post(f"c{i}", 9 + i / 100, ANGER) for i in range(8)]
    answers = [post("a", 9.5 + i / 100, "= it works", in_reply_to=critics[i].id) for i in range(2)]
    deeper = post("c9", 9.6, "- no it does not", in_reply_to=answers[0].id)
    others = [
        post("n", 9.5, "+ try again", in_reply_to=critics[2].id),  # a stranger
        post("brand", 9.5, "+ sorry", in_reply_to=critics[3].id),
        post("a", 9.7, "- me too", in_reply_to=critics[4].id),  # joins in
        post("a", 9.8, "غير صحيح", in_reply_to=deeper.id),  # the same thread
        post("a", 9.9, "+ yes", in_reply_to="unknown"),
    ]
    found = seen([*steady("a"), *critics, *answers, deeper, *others])
    defence = found.defence(BEGIN_MS + 9 * DAY_MS, BEGIN_MS + 10 * DAY_MS)
    assert (defence.threads, defence.answered) == (8, 2)
    assert defence.ratio == 0.25
    assert [a.account for a in defence.active] == ["a"]
    assert defence.active[0].answers == 2
    before = found.defence(BEGIN_MS, BEGIN_MS + 8 * DAY_MS)
    assert (before.threads, before.ratio, before.active) == (0, None, ())


def test_nobody_defends_against_himself_and_reposts_criticise_no_more() -> None:
    critic = post("a", 9, ANGER)
    again = post("a", 9.1, "+ solved, thanks", in_reply_to=critic.id)
    reposts = [post(f"r{i}", 9.2, ANGER, kind="repost", repost_of=critic.id) for i in range(9)]
    defence = seen([*steady("a", 20), critic, again, *reposts]).defence(0, 1 << 60)
    assert (defence.threads, defence.answered) == (1, 0)


def test_defending_counts_as_support() -> None:
    critics = [post(f"c{d}", d, ANGER) for d in range(10)]
    answers = [post("a", d + 0.1, "غير صحيح", in_reply_to=critics[d].id) for d in range(10)]
    (advocate,) = seen([*critics, *answers]).all()
    assert (advocate.supportive, advocate.answers) == (10, 10)


def test_batches_change_nothing() -> None:
    mentions = [*steady("a"), *steady("b", 9), *steady("c", text=ANGER)]
    replies = [post("b", d + 0.5, PRAISE, in_reply_to=f"c:{d}.0") for d in range(9)]
    every = mentions + replies
    one, many = seen(every, 1), seen(every, 1000)
    assert one.all() == many.all()
    assert one.defence(0, 1 << 60) == many.defence(0, 1 << 60)


def test_a_flood_of_accounts_drives_no_advocate_out() -> None:
    tribe = [m for i in range(10) for m in steady(f"a{i}")]
    flood = [
        post(f"f{i}", i / 600, (PRAISE, ANGER)[i % 2], in_reply_to=f"f{i - 1}:{(i - 1) / 600}")
        for i in range(6000)
    ]
    found = seen([*tribe, *flood], capacity=100)
    assert sorted(a.account for a in found.all()) == sorted(f"a{i}" for i in range(10))
    assert len(found) <= 125
    assert found.dropped > 2000
    assert found.threads_held() <= 2 * 4096


@given(st.lists(st.text(max_size=30), max_size=20))
def test_any_text_and_name_passes(texts: list[str]) -> None:
    mentions = [post(text or "?", i, text) for i, text in enumerate(texts)]
    nobody = Mention(id="n", platform="x", published_at=BEGIN, text="+ good")
    assert len(seen([*mentions, nobody])) <= len(mentions)


def test_a_capacity_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Advocates(0)
