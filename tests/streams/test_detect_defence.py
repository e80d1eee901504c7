"""Who stands by the brand: accounts that praise it on many days, and whom they answer."""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np

from models.coordination.posts import PostStore
from models.narratives.supporters import CAPACITY, Stored, Supporters
from models.records import Author, Brand, Signal
from tests.observing import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, Store, Stream, merged, stream
from tests.observing import detect as fold
from tests.observing import stage as new_stage

BRANDS = (Brand(id="acme", names=("Acme",)), Brand(id="bolt", names=("Bolt",)))
CRISIS_MS = START_MS + 9 * DAY_MS


def posts(
    who: str, times: np.ndarray, label: int, accounts: int, answers: str | None = None
) -> Stream:
    """Mentions by accounts in turn, or answers to the mentions of others."""
    held = stream(0, np.sort(times), label, seed=len(who) + len(times))
    mentions = [
        msgspec.structs.replace(
            m, id=f"{who}{i}", text=f"acme {who} {i}", kind="reply" if answers else "post",
            in_reply_to=f"{answers}{i}" if answers else None,
            author=Author(id=f"{who}{i % accounts}", handle=f"{who}{i % accounts}"),
        )
        for i, m in enumerate(held.mention)
    ]  # fmt: skip
    return Stream(*held._arrays()[:4], held.platform, mentions, held.own)


@cache
def days() -> Stream:
    """Nine days of quiet talk in which two accounts praise the brand every other day."""
    rng = np.random.default_rng(2)
    quiet = rng.integers(START_MS, CRISIS_MS + 3 * HOUR_MS, 2000)
    steady = START_MS + np.repeat(np.arange(0, 9, 2), 2) * DAY_MS + 8 * HOUR_MS + np.arange(10)
    eager = START_MS + 8 * DAY_MS + np.arange(12) * 10 * MINUTE_MS  # all on one day
    return merged(
        posts("p", quiet, 1, 2000), posts("ally", steady, 2, 2), posts("eager", eager, 2, 1)
    )


@cache
def crisis() -> Stream:
    """Eighty critics within an hour; the first ten are answered by an ally at once."""
    times = CRISIS_MS + np.arange(80) * 40_000
    critics = posts("critic", times, 0, 80)
    answer = posts("ally", times[:10] + 20_000, 2, 1, answers="critic")
    answer = Stream(
        *answer._arrays()[:4], answer.platform,
        [msgspec.structs.replace(m, id=f"answer{i}") for i, m in enumerate(answer.mention)],
        answer.own,
    )  # fmt: skip
    return merged(days(), critics, answer)


@cache
def told() -> list[Signal]:
    """What the crisis gives in one batch."""
    return fold(crisis().cut(1_000_000), new_stage(BRANDS))[0]


def learned(events: Stream) -> Supporters:
    """What is known after some posts, hour by hour."""
    found = Supporters(BRANDS)
    for hour in np.unique(events.published_ms // HOUR_MS).tolist():
        posts = PostStore(len(BRANDS))
        inside = events.take(events.published_ms // HOUR_MS == hour)
        posts.add(inside.observations(), np.arange(len(inside)))
        found.learn(posts, hour, hour + 1)
    return found


def rises(signals: list[Signal]) -> list[Signal]:
    return [s for s in signals if s.phase != "weak" and s.kind == "negative_count"]


def test_a_crisis_names_the_advocates_that_are_active_and_whom_they_answer() -> None:
    late = [s for s in rises(told()) if s.window_min == 60 and s.at_ms > CRISIS_MS + 30 * 60_000]
    assert late
    defence = late[-1].defence
    assert defence is not None
    assert [a.account for a in defence.advocates] == ["ally0"]
    assert defence.active == 1
    assert defence.advocates[0].days == 5
    assert 40 <= defence.threads <= 80
    assert 0 < defence.answered <= 10


def test_batches_and_restarts_change_nothing() -> None:
    whole = told()
    assert any(s.defence for s in whole)
    store, running, signals = Store(), new_stage(BRANDS), list[Signal]()
    for batch in crisis().cut(700):
        signals += running.detect(batch)
        store.save(running)
        running = store.load(BRANDS)
    assert signals == whole


def test_advocates_move_with_their_brand() -> None:
    known, moved = learned(days()), Supporters(BRANDS[::-1])
    pieces = {name: piece for name, piece in known.changes() if piece is not None}
    assert known.changes() == []
    moved.restore(pieces)
    assert len(moved) == len(known) > 0
    assert not moved._accounts[0]
    assert moved._accounts[1] == known._accounts[0]
    gone = Supporters((Brand(id="new", names=("New",)),))
    gone.restore(pieces)
    assert len(gone) == 0


def test_a_flood_of_admirers_replaces_only_each_other() -> None:
    times = START_MS + 5 * DAY_MS + np.arange(4000) * 8_000
    known = learned(merged(days(), posts("fan", times, 2, 4000)))
    assert len(known) <= 1.25 * CAPACITY
    (piece,) = [piece for _, piece in known.changes() if piece is not None]
    shown = {a.shown for a in Stored.read(piece).accounts.values()}
    assert {"ally0", "ally1"} <= shown
    assert any(name.startswith("fan") for name in shown)
    assert len(piece) < 64 << 10


def test_nobody_known_is_no_defence() -> None:
    nobody = PostStore(1).sample(0, 0, 1)
    assert Supporters(BRANDS).defence(0, nobody, 0, 1) is None
