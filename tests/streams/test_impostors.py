"""Impostors in the stages: the same signals in any batches, after restarts, and through Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from models.records import Author, Brand, Listed, Mention, Observations, OfficialAccount, Signal
from streams.detect import DetectStage
from streams.kafka.merge import Merge
from streams.kafka.packing import Slice, marks_of, pack, unpack
from streams.score import ScoreStage
from streams.sentiment import SentimentSettings, open_sentiment
from tests.observing import LEXICON, Store

START = datetime(2026, 3, 1, tzinfo=UTC)
BRANDS = (
    Brand(
        id="acme",
        names=("Acmezon", "أكميزون"),
        handles=("acmezon",),
        accounts=(OfficialAccount(platform="x", id="1", handle="acmezon"),),
        domains=("acmezon.com",),
        allow=(Listed(owner="Sara", reason="fans", handle="acmezon_care"),),
    ),
    Brand(id="bolt", names=("Boltavia",), handles=("boltavia",), domains=("boltavia.sa",)),
)


@cache
def score() -> ScoreStage:
    return ScoreStage(BRANDS, open_sentiment(SentimentSettings()))


def post(number: int, second: float, text: str, author: Author, **more: object) -> Mention:
    at = START + timedelta(seconds=second)
    given = {"id": f"m{number}", "platform": "x", "published_at": at, "text": text}
    return Mention(**given, author=author, **more)


@cache
def mentions() -> tuple[Mention, ...]:
    """Two hours: complaints, a fake support account that answers them, a look-alike domain."""
    rng = np.random.default_rng(7)
    made: list[Mention] = []
    fake = Author(id="66", handle="acmezon_help", name="Acmezon Support", followers=12)
    known = Author(id="67", handle="acmezon_care", name="Acmezon Care")
    own = Author(id="1", handle="acmezon", bio="We are here to help you every day", followers=9)
    for i in range(180):
        at = i * 40 + rng.uniform(0, 20)
        someone = Author(id=f"u{i}", handle=f"user{i}")
        made.append(post(len(made), at, "@acmezon terrible, the app is broken", someone))
        if i % 5 == 3:
            # neither names the brand: only its author speaks for it
            text = f"@user{i} sorry! DM us your card number for a refund"
            parent = made[-1].id
            made.append(post(len(made), at + 9, text, fake, kind="reply", in_reply_to=parent))
            made.append(post(len(made), at + 10, "@acmezon hello", known))
        if i % 11 == 4:
            link = "verify https://boltavia-login.top/verify now"
            made.append(post(len(made), at + 12, link, Author(id=f"p{i % 3}", handle=f"offer{i}")))
        if i % 60 == 30:
            made.append(post(len(made), at + 15, "Acmezon is here to help", own))
    return tuple(sorted(made, key=lambda m: m.published_at))


def stage() -> DetectStage:
    return DetectStage(BRANDS, LEXICON)


def batches(size: int) -> Iterator[Observations]:
    for first in range(0, len(mentions()), size):
        yield score().score(mentions()[first : first + size])


@cache
def expected() -> tuple[Signal, ...]:
    into = stage()
    return tuple(s for batch in batches(10_000) for s in into.detect(batch))


def test_both_are_found_with_whom_they_answered() -> None:
    told = [s for s in expected() if s.impostor is not None]
    first = {s.kind: s for s in reversed(told)}
    last = {s.kind: s for s in told}
    assert {k: s.phase for k, s in first.items()} == {"impersonation": "fired", "phishing": "fired"}
    fake, link = last["impersonation"], last["phishing"]
    assert (fake.brand, link.brand) == ("acme", "bolt")
    assert fake.impostor is not None
    assert fake.impostor.handle == "acmezon_help"
    assert fake.impostor.complained == fake.impostor.victims >= 25
    assert link.impostor is not None
    assert link.impostor.domain == "boltavia-login.top"
    assert len({s.id for s in told}) == len(told)


def test_what_speaks_of_no_brand_is_not_counted_as_its_mention() -> None:
    observations = score().score(mentions())
    replies = [i for i, m in enumerate(observations.mention) if m.in_reply_to]
    assert replies
    assert observations.own[replies].all()
    assert set(replies) <= observations.suspects.keys()


@pytest.mark.parametrize("size", [1, 7, 100])
def test_batches_change_nothing(size: int) -> None:
    into = stage()
    assert tuple(s for batch in batches(size) for s in into.detect(batch)) == expected()


def test_a_restart_changes_nothing() -> None:
    store, into, told = Store(), stage(), []
    for batch in batches(23):
        told += into.detect(batch)
        store.save(into)
        into = stage()
        into.restore(dict(store.pieces))
    assert tuple(told) == expected()


def test_a_brand_that_goes_takes_its_impostors_with_it() -> None:
    store, into = Store(), stage()
    for batch in batches(100):
        into.detect(batch)
    store.save(into)
    fewer = DetectStage(BRANDS[1:], LEXICON)
    fewer.restore(dict(store.pieces))
    store.save(fewer)
    names = [name for name in store.pieces if name.startswith("impostors/")]
    assert names
    assert all(name.startswith("impostors/bolt/") for name in names)


def test_what_is_sent_twice_counts_once() -> None:
    into, told = stage(), []
    for batch in batches(50):
        told += into.detect(batch) + into.detect(batch)
    assert impostors(told) == impostors(expected())


def impostors(signals: Iterable[Signal]) -> list[Signal]:
    return [signal for signal in signals if signal.impostor is not None]


def test_partitions_of_kafka_change_nothing() -> None:
    """Mentions of three partitions, packed, merged and released as they come."""
    merge = Merge([b.id for b in BRANDS], 3, 0)
    into, told = stage(), []
    parts = [mentions()[i::3] for i in range(3)]
    offset = 0
    for first in range(0, len(parts[0]) + 20, 20):
        for number, part in enumerate(parts):
            some = part[first : first + 20]
            observations = score().score(some)
            high = max(round(m.published_at.timestamp() * 1000) for m in part[: first + 20])
            ended = first + 20 >= len(part)
            told_ms = marks_of(observations.published_ms[~observations.own])
            slices = [Slice(number, high, 10**15 if ended else None, told_ms)]
            to = np.zeros(len(BRANDS), dtype=np.int64)
            for _, value in pack(observations, [b.id for b in BRANDS], to, 1, slices, 0):
                merge.add(offset, unpack(value))
                offset += 1
            released = merge.release()
            if released is not None:
                told += into.detect(released)
    assert len(merge) == 0
    assert impostors(told) == impostors(expected())
