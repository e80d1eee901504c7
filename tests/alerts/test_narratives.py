"""Narratives in words: both languages, fair to a claim nobody has checked, safe to show."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from alerts.narratives import explain_narrative
from models.records import Carrier, NarrativeRecord
from tests.alerts.build import PHRASES, START

CARRIER = Carrier(
    account="17",
    platform="x",
    handle="first",
    followers=1200,
    mention="1",
    published_ms=START,
    text="they say",
)
RUMOUR = NarrativeRecord(
    id="n-1",
    kind="rumour",
    score=0.91,
    first_ms=START,
    last_ms=START + 3_600_000,
    found_ms=START,
    mentions=103,
    accounts=97,
    speed_now=60.0,
    speed_before=1.25,
    speed_peak=61.0,
    languages={"ar": 103},
    platforms={"x": 103},
    negative_share=0.5,
    claims=80,
    questions=12,
    denials=3,
    complaints=0,
    sources=0,
    terms=("merger", "اندماج"),
    texts=(),
    carriers=(CARRIER,),
    parts={},
)


def said(**changes: Any) -> tuple[str, str]:
    both = explain_narrative(msgspec.structs.replace(RUMOUR, **changes), PHRASES)
    return both.ar, both.en


def test_a_rumour_is_told_with_its_figures() -> None:
    ar, en = said()
    assert en.startswith("Possible rumour; nobody has checked")
    assert "103 mentions from about 97 accounts" in en
    assert "merger, اندماج" in en
    assert "80 of them pass a claim or hearsay on, 12 ask whether it is true, 3 deny it." in en
    assert "No official source" in en
    assert "@first (followers: 1,200)" in en
    assert ar.startswith("شائعة محتملة")
    assert "103 إشارات من نحو 97 حسابًا" in ar
    assert sorted(re.findall(r"\d+", ar)) == sorted(re.findall(r"\d+", en))


@pytest.mark.parametrize(
    ("claims", "questions", "denials", "en", "ar"),
    [
        (80, 12, 3, "80 of them pass a claim or hearsay on, 12 ask whether it is true, 3 deny it.",
         "تنقل 80 منها ادعاءً أو خبرًا مسموعًا، وتسأل 12 عن صحة الخبر، وتنفي 3 الخبر."),
        (0, 16, 0, "16 of them ask whether it is true.", "تسأل 16 منها عن صحة الخبر."),
        (1, 1, 1,
         "One of them passes a claim or hearsay on, one asks whether it is true, one denies it.",
         "تنقل واحدة منها ادعاءً أو خبرًا مسموعًا، وتسأل واحدة عن صحة الخبر، وتنفي واحدة الخبر."),
        (2, 0, 1, "2 of them pass a claim or hearsay on, one denies it.",
         "تنقل اثنتان منها ادعاءً أو خبرًا مسموعًا، وتنفي واحدة الخبر."),
    ],
)  # fmt: skip
def test_what_nobody_does_is_left_out(
    claims: int, questions: int, denials: int, en: str, ar: str
) -> None:
    both = said(claims=claims, questions=questions, denials=denials)
    assert f"fastest hour. 50% are negative. {en} No official" in both[1]
    assert f"السلبية 50%. {ar} لا مصدر" in both[0]


def test_without_any_stance_there_is_no_sentence() -> None:
    assert "are negative. No official" in said(claims=0, questions=0, denials=0)[1]


def test_seconds_where_all_was_said_at_once() -> None:
    ar, en = said(last_ms=START + 44_001)
    assert "accounts within 45 seconds from" in en
    assert "خلال 45 ثانية ابتداءً من" in ar


def test_sources_are_counted_where_there_are_some() -> None:
    assert "No official source" not in said(sources=4)[1]
    assert "link to either: 4." in said(sources=4)[1]


def test_a_narrative_is_not_called_a_rumour() -> None:
    ar, en = said(kind="narrative", score=0.2)
    assert "rumour;" not in en
    assert "شائعة محتملة" not in ar
    assert "0.20" in en


def test_what_is_not_known_is_not_told() -> None:
    nobody = msgspec.structs.replace(CARRIER, handle=None, followers=None)
    _, en = said(negative_share=None, terms=(), carriers=(nobody,))
    assert "negative" not in en
    assert "stands out" not in en
    assert "Said first by: 17." in en
    assert "Said first" not in said(carriers=())[1]


def test_names_that_steer_a_terminal_are_cleaned() -> None:
    evil = msgspec.structs.replace(CARRIER, handle="\x1b[31m\u202eevil{0}", followers=None)
    for text in said(carriers=(evil,), terms=("\u202eterm\x00",)):
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert "@evil{0}" in text
