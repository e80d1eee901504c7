"""Terms that stand out, and topics."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.terms import MAX_TERMS, Terms, Topics, load_topics

NOTHING: frozenset[str] = frozenset()
USUAL = ["lovely coffee this morning", "coffee with friends", "صباح الخير قهوة", "قهوة لذيذة"] * 5


def test_what_is_new_stands_out() -> None:
    now = ["the card was declined", "card declined again!", "why is my card declined", "coffee"]
    assert set(Terms().top(now, USUAL, NOTHING)[:2]) == {"declined", "card"}


def test_what_is_usual_does_not() -> None:
    assert Terms().top(USUAL[:8], USUAL, NOTHING) == []


def test_arabic_is_counted_in_normal_form_and_shown_as_written() -> None:
    now = ["البطاقة مرفوضة", "بطاقتي مرفوضه", "مرفوضةٌ للمرة الثانية", "مرفوضة"]
    assert Terms().top(now, USUAL, NOTHING)[0] == "مرفوضة"


def test_words_with_short_vowels_are_whole() -> None:
    now = ["تفعّل حسابي مقطّعة شُكرًا", "مقطّعة تفعّل شُكرًا", "#تفعّل شُكرًا مقطّعة cafe\u0301", "cafe\u0301"]
    assert set(Terms().top(now, USUAL, NOTHING)) == {"تفعّل", "مقطّعة", "شُكرًا", "cafe\u0301"}


def test_hashtags_count_as_their_word() -> None:
    now = ["#outage", "outage", "#OUTAGE now"]
    assert [t.lstrip("#").lower() for t in Terms().top(now, USUAL, NOTHING)] == ["outage"]


def test_names_stop_words_links_and_handles_say_nothing() -> None:
    now = ["acme with https://acme.com/help @acme_help refund"] * 4
    assert Terms().top(now, USUAL, frozenset({"acme"})) == ["refund"]


def test_one_mention_is_no_term() -> None:
    assert Terms().top(["refund refund refund"], USUAL, NOTHING) == []


def test_there_are_not_too_many() -> None:
    now = [" ".join(f"word{i}" for i in range(50))] * 5
    assert len(Terms().top(now, [], NOTHING)) == MAX_TERMS


@given(
    texts=st.lists(st.text(max_size=60), max_size=6),
    usual=st.lists(st.text(max_size=60), max_size=6),
)
def test_any_text_passes_and_order_does_not_matter(texts: list[str], usual: list[str]) -> None:
    terms = Terms().top(texts, usual, NOTHING)
    assert len(terms) <= MAX_TERMS
    assert Terms().top(texts[::-1], usual[::-1], NOTHING) == terms
    shares = Topics({"outage": ["down"]}).shares(texts)
    assert all(0 < share <= 1 for share in shares.values())


def test_topics_in_both_languages() -> None:
    topics = Topics(load_topics())
    shares = topics.shares(["the app is DOWN", "التطبيق معطل", "وعطل في النظام", "hello"])
    assert shares["outage"] == 0.75
    assert topics.shares([]) == {}


def test_a_word_inside_a_word_is_no_topic() -> None:
    topics = Topics({"outage": ["down", "عطل"]})
    assert topics.shares(["download now", "عطلة سعيدة", "touchdown"]) == {}


def test_phrases_may_span_lines() -> None:
    assert Topics({"outage": ["not working"]}).shares(["it is not\nworking"]) == {"outage": 1.0}


def test_the_shipped_lists_hold_no_stray_patterns() -> None:
    topics = load_topics()
    assert {"outage", "payment", "service", "trust"} <= set(topics)
    assert all(
        phrases and all(p.strip() == p and p for p in phrases) for phrases in topics.values()
    )
    quiet = ["good morning", "صباح الخير", "match tonight", "مبروك الفوز"]
    assert Topics(topics).shares(quiet) == {}
