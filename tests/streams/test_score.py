"""Stage score: which brands a mention is about, in which language, how it speaks, who wrote it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from models.records import LABELS, Author, Brand, Engagement, Mention, OfficialAccount
from models.sentiment import load
from streams.score import ScoreStage

AT = datetime(2026, 3, 1, 9, 0, 0, 250_000, tzinfo=UTC)
ACME = Brand(
    id="acme",
    names=("Acme", "أكمي"),
    keywords=("acme card",),
    exclude=("acme brick",),
    handles=("acme", "Acme_SA"),
    accounts=(OfficialAccount(platform="x", id="42", handle="acme"),),
    domains=("acme.com",),
)
SAQR = Brand(id="saqr", names=("Saqr Air", "طيران صقر"), handles=("saqrair",))


@pytest.fixture(scope="module")
def stage() -> ScoreStage:
    return ScoreStage((ACME, SAQR), load())


def mention(text: str, **more: Any) -> Mention:
    return Mention(**{"id": "1", "platform": "x", "published_at": AT, "text": text, **more})


TABLE = [
    ("The Acme app is down again, worst bank ever", ["acme"], "en", "negative"),
    ("تطبيق أكمي معطل منذ الصباح وخدمة العملاء سيئة جدا", ["acme"], "ar", "negative"),
    ("شكرا أكمي، خدمة رائعة وسريعة والله أفضل بنك", ["acme"], "ar", "positive"),
    ("I love Acme, great service and the best app", ["acme"], "en", "positive"),
    ("أكمي تعلن مواعيد العمل في العيد", ["acme"], "ar", "neutral"),
    ("بأكمي والأكمي ما تغير شيء", ["acme"], "ar", None),
    ("أَكْمِيـــــ تعلن", ["acme"], "ar", None),
    ("look at #Acme_Card today", ["acme"], "en", None),
    ("hello @acme_sa where is my card", ["acme"], "en", None),
    ("سافرت مع طيران صقر والحمد لله", ["saqr"], "ar", None),
    ("I built a house with acme brick", [], None, None),
    ("the acmeist poets", [], None, None),
    ("nothing to see here", [], None, None),
    ("", [], None, None),
]


@pytest.mark.parametrize(("text", "brands", "lang", "label"), TABLE)
def test_brand_language_and_label(
    stage: ScoreStage, text: str, brands: list[str], lang: str | None, label: str | None
) -> None:
    out = stage.score([mention(text)])
    assert [("acme", "saqr")[i] for i in out.brand] == brands
    if lang:
        assert out.lang == [lang]
    if label:
        assert [LABELS[i] for i in out.label] == [label]


def test_the_same_in_one_batch_as_alone(stage: ScoreStage) -> None:
    mentions = [mention(text, id=str(i)) for i, (text, *_) in enumerate(TABLE)]
    whole = stage.score(mentions)
    alone = [stage.score([m]) for m in mentions]
    assert whole.brand.tolist() == [b for out in alone for b in out.brand.tolist()]
    assert whole.label.tolist() == [x for out in alone for x in out.label.tolist()]
    assert whole.lang == [x for out in alone for x in out.lang]
    assert whole.key.tolist() == [k for out in alone for k in out.key.tolist()]
    assert [m.id for m in whole.mention] == [m.id for out in alone for m in out.mention]
    np.testing.assert_allclose(
        whole.negative, np.concatenate([out.negative for out in alone]), atol=1e-6
    )


def test_columns_are_aligned_and_typed(stage: ScoreStage) -> None:
    out = stage.score([mention("no brand"), mention("Acme and Saqr Air", id="2", platform="app")])
    assert len(out) == 2
    assert out.published_ms.tolist() == [1_772_355_600_250] * 2, "to the millisecond"
    assert out.platform == ["app", "app"]
    assert (out.brand.dtype, out.label.dtype, out.key.dtype) == (np.int64, np.int8, np.uint64)
    assert (out.negative.dtype, out.own.dtype) == (np.float32, np.bool_)


def test_a_mention_of_two_brands_gives_two_observations(stage: ScoreStage) -> None:
    out = stage.score([mention("Saqr Air is late and Acme refuses my card, terrible")])
    assert sorted(out.brand.tolist()) == [0, 1]
    assert out.key[0] == out.key[1]
    assert out.mention[0] is out.mention[1]


def test_a_name_said_twice_counts_once(stage: ScoreStage) -> None:
    assert stage.score([mention("Acme Acme أكمي @acme acme card")]).brand.tolist() == [0]


def test_a_link_to_the_brand_is_about_it(stage: ScoreStage) -> None:
    assert stage.score([mention("see this", links=("https://www.acme.com/x",))]).brand.tolist() == [
        0
    ]


def test_an_empty_batch_gives_nothing(stage: ScoreStage) -> None:
    for mentions in ([], [mention("nobody")]):
        out = stage.score(mentions)
        assert len(out) == len(out.mention) == len(out.lang) == len(out.own) == 0
        assert out.published_ms.dtype == np.int64


class TestRating:
    @pytest.mark.parametrize(
        ("rating", "label"),
        [
            (1, "negative"), (2, "negative"), (2.5, "neutral"),
            (3, "neutral"), (4, "positive"), (5, "positive"),
        ],
    )  # fmt: skip
    def test_stars_outweigh_words(self, stage: ScoreStage, rating: float, label: str) -> None:
        texts = ("Acme is the worst, terrible", "Acme is great, I love it", "أكمي")
        out = stage.score([mention(t, id=t, rating=rating) for t in texts])
        assert [LABELS[i] for i in out.label] == [label] * 3

    def test_they_change_no_other_mention(self, stage: ScoreStage) -> None:
        worst = mention("Acme is the worst, terrible", id="2")
        alone = stage.score([worst])
        beside = stage.score([mention("Acme", rating=5), worst])
        assert beside.label[1] == alone.label[0]
        assert beside.negative[1] == pytest.approx(alone.negative[0], abs=1e-6)


class TestOwn:
    @pytest.mark.parametrize(
        "author",
        [
            {"handle": "acme"}, {"handle": "@ACME"}, {"handle": "acme_sa"},
            {"id": "42"}, {"id": "42", "handle": "renamed"},
        ],
    )  # fmt: skip
    def test_the_brands_own_accounts_are_own(
        self, stage: ScoreStage, author: dict[str, str]
    ) -> None:
        assert stage.score([mention("Acme news", author=Author(**author))]).own.tolist() == [True]

    def test_a_platform_is_the_same_in_capitals(self, stage: ScoreStage) -> None:
        out = stage.score([mention("Acme news", platform="X", author=Author(id="42"))])
        assert out.own.tolist() == [True]

    @pytest.mark.parametrize(
        ("platform", "author"),
        [
            ("x", None),
            ("x", {}),
            ("x", {"handle": "acme_help"}),
            ("x", {"handle": "аcme"}),  # a Cyrillic а
            ("x", {"name": "Acme"}),
            ("x", {"id": "43"}),
            ("instagram", {"id": "42"}),  # the same number elsewhere is somebody else
        ],
    )
    def test_nobody_else_is(
        self, stage: ScoreStage, platform: str, author: dict[str, str] | None
    ) -> None:
        who = None if author is None else Author(**author)
        out = stage.score([mention("Acme news", platform=platform, author=who)])
        assert out.own.tolist() == [False]

    def test_an_account_is_own_for_its_brand_alone(self, stage: ScoreStage) -> None:
        out = stage.score([mention("Acme flies Saqr Air", author=Author(handle="saqrair"))])
        assert dict(zip(out.brand.tolist(), out.own.tolist())) == {0: False, 1: True}


class TestKeyAndReach:
    def test_a_mention_is_known_by_platform_and_id(self, stage: ScoreStage) -> None:
        pairs = [("x", "1"), ("y", "1"), ("x", "2"), ("x1", ""), ("x", "1")]
        out = stage.score([mention("Acme", platform=p, id=i) for p, i in pairs])
        assert len(set(out.key.tolist())) == 4
        assert out.key[0] == out.key[4]
        again = stage.score([mention("another text about Acme")])
        assert again.key[0] == out.key[0]

    @pytest.mark.parametrize(
        ("engagement", "author", "reach"),
        [
            (None, None, 0),
            (Engagement(likes=5), Author(followers=None), 0),
            (Engagement(views=900), Author(followers=100), 900),
            (Engagement(views=3), Author(followers=100), 100),
            (Engagement(views=2**53), Author(followers=2**53), 1 << 40),
        ],
    )
    def test_reach(
        self, stage: ScoreStage, engagement: Engagement | None, author: Author | None, reach: int
    ) -> None:
        out = stage.score([mention("Acme", engagement=engagement, author=author)])
        assert out.reach.tolist() == [reach]


HOSTILE = [
    "Acme {{7*7}} {% for x in y %} ${jndi:ldap://x} {0.__class__}",
    "Acme <script>alert(1)</script>",
    "Acme \x1b[2J\x1b]0;owned\x07",
    "\u202eAcme\u202c \u2066x\u2069",
    "Ac\u200bme",
    "Acme " + "a" * 19_000,
    "أ" * 20_000 + " أكمي",
    "Acme \0 nul",
    "Acme " + "👩‍👩‍👧‍👦" * 1_000,
    "Acme " + "\u0301" * 5_000,
    "Acme ﷽" * 500,
    "Acme " * 3_999,
]


def test_hostile_text_is_scored_like_any_other(stage: ScoreStage) -> None:
    mentions = [
        mention(
            text,
            id=text[:256],
            platform=text[:64],
            author=Author(id=text[:256], handle=text[:256], name=text, bio=text),
            links=(text[:4096], "http://[", "//", "http://acme.com:x/", "javascript:alert(1)"),
        )
        for text in HOSTILE
    ]
    out = stage.score(mentions)
    assert sorted({m.id for m in out.mention}) == sorted({m.id for m in mentions})
    assert np.isfinite(out.negative).all()
    assert np.isfinite(out.positive).all()
    assert not out.own.any()
