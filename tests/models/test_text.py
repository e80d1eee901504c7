"""Normalisation: what it folds, and its invariants over all of Unicode."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import TABLE_SIZE, normalise, normalise_one

# with surrogates, NUL and newlines
ANY_CHAR = st.characters(codec=None)
SPICY = st.sampled_from("\n\r\t \x00\u2028\ud800\udfffﷺﷻﻻ½‼…ـًٰٓءأى ٣۳\u200b\u202e\ufeff\U000e0041😀é")
ANY_TEXT = st.text(ANY_CHAR | SPICY, max_size=40)
ANY_TEXTS = st.lists(ANY_TEXT, max_size=8)

INVISIBLE = [
    *map(chr, range(0x064B, 0x0660)),  # tashkeel
    "\u0670",  # superscript alef
    "\u0640",  # tatweel
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff",  # zero width
    "\u200e", "\u200f", "\u061c",  # bidi marks
    *map(chr, range(0x202A, 0x202F)),  # bidi embeddings and overrides
    *map(chr, range(0x2066, 0x206A)),  # bidi isolates
    "\u00ad", "\u034f", "\u3164", "\u115f", "\ufe0f", "\U000e0061",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("مَدَارِسُ الرِّيَاضِ", "مدارس الرياض"),
        ("أحمد إبراهيم آمال ٱلله", "احمد ابراهيم امال الله"),
        ("مستشفى مدرسة", "مستشفي مدرسه"),
        ("مسؤول رئيس سماء", "مسوول رييس سما"),
        ("الـــراجحي", "الراجحي"),
        ("کتاب یک گروه", "كتاب يك كروه"),
        ("ﻻ ﷲ ﺍﻟﺮﻳﺎﺽ", "لا الله الرياض"),
        ("١٢٣ ۱۲۳ １２３", "123 123 123"),
        ("ACME Café İstanbul", "acme cafe istanbul"),
        ("Ａｃｍｅ 𝐀𝐜𝐦𝐞 ⓐcme", "acme acme acme"),
        ("“a” ‘b’ c…", "\"a\" 'b' c."),
        ("هل؟ نعم، لا؛", "هل? نعم, لا;"),
        ("Acme™ ©®", "acme "),
        (" a \t\n b\u00a0\u3000c", " a b c"),
        ("a\u3164b\uffa0c\u2800d", "abc d"),
        ("\u202eacme\u202c", "acme"),
        ("😀👍🏽", "😀👍🏽"),
        ("", ""),
    ],
)
def test_folds(text: str, expected: str) -> None:
    assert normalise([text]).text(0) == expected
    assert normalise_one(text) == expected.strip()


def test_shape_of_a_batch() -> None:
    batch = normalise(["ab", "", "ﷻ", "\u064b", "x\ny"])
    assert batch.joined() == "ab\n\nجل جلاله\n\nx y\n"
    assert batch.starts.tolist() == [0, 3, 4, 13, 14, 18]
    assert (batch.codes.dtype, batch.starts.dtype) == (np.uint32, np.int64)
    assert len(batch) == 5
    assert normalise([]).joined() == ""
    assert normalise([]).starts.tolist() == [0]


def test_every_character_alone() -> None:
    chars = [chr(code) for code in range(TABLE_SIZE)]
    batch = normalise(chars)
    assert len(batch) == len(chars)
    assert np.array_equal(normalise(batch.joined().split("\n")[:-1]).codes, batch.codes)
    newlines = np.flatnonzero(batch.codes == 10)
    assert np.array_equal(newlines, batch.starts[1:] - 1)
    kept = {chr(code) for code in np.unique(batch.codes).tolist()} - {"\n"}
    categories = {unicodedata.category(c) for c in kept}
    assert not categories & {"Cc", "Cf", "Mn", "Me", "Zl", "Zp"}
    assert {c for c in kept if unicodedata.category(c) in ("Nd", "Zs")} == set(" 0123456789")
    assert not [c for c in kept if c.lower() != c]


@given(ANY_TEXTS)
def test_idempotent(texts: list[str]) -> None:
    once = normalise(texts)
    twice = normalise([once.text(i) for i in range(len(once))])
    assert np.array_equal(once.codes, twice.codes)
    assert np.array_equal(once.starts, twice.starts)


@given(ANY_TEXTS)
def test_a_batch_is_its_texts(texts: list[str]) -> None:
    batch = normalise(texts)
    singles = [normalise([text]).text(0) for text in texts]
    assert [batch.text(i) for i in range(len(batch))] == singles
    assert batch.joined() == "".join(single + "\n" for single in singles)
    assert not any("\n" in single or "  " in single for single in singles)


@given(ANY_TEXT, st.lists(st.tuples(st.integers(0, 40), st.sampled_from(INVISIBLE)), max_size=8))
def test_invisible_insertions_change_nothing(text: str, inserted: list[tuple[int, str]]) -> None:
    dirty = text
    for at, char in inserted:
        dirty = dirty[:at] + char + dirty[at:]
    assert normalise([dirty]).text(0) == normalise([text]).text(0)


@given(st.text(st.sampled_from("0123456789 aب.,"), max_size=30), st.sampled_from("٠۰０𝟎"))
def test_digits_of_any_script_are_ascii(text: str, zero: str) -> None:
    other = "".join(chr(ord(zero) + int(c)) if c.isdecimal() else c for c in text)
    assert normalise([other]).text(0) == normalise([text]).text(0)


@pytest.mark.parametrize("char", ["a", "ﷻ", "\u064b", " ", "\n", "\x00", "\ud800", "ﻻ"])
def test_twenty_thousand_of_one_character(char: str) -> None:
    batch = normalise(["before", char * 20_000, "after"])
    assert (batch.text(0), batch.text(2)) == ("before", "after")
    assert batch.text(1) == normalise([char * 20_000]).text(0)
