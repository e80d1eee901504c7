"""What a text does with a claim, in both languages, and the word list behind it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from models.narratives.claims import KINDS, LONGEST_MARK, Claims, Stance, load_marks, shipped_claims
from models.text import normalise_one
from models.tokens import tokens_of

MARKS = load_marks()


def stances(*texts: str) -> list[str]:
    return [Stance(s).name for s in shipped_claims().stances(tokens_of(texts)).tolist()]


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("I heard Acme is firing everybody on Sunday", "HEARSAY"),
        ("BREAKING: Acme to leave the country", "HEARSAY"),
        ("according to sources Acme lost the licence", "HEARSAY"),
        ("got this on WhatsApp: Acme burned three phones, pass it on", "HEARSAY"),
        ("عاجل: أكمي تغادر السوق", "HEARSAY"),
        ("أكمي انتهت خلاص، خبر من داخل الشركة", "HEARSAY"),
        ("أكمي انباعت لشركة أجنبية", "CLAIM"),
        ("مصادر: أكمي على وشك البيع", "HEARSAY"),
        ("ويقولون إن أكمي بتسكر فروعها", "HEARSAY"),
        ("سَمِعْتُ أنّ أكمي خسرت الرخصة", "HEARSAY"),
        ("تســـريب من داخل أكمي", "HEARSAY"),
        ("Acme went bankrupt", "CLAIM"),
        ("أكمي أفلست", "CLAIM"),
        ("is it true that Acme is bankrupt", "QUESTION"),
        ("they say Acme will close?", "QUESTION"),
        ("Acme bankruptcy confirmed?", "QUESTION"),
        ("هل صحيح أن أكمي ستغلق", "QUESTION"),
        ("يقولون أكمي ستغلق؟", "QUESTION"),
        ("the Acme bankruptcy is fake news", "DENIAL"),
        ("الخبر عن إفلاس أكمي غير صحيح", "DENIAL"),
        ("مجرد إشاعة، أكمي بخير", "DENIAL"),
        ("my card doesn't work again", "COMPLAINT"),
        ("تطبيق أكمي لا يعمل منذ الصباح", "COMPLAINT"),
        ("my phone was stolen and customer service ignores me", "COMPLAINT"),
        ("what a lovely branch", "NONE"),
        ("صباح الخير يا أكمي", "NONE"),
        ("does the branch open on Friday?", "NONE"),
        ("", "NONE"),
    ],
)
def test_stances(text: str, stance: str) -> None:
    assert stances(text) == [stance]


def test_look_alikes_and_invisible_letters_do_not_hide_a_mark() -> None:
    assert stances("th\u0435y s\u0430y Acme closes", "th\u200bey \u202esay Acme closes") == [
        "HEARSAY",
        "HEARSAY",
    ]


def test_a_mark_does_not_span_two_texts() -> None:
    assert stances("this is what they", "say", "is it", "true") == ["NONE"] * 4


def test_batches_change_nothing() -> None:
    texts = ["they say so", "", "not true", "\ud800", "word " * 400 + "they say", "عاجل"]
    assert stances(*texts) == [stance for text in texts for stance in stances(text)]


def test_what_is_far_into_a_long_text_is_not_read() -> None:
    assert stances("word " * 400 + "they say") == ["NONE"]


def test_the_list_is_whole() -> None:
    assert tuple(MARKS) == KINDS
    for kind, phrases in MARKS.items():
        arabic = [p for p in phrases if "\u0600" < p[0] < "\u0700"]
        assert len(arabic) >= 20, kind
        assert len(phrases) - len(arabic) >= 20, kind


def test_each_phrase_is_written_once_and_in_normal_form() -> None:
    every = [(kind, phrase) for kind, phrases in MARKS.items() for phrase in phrases]
    assert [p for _, p in every if normalise_one(p) != p] == []
    assert [p for p, n in Counter(p for _, p in every).items() if n > 1] == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_phrase_is_found(kind: str) -> None:
    alone = Claims({kind: MARKS[kind]})
    found = alone.stances(tokens_of([f"xyz {phrase} xyz" for phrase in MARKS[kind]]))
    assert np.flatnonzero(found == Stance.NONE).tolist() == []


@pytest.mark.parametrize("phrase", ["one two three four five six", ""])
def test_a_phrase_that_cannot_be_found_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match="words"):
        Claims({"hearsay": [phrase]})


def test_longest_mark_is_used() -> None:
    sizes = np.diff(tokens_of([p for phrases in MARKS.values() for p in phrases]).starts)
    assert sizes.max() <= LONGEST_MARK
