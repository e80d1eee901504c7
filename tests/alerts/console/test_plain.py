"""Bytes of strangers on a page: all of it can be seen, and none of it does anything."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.console.plain import visible


@given(st.binary(max_size=400))
def test_whatever_comes_can_be_seen(raw: bytes) -> None:
    shown = visible(raw)
    assert not {unicodedata.category(char) for char in shown if char not in "\n\t"} & {
        "Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp",
    }  # fmt: skip
    if raw.isascii() and raw.decode().isprintable():
        assert shown == raw.decode()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[2J", r"\x1b[2J"),
        ("\u202eabc\u2066".encode(), r"\u202eabc\u2066"),
        (b"\xff\xd9\x85", "\\xffم"),
        (b"e" + "\u0301".encode() * 5, "e\u0301\u0301\u0301" + "\\u0301" * 2),
        (b"<script>", "<script>"),  # the template escapes it
    ],
)
def test_what_cannot_be_seen_is_written_out(raw: bytes, shown: str) -> None:
    assert visible(raw) == shown


def test_a_megabyte_is_cut() -> None:
    assert visible(b"w" * 1_000_000, 100) == "w" * 100 + "…"
