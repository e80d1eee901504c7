"""Candidates by index: the quick looks rule out nothing that the long one would find."""

from __future__ import annotations

import random
import re

from hypothesis import given
from hypothesis import strategies as st

from models.impersonation.brand_names import names_of
from models.impersonation.deletions import DeletionTable
from models.impersonation.distance import edits
from models.impersonation.laid import Laid
from models.impersonation.likeness import NameIndex, name_of
from models.impersonation.words import is_affix, is_covered, lists, may_have_role, role_of
from models.records import Brand

NAMES = ("paypal", "microsoft", "alrajhibank", "rakuten", "mapquest", "اكميزون")
INDEX = NameIndex(name_of(text, i) for i, text in enumerate(NAMES))


def edited(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word) - 1)
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz0123456789")
    return rng.choice((
        word[:at] + letter + word[at:],
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    ))  # fmt: skip


@given(st.sampled_from(NAMES), st.integers(0, 10**6))
def test_every_edit_passes_the_quick_look(name: str, seed: int) -> None:
    word = edited(name, random.Random(seed))
    assert edits(word, name, 1) <= 1
    assert INDEX.may_be_like(word)


@given(st.text(max_size=50))
def test_what_is_like_a_name_passed_the_quick_look(word: str) -> None:
    found = INDEX.like(word)
    assert INDEX.may_be_like(word) or not found
    assert INDEX.may_be_near(word) or not INDEX.like_many([word])[0]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 10**6)), max_size=9))
def test_every_edit_passes_the_prefilter_of_many(chosen: list[tuple[str, int]]) -> None:
    words = [edited(name, random.Random(seed)) for name, seed in chosen]
    assert INDEX.prefilter.near(words) == set(range(len(words)))


@given(st.lists(st.text("aclmnoprvyp01ر", max_size=50), max_size=9))
def test_what_is_like_a_name_passed_the_prefilter(words: list[str]) -> None:
    near = INDEX.prefilter.near(words)
    for i, word in enumerate(words):
        assert i in near or not (INDEX.may_be_like(word) or INDEX.has_inside(word)), word


def test_the_prefilter_rules_out_what_is_like_no_name() -> None:
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(1_000)]
    assert len(INDEX.prefilter.near([*words, "paypa1", "xrakutenx"]) - {1_000, 1_001}) < 5
    assert INDEX.prefilter.near([]) == set()


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_edits_are_the_same_both_ways_and_none_for_equals(a: str, b: str) -> None:
    assert edits(a, b, 3) == edits(b, a, 3)
    assert (edits(a, b, 3) == 0) == (a == b)
    assert edits(a, b, 3) >= min(abs(len(a) - len(b)), 4)


@given(st.lists(st.text("abcd", min_size=6, max_size=9), min_size=1, max_size=20))
def test_words_of_two_edits_share_a_form(words: list[str]) -> None:
    half = len(words) // 2 + 1
    names, asked = words[:half], words[half:]
    for word, found in zip(asked, DeletionTable((name, name) for name in names).find(asked)):
        assert {name for name in names if edits(word, name, 2) <= 2} <= set(found)
        assert all(edits(word, name, 4) <= 4 for name in found)


@given(st.text("abc", max_size=9), st.sets(st.text("abc", min_size=1, max_size=3), max_size=5))
def test_words_laid_end_to_end_are_found_however_they_are_cut(text: str, words: set[str]) -> None:
    pattern = "|".join(sorted(words)) or "(?!)"
    assert Laid(words).makes(text) == bool(re.fullmatch(f"(?:{pattern})*", text))


def test_two_edits_are_found_in_long_names_alone() -> None:
    long, short = INDEX.like_many(["mapqeusr", "paqpxl"])
    assert [each.how for each in long] == ["typos"]
    assert short == []
    assert INDEX.like("mapqeusr") == []


def test_a_name_without_what_says_little() -> None:
    def known(brand: Brand) -> set[str]:
        return {name.text for name in names_of([brand])}

    assert known(Brand(id="a", names=("The Walt Disney Company",))) >= {"waltdisney"}
    assert "union" not in known(Brand(id="b", names=("Union Bank",)))
    assert "smbc" in known(Brand(id="c", names=("x1",), domains=("smbc-card.com",)))


def test_words_say_what_stands_beside_a_name() -> None:
    assert is_covered("online", 2, 6)
    assert not is_covered("mylinebank", 2, 6)
    assert is_affix("loginuk")
    assert not is_affix("furniture")
    assert [role_of(word) for word in ("helpuk", "news", "uae", "smith", "")] == [
        "support", "topic", "place", "", ""]  # fmt: skip


WORDS = sorted(lists().support | lists().place | lists().topic | lists().desk)
PARTS = st.lists(st.sampled_from((*WORDS, "24", "jane", "us", "x")), min_size=1, max_size=4)


@given(PARTS, st.text("ab1", max_size=2))
def test_lines_without_a_role_have_none_in_any_word(parts: list[str], tail: str) -> None:
    words = [word for word in ("".join(parts) + tail, *parts[1:]) if word.isascii() and word]
    has_role = any(role_of(word) or word.isdigit() for word in words)
    assert may_have_role(["jane doe", " ".join(words)])[-1:] == [1] or not has_role
    assert may_have_role(["jane doe", ""]) == []
