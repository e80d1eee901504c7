"""Sentences of explanations: both languages complete, numbers and nouns as they should be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import alerts.texts
from alerts.texts import Phrases
from alerts.texts.phrases import plain, rounded
from tests.alerts.build import PHRASES

ROOT = Path(alerts.texts.__file__).parents[1]
TEXTS = yaml.safe_load((ROOT / "texts" / "explain.yaml").read_text(encoding="utf-8"))
ARABIC = re.compile(r"[\u0600-\u06ff]")


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    if set(node) == {"ar", "en"}:
        yield path, node
        return
    for key, below in node.items():
        yield from leaves(below, f"{path}.{key}".strip("."))


LEAVES = dict(leaves(TEXTS))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", LEAVES)
def test_both_languages_say_the_same(key: str) -> None:
    leaf = LEAVES[key]
    assert placeholders(leaf["ar"]) == placeholders(leaf["en"])
    assert re.findall(r"\d+", leaf["ar"]) == re.findall(r"\d+", leaf["en"].replace("one hour", ""))


@pytest.mark.parametrize("key", LEAVES)
def test_each_language_in_its_script(key: str) -> None:
    leaf = LEAVES[key]
    assert ARABIC.search(leaf["ar"])
    assert not ARABIC.search(leaf["en"])
    assert not re.search("[\u0660-\u0669]", leaf["ar"]), "ASCII digits in both languages"
    assert "  " not in leaf["ar"] + leaf["en"]
    assert all(name.isidentifier() for name in placeholders(leaf["ar"]))


def test_every_label_is_shown() -> None:
    sources = [*(ROOT / "show").glob("*.py"), *(ROOT / "templates").glob("*.j2")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    for key in TEXTS["show"]:
        assert f"show.{key}" in code or f'"{key}"' in code, key


@pytest.mark.parametrize(
    ("n", "plain_", "negative", "genitive"),
    [
        (0, "0 إشارة", "0 إشارة سلبية", "0 إشارة"),
        (1, "إشارة واحدة", "إشارة سلبية واحدة", "إشارة واحدة"),
        (2, "إشارتان", "إشارتان سلبيتان", "إشارتين"),
        (3, "3 إشارات", "3 إشارات سلبية", "3 إشارات"),
        (10, "10 إشارات", "10 إشارات سلبية", "10 إشارات"),
        (11, "11 إشارة", "11 إشارة سلبية", "11 إشارة"),
        (100, "100 إشارة", "100 إشارة سلبية", "100 إشارة"),
        (102, "102 إشارة", "102 إشارة سلبية", "102 إشارة"),
        (1_203, "1,203 إشارات", "1,203 إشارات سلبية", "1,203 إشارات"),
    ],
)
def test_mentions_in_arabic(n: int, plain_: str, negative: str, genitive: str) -> None:
    assert PHRASES.mentions(n).ar == plain_
    assert PHRASES.mentions(n, negative=True).ar == negative
    assert PHRASES.mentions(n, genitive=True).ar == genitive


@pytest.mark.parametrize(
    ("n", "ar", "en"),
    [
        (0, "0 حساب", "0 accounts"),
        (1, "حساب واحد", "1 account"),
        (2, "حسابين", "2 accounts"),
        (7, "7 حسابات", "7 accounts"),
        (11, "11 حسابًا", "11 accounts"),
        (99, "99 حسابًا", "99 accounts"),
        (100, "100 حساب", "100 accounts"),
        (103, "103 حسابات", "103 accounts"),
        (1_150, "1,150 حسابًا", "1,150 accounts"),
    ],
)
def test_accounts(n: int, ar: str, en: str) -> None:
    accounts = PHRASES.accounts(n)
    assert (accounts.ar, accounts.en) == (ar, en)


@pytest.mark.parametrize(
    ("ratio", "ar", "en"),
    [
        (0.0, "أقل من عُشر المعتاد", "less than a tenth of the usual"),
        (0.8, "0.8 من المعتاد", "0.8 of the usual"),
        (1.0, "مثل المعتاد", "the same as usual"),
        (1.5, "1.5 ضعف المعتاد", "1.5 times the usual"),
        (2.0, "ضعف المعتاد", "twice the usual"),
        (3.0, "3 أضعاف المعتاد", "3 times the usual"),
        (3.2, "3.2 ضعف المعتاد", "3.2 times the usual"),
        (10.0, "10 أضعاف المعتاد", "10 times the usual"),
        (29.0, "29 ضعف المعتاد", "29 times the usual"),
        (1_200.0, "1,200 ضعف المعتاد", "1,200 times the usual"),
    ],
)
def test_times_the_usual(ratio: float, ar: str, en: str) -> None:
    times = PHRASES.times(ratio)
    assert (times.ar, times.en) == (ar, en)


@pytest.mark.parametrize(
    ("surprise", "ar", "en"),
    [
        (0.0, "1 من 1", "1 in 1"),
        (3.5, "1 من 3,200", "1 in 3,200"),
        (6.0, "1 من مليون", "1 in 1 million"),
        (6.5, "1 من 3.2 مليون", "1 in 3.2 million"),
        (6.7, "1 من 5 ملايين", "1 in 5 million"),
        (7.505, "1 من 32 مليونًا", "1 in 32 million"),
        (8.0, "1 من 100 مليون", "1 in 100 million"),
        (9.302, "1 من مليارين", "1 in 2 billion"),
        (11.0, "1 من 100 مليار", "1 in 100 billion"),
        (12.0, "أقل من 1 من تريليون", "less than 1 in a trillion"),
        (300.0, "أقل من 1 من تريليون", "less than 1 in a trillion"),
    ],
)
def test_odds(surprise: float, ar: str, en: str) -> None:
    odds = PHRASES.odds(surprise)
    assert (odds.ar, odds.en) == (ar, en)


def test_history_in_hours_and_days() -> None:
    told = [PHRASES.history(hours) for hours in (12, 47, 48, 72, 504)]
    assert [t.en for t in told] == ["12 hours", "47 hours", "2 days", "3 days", "21 days"]
    assert [t.ar for t in told] == ["12 ساعة", "47 ساعة", "يومين", "3 أيام", "21 يومًا"]


@pytest.mark.parametrize(
    ("seconds", "ar", "en"),
    [
        (0, "أقل من ثانية", "less than a second"),
        (1, "ثانية واحدة", "1 second"),
        (2, "ثانيتان", "2 seconds"),
        (5, "5 ثوانٍ", "5 seconds"),
        (45, "45 ثانية", "45 seconds"),
        (100, "100 ثانية", "100 seconds"),
        (119.6, "دقيقتان", "2 minutes"),
        (120, "دقيقتان", "2 minutes"),
        (300, "5 دقائق", "5 minutes"),
    ],
)
def test_gaps_in_seconds_and_minutes(seconds: float, ar: str, en: str) -> None:
    gap = PHRASES.gap(seconds)
    assert (gap.ar, gap.en) == (ar, en)


def test_expected_counts_in_round_words() -> None:
    assert [PHRASES.about(n).en for n in (0.2, 1.0, 7.6)] == ["less than one", "about 1", "about 8"]


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_rounding_never_turns_a_comparison_around(observed: float, needed: float) -> None:
    observed, needed = round(observed, 4), round(needed, 4)
    shown = Phrases.against(observed, needed)
    assert (shown[0] >= shown[1]) == (observed >= needed)


@given(st.integers(0, 11_999), st.sampled_from([5.0, 6.5, 9.0]))
def test_odds_tell_a_figure_from_its_line(surprise_milli: int, line: float) -> None:
    surprise = surprise_milli / 1000
    odds, odds_line = PHRASES.odds_against(surprise, line)
    assert (odds == odds_line) == (surprise == line)


@given(st.floats(0, 1e9))
def test_numbers_have_a_decimal_below_ten_at_most(value: float) -> None:
    assert re.fullmatch(r"\d(\.[1-9])?|[1-9][\d,]*", PHRASES.number(value))
    assert plain(rounded(value)) == PHRASES.number(value)


def test_facts_are_values_and_never_templates() -> None:
    said = PHRASES.say("decisions.refused", gate=PHRASES.listed(["{0.__class__} {brand} {{7*7}}"]))
    assert said.en == "No alert. {0.__class__} {brand} {{7*7}}"
