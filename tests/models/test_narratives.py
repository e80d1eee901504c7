"""Narratives and rumours in small streams whose truth is known, and bounds no attacker exceeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.narratives.clusters import Clusters, Vector
from models.narratives.detector import LEAST_ACCOUNTS, LEAST_MENTIONS, Narratives
from models.narratives.narrative import Distinct, Pace
from models.narratives.record import records
from models.records import Author, Brand, Mention, NarrativeRecord

BEGIN = datetime(2026, 3, 1, 0, tzinfo=UTC)
BRAND = Brand(id="acme", names=("Acme", "أكمي"), handles=("acme",), domains=("acme.example",))
_PARTS = ("ra", "li", "mo", "pe", "stu", "ka", "ne", "vo", "di", "ghu", "sha", "we")
WORDS = [f"{a}{b}{c}" for a in _PARTS for b in _PARTS for c in _PARTS]
DAY_MIN = 1440


def post(who: str, minute: float, text: str, **more: object) -> Mention:
    author = more.pop("author", None) or Author(id=who, handle=who, followers=len(who))
    at = BEGIN + timedelta(minutes=minute)
    return Mention(
        id=f"{who}-{minute}", platform="x", published_at=at, text=text, author=author, **more
    )


def calm(count: int, minutes: float = 2 * DAY_MIN, seed: int = 1) -> list[Mention]:
    """People who say different things."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(0, minutes, count)).tolist()
    return [post(f"p{i}", t, "acme " + " ".join(rng.choice(WORDS, 6))) for i, t in enumerate(at)]


def told(
    topic: str, openings: list[str], count: int, first_min: float, minutes: float, who: str = "r"
) -> list[Mention]:
    """People who tell of one topic in words of their own around it."""
    rng = np.random.default_rng(count)
    at = np.sort(rng.uniform(first_min, first_min + minutes, count)).tolist()
    return [
        post(f"{who}{i}", t, f"{openings[i % len(openings)]} {topic} {rng.choice(WORDS)}")
        for i, t in enumerate(at)
    ]


HEARSAY = ["they say", "I heard that", "is it true that", "sources say", "breaking news:"]
ARABIC = ["يقولون إن", "سمعت أن", "هل صحيح أن", "عاجل:", "مصادر:"]
CLAIM = "acme warehouse burned yesterday evening near harbour"
ARABIC_CLAIM = "مستودع أكمي احترق مساء أمس قرب الميناء القديم"


def find(
    mentions: list[Mention],
    size: int = 100,
    brand: Brand | None = BRAND,
    own: frozenset[str] = frozenset(),
    narratives: Narratives | None = None,
) -> list[NarrativeRecord]:
    mentions = sorted(mentions, key=lambda m: m.published_at)
    found = Narratives(brand) if narratives is None else narratives
    for first in range(0, len(mentions), size):
        part = mentions[first : first + size]
        arabic = ["ar" if any("\u0600" < c < "\u0700" for c in m.text) else "en" for m in part]
        negative = ["never" in m.text for m in part]
        found.observe(
            part, arabic, negative, [m.author is not None and m.author.id in own for m in part]
        )
    return records(found)


def rumours(mentions: list[Mention], **more: object) -> list[NarrativeRecord]:
    return [n for n in find(mentions, **more) if n.kind == "rumour"]  # type: ignore[arg-type]


def test_calm_talk_has_no_narratives() -> None:
    assert find(calm(1500)) == []


@pytest.mark.parametrize(
    ("claim", "openings", "language"), [(CLAIM, HEARSAY, "en"), (ARABIC_CLAIM, ARABIC, "ar")]
)
def test_a_claim_that_spreads_is_a_rumour(claim: str, openings: list[str], language: str) -> None:
    said = told(claim, openings, 120, 1.5 * DAY_MIN, 120)
    (rumour,) = rumours(calm(1500) + said)
    assert rumour.score > 0.8
    assert 115 <= rumour.mentions <= 125
    assert abs(rumour.accounts - rumour.mentions) <= 15
    assert list(rumour.languages) == [language]
    assert [c.account for c in rumour.carriers][:3] == ["r0", "r1", "r3"]  # r2 only asks
    assert rumour.carriers[0].followers == 2
    assert rumour.questions == 24
    assert rumour.found_ms is not None
    assert rumour.found_ms < said[40].published_at.timestamp() * 1000
    assert rumour.speed_peak > 40
    topic = claim.split()
    assert len([t for t in rumour.terms if t in topic]) >= 3
    assert rumour.texts[0].id.startswith("r")


def test_complaints_are_no_rumour() -> None:
    angry = told("my acme transfer never arrived and customer service hung up", ["why", "shame"],
                 150, 1.5 * DAY_MIN, 90)  # fmt: skip
    (narrative,) = find(calm(1500) + angry)
    assert narrative.kind == "narrative"
    assert narrative.score < 0.1
    assert narrative.negative_share == 1.0
    assert narrative.complaints == 150


def test_what_is_slowly_told_is_no_rumour() -> None:
    (narrative,) = find(calm(1500) + told(CLAIM, HEARSAY, 60, 0, 2 * DAY_MIN))
    assert narrative.kind == "narrative"
    assert narrative.claims > 40


def test_an_official_source_ends_a_rumour() -> None:
    said = told(CLAIM, HEARSAY, 120, 1.5 * DAY_MIN, 120)
    linked = [msgspec.structs.replace(m, links=("https://www.acme.example/a",)) for m in said[::5]]
    sourced = [m for i, m in enumerate(said) if i % 5] + linked
    (narrative,) = find(calm(1500) + sourced)
    assert narrative.kind == "narrative"
    assert narrative.sources == len(linked)
    lookalike = [msgspec.structs.replace(m, links=("https://notacme.example",)) for m in said]
    assert len(rumours(calm(1500) + lookalike)) == 1


def test_the_brand_itself_is_a_source() -> None:
    said = told(CLAIM, HEARSAY, 60, 1.5 * DAY_MIN, 120)
    answers = [post("acme", 1.5 * DAY_MIN + 30 + i, f"We confirm: {CLAIM}") for i in range(12)]
    (narrative,) = find(calm(1500) + said + answers, own=frozenset({"acme"}))
    assert narrative.kind == "narrative"
    assert narrative.sources == 12
    assert narrative.claims + narrative.questions == 60
    assert "acme" not in [c.account for c in narrative.carriers]


def test_known_news_counts_as_a_source() -> None:
    said = told(CLAIM, HEARSAY, 120, 1.5 * DAY_MIN, 120)
    news = [msgspec.structs.replace(m, links=("https://a.daily.example/1",)) for m in said]
    (unknown,) = find(calm(1500) + news)
    (known,) = find(calm(1500) + news, narratives=Narratives(BRAND, ["daily.example"]))
    assert unknown.sources == 0
    assert known.sources == 120
    assert known.score < unknown.score


def test_denials_and_questions_are_counted_apart() -> None:
    denied = told(CLAIM, ["it is not true that", "fake news:"], 30, 1.6 * DAY_MIN, 90, "d")
    asked = told(CLAIM, ["is it true that"], 20, 1.6 * DAY_MIN, 90, "q")
    (narrative,) = find(calm(1500) + denied + asked)
    assert (narrative.denials, narrative.questions, narrative.claims) == (30, 20, 0)


def test_reposts_and_replies_belong_to_what_they_answer() -> None:
    said = told(CLAIM, HEARSAY, 40, 1.5 * DAY_MIN, 60)
    end = 1.5 * DAY_MIN + 61
    answers = [post(f"a{i}", end + i, "غير صحيح", in_reply_to=said[i].id) for i in range(10)]
    reposts = [post(f"s{i}", end + i, "RT", kind="repost", repost_of=said[3].id) for i in range(10)]
    (rumour,) = rumours(calm(1500) + said + answers + reposts)
    assert rumour.mentions == 60
    assert rumour.denials == 10


def test_two_topics_at_once_are_two_narratives() -> None:
    other = "acme chairman sails around some southern islands"
    both = told(CLAIM, HEARSAY, 60, DAY_MIN, 120) + told(other, ["look,"], 60, DAY_MIN, 120, "o")
    found = find(calm(1000) + both)
    assert [n.mentions for n in found] == [60, 60]


def both_languages(extra: str) -> list[Mention]:
    said = told(f"{CLAIM} {extra}", HEARSAY, 60, 1.5 * DAY_MIN, 120)
    return said + told(f"{ARABIC_CLAIM} {extra}", ARABIC, 60, 1.5 * DAY_MIN, 120, "s")


@pytest.mark.parametrize(
    ("extra", "count"),
    [("", 2), ("https://leaks.example/7", 1), ("#harbourfire", 1), ("48,200", 1), ("2026", 2)],
)
def test_languages_are_joined_by_what_they_share(extra: str, count: int) -> None:
    found = rumours(calm(1500) + both_languages(extra))
    assert len(found) == count
    if count == 1:
        assert found[0].languages == {"ar": 60, "en": 60}


def test_what_everybody_shares_joins_nobody() -> None:
    tagged = [msgspec.structs.replace(m, text=m.text + " #riyadh") for m in calm(1500)]
    assert len(rumours(tagged + both_languages("#riyadh"))) == 2


def test_narratives_that_become_alike_are_one() -> None:
    clusters = Clusters(8)
    one = clusters.open(Vector([1, 2, 3], [5.0, 5.0, 5.0]))
    other = clusters.open(Vector([4, 5, 6], [5.0, 5.0, 5.0]))
    assert clusters.alike(one) is None
    for _ in range(5):
        clusters.add(other, Vector([1, 2, 3, 4], [5.0, 5.0, 5.0, 5.0]))
    assert clusters.alike(one) == other
    clusters.merge(one, other)
    assert len(clusters) == 1
    assert clusters.nearest(Vector([4, 1], [5.0, 5.0]))[0] == one


def test_a_narrative_keeps_its_name_and_lives_across_days() -> None:
    first = told(CLAIM, HEARSAY, 30, 600, 60)
    again = told(CLAIM, HEARSAY, 30, 600 + 2 * DAY_MIN, 60, "z")
    (early,) = find(calm(1500, 3 * DAY_MIN)[:700] + first)
    (late,) = find(calm(1500, 3 * DAY_MIN) + first + again)
    assert early.id == late.id
    assert late.first_ms == early.first_ms
    assert late.mentions == 60


def test_batches_change_nothing() -> None:
    mentions = both_languages("#harbourfire") + calm(600)
    assert find(mentions, 1) == find(mentions, 37) == find(mentions, 10_000)


def test_new_rumours_are_told_once() -> None:
    found, new = Narratives(BRAND), []
    mentions = sorted(
        calm(1500) + told(CLAIM, HEARSAY, 120, 1.5 * DAY_MIN, 120), key=lambda m: m.published_at
    )
    for mention in mentions:
        new += found.observe([mention], ["en"])
    assert len(new) == 1


def test_who_looks_changes_nothing() -> None:
    mentions = sorted(
        calm(1500) + told(CLAIM, HEARSAY, 120, 1.5 * DAY_MIN, 120), key=lambda m: m.published_at
    )
    looked, new = Narratives(BRAND), 0
    for first in range(0, len(mentions), 20):
        part = mentions[first : first + 20]
        new += len(looked.observe(part, ["en"] * len(part), [False] * len(part)))
        records(looked)
    assert new == 1
    assert records(looked) == find(mentions)


def test_memory_is_bounded() -> None:
    """A flood of texts, accounts, links, hashtags, numbers, platforms that are all different."""
    rng = np.random.default_rng(9)
    found = Narratives(BRAND, capacity=50)
    for start in range(0, 6000, 1000):
        flood = [
            post(f"f{i}", i / 1000, f"#tag{i} {i}1234 " + " ".join(rng.choice(WORDS, 20)),
                 links=(f"https://e.example/{i}",), in_reply_to=f"no-{i}")
            for i in range(start, start + 1000)
        ]  # fmt: skip
        found.observe(flood, [f"l{m.id}" for m in flood])
    assert len(found) <= 63
    assert found.clusters.words_held() <= 2 * 63 * 48
    assert found.passed > 1000
    assert len(found.samples) <= 63 * 12
    assert found.remembered() <= 2 * 2048


def test_one_narrative_is_bounded() -> None:
    """A flood that all belongs together, from accounts, platforms and hours that differ."""
    flood = [
        msgspec.structs.replace(m, platform=f"p{i}")
        for i, m in enumerate(told(CLAIM, ["they say"], 5000, 0, 100 * DAY_MIN))
    ]
    (found,) = find(flood)
    assert found.mentions == 5000
    assert len(found.platforms) <= 17
    assert found.accounts == pytest.approx(5000, rel=0.3)


def test_told_and_forgotten_is_counted() -> None:
    found = Narratives(capacity=5)
    topics = [" ".join(WORDS[8 * i : 8 * i + 8]) for i in range(40)]
    posts = [post(f"k{i}-{j}", 10 * i + j, t) for i, t in enumerate(topics) for j in range(6)]
    find(posts, narratives=found, brand=None)
    assert found.dropped >= 33
    assert found.passed == 0


def test_what_few_say_is_not_told() -> None:
    def one(accounts: int, times: int) -> list[Mention]:
        return [post(f"k{i % accounts}", i, " ".join(WORDS[:8])) for i in range(times)]

    assert find(one(LEAST_ACCOUNTS - 1, 20), brand=None) == []
    assert find(one(LEAST_ACCOUNTS, LEAST_MENTIONS - 1), brand=None) == []
    assert len(find(one(LEAST_ACCOUNTS, LEAST_MENTIONS), brand=None)) == 1


def test_late_and_strange_mentions_do_no_harm() -> None:
    odd = [
        post("a", 5, ""),
        post("b", 4, "\u200b" * 100),
        post("c", 3, "\ud800 #\u202e \udfff they say" * 30),
        post("d", 2, "they say " + "\u0661\u0662\u0663\u0664\u0665 ٬٫.,1 " * 50),
        post("e", -DAY_MIN * 365, CLAIM),
        Mention(id="n", platform="x", published_at=BEGIN, text=CLAIM),
        post("f", 1, "#" * 500, links=("", "https://", "//[", "\ud800")),
        post("g", 1, "9" * 4000 + " " + "1.2.3.4.5" * 90),
    ]
    found = Narratives(BRAND)
    found.observe(odd + odd[::-1], ["other"] * 16)
    assert find(odd * 3) == []


@given(st.lists(st.text(max_size=80), max_size=40))
def test_any_text_passes_and_batches_change_nothing(texts: list[str]) -> None:
    posts = [post(f"u{i}", i, text) for i, text in enumerate(texts)]
    assert find(posts, 1) == find(posts, 7)


def test_distinct_accounts_are_estimated() -> None:
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 1 << 32, 20_000).tolist()
    seen, half = Distinct(), Distinct()
    for h in hashes[:10_000]:
        seen.add(h)
    for h in [*hashes[5_000:], *hashes[5_000:]]:
        half.add(h)
    assert seen.count == pytest.approx(10_000, rel=0.25)
    seen.absorb(half)
    assert seen.count == pytest.approx(20_000, rel=0.25)


def test_pace() -> None:
    hour = 3_600_000
    pace = Pace(0)
    for h in range(200):
        for _ in range(3):
            pace.add(h * hour)
    assert pace.now(199 * hour) == 3
    assert pace.before(199 * hour) == (72, 24.0)
    assert pace.fastest() == 3


@pytest.mark.parametrize("capacity", [0, -3])
def test_a_capacity_that_is_none_is_refused(capacity: int) -> None:
    with pytest.raises(ValueError, match="capacity"):
        Narratives(capacity=capacity)
