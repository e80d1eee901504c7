"""Words, signatures and keys of mentions."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from models.coordination.traces import MAX_KEYS, canonical_link, keys_of, words_of
from models.records import Mention

TEXT = "the new app of this bank loses every second transfer and nobody answers customers"
ARABIC = "تطبيق البنك الجديد يضيع كل حوالة ثانية ولا أحد يجيب على العملاء منذ أسبوع"


def mention(text: str, **more: object) -> Mention:
    return Mention(
        id="1", platform="x", published_at=datetime(2026, 1, 1, tzinfo=UTC), text=text, **more
    )


def shared_bands(one: str, other: str) -> int:
    bands = words_of([one, other]).bands
    return int((bands[0] == bands[1]).sum())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TEXT, TEXT.upper() + " !!! https://t.example/x @someone"),
        (TEXT, TEXT.replace("a", "\u0430").replace("o", "\u043e")),  # Cyrillic letters
        (TEXT, "\u200b".join(TEXT)),
        (ARABIC, ARABIC.replace("ي", "ى").replace("ة", "ه").replace("أ", "ا")),
        (ARABIC, "ـ".join(ARABIC)),
    ],
    ids=["case, link and handle", "look-alikes", "zero width", "Arabic variants", "tatweel"],
)
def test_what_looks_the_same_has_the_same_signature(one: str, other: str) -> None:
    assert shared_bands(one, other) == 8


def test_texts_that_share_most_words_share_a_band() -> None:
    rng = np.random.default_rng(5)
    vocabulary = [f"word{i}x" for i in rng.permutation(5000)]
    met = 0
    for i in range(200):
        words = vocabulary[i * 20 : i * 20 + 12]
        changed = [w if rng.random() > 0.2 else f"other{j}{i}" for j, w in enumerate(words)]
        met += shared_bands(" ".join(words), " ".join(changed)) > 0
    assert met > 170


def test_texts_on_different_things_share_none() -> None:
    letters = "abcdefghijklmnopqrst"
    texts = [
        " ".join(f"{letters[i // 20]}{letters[i % 20]}{letters[j]}" for j in range(10))
        for i in range(300)
    ]
    bands = words_of(texts).bands
    assert len(np.unique(bands)) == bands.size


def test_batches_change_nothing() -> None:
    texts = [TEXT, "", ARABIC, "👍", "a" * 3000, TEXT + " 1", "\u202e", ARABIC * 30]
    whole, apart = words_of(texts), [words_of([text]) for text in texts]
    assert whole.hashes.tolist() == [h for one in apart for h in one.hashes.tolist()]
    assert whole.bits.tolist() == [b for one in apart for b in one.bits.tolist()]
    assert (whole.bands == np.concatenate([one.bands for one in apart])).all()


def test_stop_words_and_numbers_tell_little() -> None:
    bits = words_of(["the 12345 customers"]).bits
    assert sorted(bits.tolist()) == [2.0, 2.0, 8.0]


def test_no_texts() -> None:
    assert len(words_of([])) == 0


def test_keys() -> None:
    keys = keys_of(
        mention(
            "#Boycott #Acme now",
            links=("https://www.acme.example/a/?utm_source=x", "http://acme.example/a"),
            repost_of="9",
            in_reply_to="8",
            media=("c3a5",),
        )
    )
    assert [(key.kind, key.shown) for key in keys] == [
        ("repost", "9"),
        ("reply", "8"),
        ("media", "c3a5"),
        ("link", "acme.example/a"),
        ("tags", "#boycott #acme"),
        ("tag", "#boycott"),
        ("tag", "#acme"),
    ]


def test_links_in_the_text_count_where_none_are_given() -> None:
    assert [k.shown for k in keys_of(mention("see https://bit.ly/Ab3?s=20."))] == ["bit.ly/Ab3"]


def test_an_attacker_cannot_grow_them() -> None:
    assert len(keys_of(mention(" ".join(f"#t{i}" for i in range(900))))) == MAX_KEYS


@pytest.mark.parametrize(
    ("link", "canonical"),
    [
        ("HTTPS://User:pw@WWW.Acme.Example:443/Path/", "acme.example:443/Path"),
        ("acme.example/?b=2&a=1&fbclid=zzz", "acme.example?a=1&b=2"),
        ("", ""),
        ("https://", ""),
        ("https://رمال.example/خدمة", "رمال.example/خدمة"),
    ],
)
def test_canonical_links(link: str, canonical: str) -> None:
    assert canonical_link(link) == canonical


def test_hashtags_are_shared_as_such_and_are_no_words() -> None:
    assert shared_bands(TEXT, f"#MatchDay {TEXT} #الهلال_النصر") == 8
    tags = "#match #derby #final #riyadh #goal #fans #stadium"
    assert shared_bands(f"my seat {tags}", f"what goal {tags}") == 0


@pytest.mark.parametrize(
    ("kind", "kinds"), [("repost", ["repost"]), ("quote", ["repost", "media", "link", "tag"])]
)
def test_a_repost_shares_its_post_alone(kind: str, kinds: list[str]) -> None:
    """What is in the post was put there once; a quote says something of its own."""
    passed_on = mention(
        "RT #late https://a.example/1", kind=kind, repost_of="7", media=("phash:1",)
    )
    assert [key.kind for key in keys_of(passed_on)] == kinds
