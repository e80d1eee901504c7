"""Lengths as the channels count them, and threads."""

from __future__ import annotations

import pytest

from alerts.playbook.channels import length, thread, weighted_length


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("hello", 5),
        ("مرحبًا", 6),
        ("危機", 4),
        ("한국", 4),
        ("e\u0301", 1),  # counted after NFC
        ("😀", 2),
        ("👍🏽", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇸🇦", 2),
        ("1️⃣", 2),
        ("❤️", 2),
        ("“quoted” – …", 13),  # the ellipsis weighs two
        ("https://a.co", 23),
        ("see https://example.com/" + "a" * 100 + " now.", 4 + 23 + 5),
        ("https://example.com/a.", 24),
        ("acme.com", 23),
        ("@acme_care", 10),
        ("me@acme.com", 11),
        ("a" * 40 + ".com", 44),
        ("10.5", 4),
        ("\u200e@a", 4),
    ],
)
def test_weighted_length(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


def test_direct_messages_count_bytes_and_others_characters() -> None:
    assert length("direct", "مرحبا") == 10
    assert length("facebook", "مرحبا") == 5
    assert length("x", "مرحبا") == 5


def test_thread_keeps_sentences_whole_and_in_order() -> None:
    parts = [f"{letter * 70}." for letter in "abcdef"]
    posts = thread(parts)
    assert len(posts) == 2
    joined = " ".join(text.rsplit(" (", 1)[0] for text, _ in posts)
    assert joined == " ".join(parts)
    assert all(weight == weighted_length(text) <= 280 for text, weight in posts)


def test_a_part_too_long_by_itself_is_not_hidden() -> None:
    assert thread(["a" * 300]) == [("a" * 300, 300)]
    assert max(weight for _, weight in thread(["a" * 300, "b"])) > 280
