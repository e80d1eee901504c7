"""What is seen though no figure rises: rumours and groups, told once, whatever the batches."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from models.lookout import Lookout
from models.records import COORDINATION, RUMOUR, SIGHTS, Author, Brand, Kind, Signal
from models.watching import Watch
from streams.config import load
from streams.replay import replay
from streams.simulate import SimulationSpec, synthetic_brands, write
from streams.sources import open_source
from tests.models.test_narratives import ARABIC, ARABIC_CLAIM, CLAIM, HEARSAY, WORDS
from tests.observing import HOUR_MS, MINUTE_MS, START_MS, Store, Stream, delayed, merged, stream
from tests.observing import detect as fold
from tests.observing import stage as new_stage

ACME = Brand(id="acme", names=("Acme", "أكمي"))
BRANDS = (Brand(id="other", names=("Other",)), ACME)
BEGIN_MS = START_MS + 24 * HOUR_MS
END_MS = BEGIN_MS + 4 * HOUR_MS
LATENESS_MS = 600_000


def posts(
    who: str, times: np.ndarray, texts: Sequence[str], accounts: int, label: int, brand: int = 1
) -> Stream:
    """Mentions by accounts in turn."""
    held = stream(brand, np.sort(times), label, seed=len(who) + len(times))
    mentions = [
        msgspec.structs.replace(
            m, id=f"{who}{i}", text=texts[i % len(texts)],
            author=Author(id=f"{who}{i % accounts}", handle=f"{who}{i % accounts}"),
        )
        for i, m in enumerate(held.mention)
    ]  # fmt: skip
    return Stream(*held._arrays()[:4], held.platform, mentions, held.own)


@cache
def talk(rate: int = 60) -> Stream:
    """A day and more in which everybody says something else."""
    rng = np.random.default_rng(3)
    count = 28 * rate
    times = rng.integers(START_MS, END_MS, count)
    texts = [f"acme {' '.join(rng.choice(WORDS, 6))}" for _ in range(count)]
    other = posts("o", rng.integers(START_MS, END_MS, 100), ["other thing"], 100, 1, brand=0)
    return merged(posts("p", times, texts, count, 1), other)


def rumour(count: int = 40, *, label: int = 0, arabic: bool = False) -> Stream:
    """A claim that many pass on within an hour."""
    rng = np.random.default_rng(count)
    times = BEGIN_MS + rng.integers(0, 50 * MINUTE_MS, count)
    how, claim = (ARABIC, ARABIC_CLAIM) if arabic else (HEARSAY, CLAIM)
    words = claim.split()  # each in words of their own: who copies is no crowd that retells
    texts = [
        " ".join([how[i % len(how)], *rng.choice(words, 4, replace=False), *rng.choice(WORDS, 4)])
        for i in range(count)
    ]
    return posts("r", times, texts, count, label)


def puppets(accounts: int = 10, *, label: int = 0, handle: str = "k") -> Stream:
    """Ten accounts that post the same two texts within an hour."""
    rng = np.random.default_rng(accounts)
    texts = [f"shame on acme {' '.join(WORDS[i * 9 : i * 9 + 9])}" for i in range(2)]
    times = BEGIN_MS + rng.integers(0, 50 * MINUTE_MS, 2 * accounts)
    said = [texts[i // accounts % 2] for i in range(2 * accounts)]
    return posts(handle, times, said, accounts, label)


def sights(events: Stream, size: int = 500, brands: Sequence[Brand] = BRANDS) -> list[Signal]:
    signals, _ = fold(events.cut(size), new_stage(brands))
    return [s for s in signals if s.kind in SIGHTS]


@pytest.mark.parametrize("arabic", [False, True])
def test_a_rumour_is_told_once_and_then_as_going_on(arabic: bool) -> None:
    first, *more = sights(merged(talk(), rumour(arabic=arabic)))
    assert (first.kind, first.phase, first.brand) == (RUMOUR, "fired", "acme")
    assert {s.phase for s in more} <= {"update"}
    assert {s.narratives[0].id for s in more} <= {first.narratives[0].id}
    assert BEGIN_MS + 20 * MINUTE_MS <= first.at_ms <= BEGIN_MS + 70 * MINUTE_MS
    (told,) = first.narratives
    assert told.kind == RUMOUR
    assert {c.account for c in told.carriers} <= {f"r{i}" for i in range(40)}
    assert first.told_negative == 1.0
    assert all(e.id.startswith("r") for e in first.evidence)


def test_ten_quiet_accounts_that_act_together_are_told() -> None:
    first, *more = sights(merged(talk(), puppets()))
    assert (first.kind, first.phase) == (COORDINATION, "fired")
    assert {s.phase for s in more} <= {"update"}
    (group,) = first.groups
    assert set(group.accounts) <= {f"k{i}" for i in range(10)}
    assert len(group.accounts) >= 5
    assert set(more[-1].groups[0].accounts) == {f"k{i}" for i in range(10)}
    assert first.coordinated_share == first.told_share
    inside = [b for b in first.bars if b.coordinated]
    assert inside
    assert all(b.start_ms >= BEGIN_MS for b in inside)


def test_calm_talk_shows_nothing() -> None:
    assert sights(talk()) == []


def test_one_post_that_many_repost_is_no_group() -> None:
    cascade = puppets(30)
    reposts = [
        msgspec.structs.replace(m, kind="repost", repost_of="root", text=cascade.mention[0].text)
        for m in cascade.mention
    ]
    events = Stream(*cascade._arrays()[:4], cascade.platform, reposts, cascade.own)
    assert sights(merged(talk(), events)) == []


@pytest.mark.parametrize("allies", [tuple(f"@K{i}" for i in range(10)), ("x:k1", "@k2", "@k3")])
def test_allies_make_no_group(allies: tuple[str, ...]) -> None:
    friends = msgspec.structs.replace(ACME, allies=allies)
    found = sights(merged(talk(), puppets()), brands=(BRANDS[0], friends))
    named = {account for s in found for g in s.groups for account in g.accounts}
    assert not named & {a.lstrip("@x:").lower() for a in allies}
    assert bool(found) == (len(allies) < 10)


def test_batches_order_and_restarts_change_nothing() -> None:
    events = delayed(merged(talk(), rumour(), puppets(handle="kk")), seed=4)
    whole, _ = fold(events.cut(1_000_000), new_stage(BRANDS))
    assert {s.kind for s in whole} >= set(SIGHTS)
    assert fold(events.cut(37), new_stage(BRANDS))[0] == whole
    store, running, signals = Store(), new_stage(BRANDS), list[Signal]()
    for batch in events.cut(150):
        signals += running.detect(batch)
        store.save(running)
        running = store.load(BRANDS)
    assert signals == whole
    in_order = merged(talk(), rumour(), puppets(handle="kk"))
    seen = [s for s in fold(in_order.cut(500), new_stage(BRANDS))[0] if s.kind in SIGHTS]
    assert [s.narratives + s.groups for s in seen] == [
        s.narratives + s.groups for s in whole if s.kind in SIGHTS
    ]


def test_what_was_told_stays_told_when_brands_move() -> None:
    events = merged(talk(), rumour(80), puppets(20, handle="kk"))
    first = fold(events.cut(500), new_stage(BRANDS))[0]
    fired = next(s for s in first if s.kind == RUMOUR and s.phase == "fired")
    until = int(np.searchsorted(events.published_ms, fired.at_ms))
    store, early = Store(), new_stage(BRANDS)
    fold(events.take(slice(0, until + 1)).cut(500), early)
    store.save(early)
    moved = store.load(BRANDS[::-1])
    rest = events.take(slice(until + 1, len(events)))
    turned = Stream(1 - rest.brand, *rest._arrays()[1:4], rest.platform, rest.mention, rest.own)
    later = [s for s in fold(turned.cut(500), moved)[0] if s.kind in SIGHTS]
    as_before = [s for s in first if s.kind in SIGHTS][-len(later) :]
    assert any(s.phase == "update" for s in later)
    assert [(s.phase, s.narratives, s.groups) for s in later] == [
        (s.phase, s.narratives, s.groups) for s in as_before
    ]


def test_an_idle_source_still_brings_what_is_seen() -> None:
    events = merged(talk(), puppets())
    events = events.take(events.published_ms < BEGIN_MS + 50 * MINUTE_MS)
    signals, runs = fold(events.cut(500), new_stage(BRANDS))
    later = runs.advance(BEGIN_MS + 3 * HOUR_MS)
    assert COORDINATION in {s.kind for s in [*signals, *later]}
    assert [s.at_ms for s in later if s.kind in SIGHTS] == sorted(
        s.at_ms for s in later if s.kind in SIGHTS
    )


def test_a_stored_state_holds_little_of_what_was_told() -> None:
    store = Store()
    _, runs = fold(merged(talk(), rumour(), puppets()).cut(500), new_stage(BRANDS))
    store.save(runs)
    told = {k: len(v) for k, v in store.pieces.items() if k.startswith("lookout/")}
    assert 0 < sum(told.values()) < 4096


def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What is looked at closely from now on."""
    seen: list[list[int]] = []
    for name in ("claims", "shared"):
        asked = getattr(Watch, name)

        def spy(self: Watch, at: int, asked: Callable[[Watch, int], list[int]] = asked) -> object:
            seen.append(asked(self, at))
            return seen[-1]

        monkeypatch.setattr(Watch, name, spy)
    return seen


def test_nobody_is_looked_at_closely_while_all_is_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = looked_at(monkeypatch)
    sights(talk())
    assert len(seen) > 100
    assert not any(seen)


def shared_by(accounts: int, kind: Kind, roots: int) -> Stream:
    """One link and one hashtag from each, passed on with some posts or in words of their own."""
    rng = np.random.default_rng(1)
    texts = [f"{' '.join(rng.choice(WORDS, 6))} #late https://a.example/1" for _ in range(accounts)]
    each = posts("s", BEGIN_MS + rng.integers(0, 50 * MINUTE_MS, accounts), texts, accounts, 1)
    for i, mention in enumerate(each.mention):
        if kind == "repost":
            mention = msgspec.structs.replace(mention, text=f"RT @first: {texts[i % roots]}")
        each.mention[i] = msgspec.structs.replace(
            mention, kind=kind, repost_of=f"root{i % roots}" if roots else None
        )
    return each


@pytest.mark.parametrize(
    ("kind", "roots", "looked"),
    [
        ("post", 0, True),
        ("repost", 1, False),  # the audience of a post
        ("repost", 6, False),
        ("quote", 1, True),  # what they add is theirs
        ("quote", 12, True),
    ],
)
def test_who_shares_is_looked_at_and_an_audience_is_not(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, roots: int, looked: bool
) -> None:
    seen = looked_at(monkeypatch)
    sights(merged(talk(), shared_by(12, kind, roots)))
    assert any(seen) is looked


@pytest.mark.parametrize(("common", "looked"), [(1, False), (2, True)])
def test_who_reposts_the_same_two_posts_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, common: int, looked: bool
) -> None:
    seen = looked_at(monkeypatch)
    each = posts("s", BEGIN_MS + np.arange(24) * MINUTE_MS, ["acme"], 12, 1)
    for i, mention in enumerate(each.mention):
        root = f"root{i // 12}" if i // 12 < common else f"another{i}"
        each.mention[i] = msgspec.structs.replace(mention, kind="repost", repost_of=root)
    sights(merged(talk(), each))
    assert any(seen) is looked


LONG = Brand(id="acme", names=("Acme United Holding",))


@pytest.mark.parametrize(
    ("brands", "slogan", "looked"),
    [
        ((BRANDS[0], LONG), "", False),
        (BRANDS, "", True),  # where it is no name
        ((msgspec.structs.replace(LONG, id="other"), ACME), "", True),  # but another's
        ((BRANDS[0], msgspec.structs.replace(ACME, keywords=LONG.names)), "", True),
        ((BRANDS[0], LONG), "nothing but shameless thieves", True),
    ],
)
def test_the_name_of_the_brand_makes_no_copies(
    monkeypatch: pytest.MonkeyPatch, brands: tuple[Brand, ...], slogan: str, looked: bool
) -> None:
    seen = looked_at(monkeypatch)
    rng = np.random.default_rng(1)
    said = [slogan or " ".join(rng.choice(WORDS, 2)) for _ in range(60)]
    texts = [f"acme united holding {each}" for each in said]
    times = BEGIN_MS + rng.integers(0, 50 * MINUTE_MS, 60)
    sights(merged(talk(), posts("n", times, texts, 60, 1)), brands=brands)
    assert any(seen) is looked


def test_talk_in_set_phrases_is_seldom_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """There somebody always shares something new; looks would cost more than all else together."""
    looked = Counter[str]()
    for name in ("_groups", "_rumours"):
        asked = getattr(Lookout, name)

        def spy(*given: Any, name: str = name, asked: Callable[..., Any] = asked) -> Any:
            looked[name] += 1
            return asked(*given)

        monkeypatch.setattr(Lookout, name, spy)
    hours, brands = 10, synthetic_brands(4)
    spec = SimulationSpec("calm", seed=1, brands=brands, days=hours / 24, rate_per_hour=1000)
    with (tmp_path / "mentions.jsonl").open("wb") as lines:
        write([spec], lines, truth=None, config=None)
    settings = json.dumps({"brands": [b.config() for b in brands]})
    (tmp_path / "nadhir.yaml").write_text(settings)
    config = load(tmp_path / "nadhir.yaml", {})
    with closing(open_source(str(tmp_path / "mentions.jsonl"))) as source:
        replay(source, config, tmp_path / "nadhir.db")
    assert 0 < looked["_groups"] < 0.33 * 2 * hours * len(brands)
    assert 0 < looked["_rumours"] < 0.1 * 6 * hours * len(brands)


def test_what_is_said_comes_with_a_rise() -> None:
    whole, _ = fold(merged(talk(), rumour(400)).cut(500), new_stage(BRANDS))
    rises = [s for s in whole if s.kind == "negative_count" and s.phase != "weak"]
    assert rises
    assert any(s.narratives and s.narratives[0].kind == RUMOUR for s in rises)
    assert all(len(s.bars) == 18 for s in rises if s.bars)
    late = rises[-1]
    assert sum(b.mentions for b in late.bars) > 100
