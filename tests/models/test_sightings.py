"""The store of impostors: what adds up, what is told and when, and how much is kept."""

from __future__ import annotations

import random
from typing import Any

import pytest

from models.impersonation.findings import Reason, Suspect
from models.impersonation.sighted import distinct, note
from models.impersonation.sightings import (
    FIRED_AN_HOUR,
    KEPT_MS,
    MOST,
    WEAK_AN_HOUR,
    SightingStore,
    Told,
)
from models.records import Brand, Evidence, Sensitivity

START = 1_772_366_400_000
MINUTE, HOUR = 60_000, 3_600_000


def brand(sensitivity: Sensitivity = "balanced") -> Brand:
    return Brand(id="acme", names=("Acme",), sensitivity=sensitivity)


def suspect(who: str = "x\x007", points: float = 1.3, **more: Any) -> Suspect:
    reasons = (Reason("handle_support", points, who),)
    return Suspect(
        kind=more.pop("kind", "account"), who=who, points=points, reasons=reasons, **more
    )


def post(
    number: int = 0, *, at_ms: int = START, handle: str = "acme_help", reach: int = 5
) -> Evidence:
    return Evidence(
        id=f"m{number}", platform="x", published_ms=at_ms, text=f"text {number}", lang="en",
        label="neutral", negative=0.1, reach=reach, author_id="7", handle=handle,
    )  # fmt: skip


def see(store: SightingStore, number: int = 0, who: Suspect | None = None, **more: Any) -> None:
    angry = more.pop("angry", False)
    store.add(0, who or suspect(), post(number, **more), poster=7, angry=angry)


def only(told: list[Told]) -> Told:
    (one,) = told
    return one


def test_sightings_of_one_impostor_add_up() -> None:
    store = SightingStore([brand()])
    for i in range(30):
        answer = suspect(answered=i, victim=i % 10)
        see(store, i, answer, at_ms=START + i * MINUTE, angry=i % 10 < 4, reach=i)
    told = only(store.tell(START + HOUR))
    assert told.phase == "fired"
    seen = told.impostor
    assert (seen.sightings, seen.victims, seen.complained, seen.reach) == (30, 10, 4, 29)
    assert (seen.first_ms, seen.last_ms) == (START, START + 29 * MINUTE)
    assert (seen.last_hour, seen.last_day) == (20, 30)  # of whole ten minutes
    assert [p.id for p in told.posts] == ["m0", "m1", "m2", "m29", "m28", "m27"]


def test_what_it_asks_for_counts_beside_a_likeness_alone() -> None:
    asks = (Reason("asks_card", 0.8, "card"),)
    store = SightingStore([brand()])
    see(store, 0, suspect("x\x00a", 0.7, intents=asks))
    see(store, 1, suspect("x\x00b", 0.3, intents=asks))
    told = only(store.tell(START + MINUTE))
    assert told.impostor.score == pytest.approx(1 - 2**-1.5, abs=1e-3)
    assert told.impostor.reasons[0].what == "x\x00a"


def test_an_answer_to_a_complaint_is_a_reason() -> None:
    store = SightingStore([brand()])
    see(
        store, 0, suspect(intents=(Reason("offers_refund", 0.5),), answered=1, victim=2), angry=True
    )
    codes = [r.code for r in only(store.tell(START + MINUTE)).impostor.intents]
    assert codes == ["offers_refund", "replies_to_complainer"]


def test_a_new_handle_of_the_same_account_is_a_reason() -> None:
    store = SightingStore([brand()])
    see(store, 0, suspect(points=0.7), handle="acme_old")
    assert only(store.tell(START + MINUTE)).phase == "weak"
    see(store, 1, suspect(points=0.7), at_ms=START + HOUR, handle="acme_new")
    told = only(store.tell(START + HOUR + MINUTE))
    assert told.phase == "fired"
    assert told.impostor.earlier_handles == ("acme_old",)
    assert ("renamed", "acme_old") in [(r.code, r.what) for r in told.impostor.reasons]


def test_the_profile_of_the_brand_is_compared() -> None:
    store = SightingStore([brand()])
    see(store, 0, suspect(points=0.7, avatar="c3a5f08e1d2b4976"))
    assert only(store.tell(START + MINUTE)).phase == "weak"
    store.learn(0, Suspect("official", "x\x001", avatar="c3a5f08e1d2b4977"), START)
    told = only(store.tell(START + 2 * MINUTE))
    assert told.phase == "fired"
    assert "avatar_copied" in [r.code for r in told.impostor.reasons]


@pytest.mark.parametrize(
    ("sensitivity", "points", "phase"),
    [("sensitive", 0.8, "fired"), ("balanced", 0.8, "weak"), ("strict", 1.3, "weak"),
     ("strict", 2.0, "fired"), ("sensitive", 0.3, None)],
)  # fmt: skip
def test_the_line_is_that_of_the_brand(
    sensitivity: Sensitivity, points: float, phase: str | None
) -> None:
    store = SightingStore([brand(sensitivity)])
    see(store, 0, suspect(points=points))
    assert [t.phase for t in store.tell(START + MINUTE)] == ([phase] if phase else [])


def test_it_is_told_again_when_it_has_grown_or_after_hours() -> None:
    store = SightingStore([brand()])
    told = []
    for i in range(38):
        see(store, i, at_ms=START + i * MINUTE)
        told += store.tell(START + i * MINUTE + 1)
    sizes = [t.impostor.sightings for t in told]
    assert sizes == [1, 2, 3, 5, 8, 12, 18, 27]
    see(store, 41, at_ms=START + 2 * HOUR)
    assert store.tell(START + 2 * HOUR) == []
    assert only(store.tell(START + 7 * HOUR)).phase == "update"


def test_a_flood_is_bounded_told_of_in_part_and_counted() -> None:
    store = SightingStore([brand()])
    true = suspect("x\x00true", 2.5)
    many = 3_000
    for i in range(many):
        see(store, i, suspect(f"x\x00{i}", 1.2))
        if i % 50 == 0:
            see(store, i, true)
    assert len(store) <= 2 * MOST
    told = store.tell(START + MINUTE)
    assert len(told) == FIRED_AN_HOUR
    assert told[0].impostor.sightings == many / 50  # the surest first, and none of it is lost
    last = told[-1].impostor
    assert last.unlisted + FIRED_AN_HOUR == many + 1
    assert store.tell(START + 2 * MINUTE) == []
    assert len(store.tell(START + HOUR)) == FIRED_AN_HOUR
    size = sum(len(blob or b"") for _, blob in store.changes())
    assert size < 2 * MOST * 4_000


def test_doubtful_ones_are_noted_seldom() -> None:
    store = SightingStore([brand()])
    for i in range(60):
        see(store, i, suspect(f"x\x00{i}", 0.7))
    assert len(store.tell(START + MINUTE)) == WEAK_AN_HOUR


def test_one_impostor_takes_bounded_room_whatever_it_sends() -> None:
    store = SightingStore([brand()])
    for i in range(5_000):
        who = suspect(answered=i, victim=hash(str(i)) % 2**64, url=f"https://a.b/{i}" * 20)
        see(store, i, who, at_ms=START + i * MINUTE, handle=f"acme_{i}", angry=True)
    assert sum(len(blob or b"") for _, blob in store.changes()) < 20_000


def test_distinct_ones_are_estimated() -> None:
    held: list[int] = []
    rng = random.Random(5)
    keys = [rng.getrandbits(64) for _ in range(20_000)]
    for key in keys + keys:
        note(held, key)
    assert len(held) == 64
    assert distinct(held) == pytest.approx(20_000, rel=0.4)


def test_who_is_not_seen_for_a_week_is_forgotten() -> None:
    store = SightingStore([brand()])
    see(store)
    store.changes()
    store.thin(START + KEPT_MS)
    assert len(store) == 1
    store.thin(START + KEPT_MS + 1)
    assert len(store) == 0
    assert [blob for _, blob in store.changes()] == [None]


def test_a_restart_changes_nothing() -> None:
    rng = random.Random(3)
    whole, pieces = SightingStore([brand()]), {}
    parted = SightingStore([brand()])
    for i in range(600):
        who = suspect(f"x\x00{rng.randrange(200)}", rng.choice((0.5, 0.8, 1.3)), victim=i)
        more = {"at_ms": START + i * MINUTE, "reach": rng.randrange(99), "angry": i % 3 == 0}
        see(whole, i, who, **more)
        see(parted, i, who, **more)
        if i % 40 == 0:
            for name, blob in parted.changes():
                pieces = {k: v for k, v in pieces.items() if blob or not k.startswith(name)}
                if blob is not None:
                    pieces[name] = blob
            parted = SightingStore([brand()])
            parted.restore(pieces)
        assert whole.tell(START + i * MINUTE) == parted.tell(START + i * MINUTE)
