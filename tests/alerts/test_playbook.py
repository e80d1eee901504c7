"""Shipped playbooks, rendering, hostile facts, and a user's own files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.playbook import (
    Facts,
    Playbook,
    PlaybookError,
    RenderedPlaybook,
    check,
    load_playbooks,
    render,
)
from alerts.playbook.load import SHIPPED
from alerts.playbook.records import KIND_CHANNELS, LANGUAGES, OPTIONAL_KINDS, TYPES
from alerts.playbook.text import FSI, LRM, PDI, defang, hostile, number

PLAYBOOKS = load_playbooks()
FACTS = Facts(
    brand_ar="أكمي",
    brand_en="Acme",
    alert_id="acme-1",
    severity="warning",
    observed=12_345,
    expected=30.24,
    ratio=408.2,
    window_min=5,
    negative=9_000,
    negative_share=73,
    since="10:40",
    date="2026-11-21",
    timezone="Asia/Riyadh",
    crisis_score=71,
    terms=("عطل", "refund"),
    suspect="https://evil.example/@acme",
    help_url="https://acme.example/status",
    support_handle="acme_care",
    domain="acme.example",
)
BARE: dict[str, Any] = {
    "help_url": None,
    "support_handle": None,
    "domain": None,
    "terms": (),
    "suspect": None,
}


def texts(rendered: RenderedPlaybook) -> Iterator[str]:
    for message in rendered.messages:
        yield message.text
    pairs = [rendered.title, rendered.summary, *rendered.say, *rendered.do_not_say]
    for step in rendered.steps:
        pairs += [step.action, step.role_title]
    for pair in pairs:
        yield from (pair.ar, pair.en)


def unsafe(text: str) -> set[str]:
    """Controls, format characters and surrogates that no output may hold."""
    return {
        f"U+{ord(c):04X}"
        for c in text
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn")
        and c not in ("\n", FSI, PDI, LRM)
    }


def test_shipped_files_pass() -> None:
    assert check([SHIPPED]) == []
    assert sorted(PLAYBOOKS) == sorted(TYPES)


@pytest.mark.parametrize("playbook", PLAYBOOKS.values(), ids=lambda p: p.type)
@pytest.mark.parametrize(
    "facts", [FACTS, msgspec.structs.replace(FACTS, **BARE)], ids=["all", "bare"]
)
def test_every_message_is_there_fits_and_leaves_nothing_open(
    playbook: Playbook, facts: Facts
) -> None:
    rendered = render(playbook, facts)
    found = {(m.kind, m.channel, m.language) for m in rendered.messages}
    assert found == {
        (kind, channel, language)
        for kind, channels in KIND_CHANNELS.items()
        if kind not in OPTIONAL_KINDS or playbook.type in ("impersonation", "phishing")
        for channel in channels
        for language in LANGUAGES
    }
    for message in rendered.messages:
        assert message.fits
        assert message.length <= message.limit
    for text in texts(rendered):
        assert text
        assert not re.search(r"\{\{|\{%|None|  ", text)
        assert not unsafe(text)


@pytest.mark.parametrize("playbook", PLAYBOOKS.values(), ids=lambda p: p.type)
def test_public_texts_hold_nothing_an_attacker_wrote(playbook: Playbook) -> None:
    facts = msgspec.structs.replace(FACTS, terms=("zzattack",), suspect="zzattack")
    for message in render(playbook, facts).messages:
        if message.kind in ("internal_briefing", "report"):
            assert f"{FSI}zzattack{PDI}" in message.text
        else:
            assert "zzattack" not in message.text


def test_numbers_are_alike_in_both_languages() -> None:
    briefings = [
        m.text for m in render(PLAYBOOKS["phishing"], FACTS).messages if m.channel == "internal"
    ]
    digits = [re.findall(r"\d[\d,.:-]*\d|\d", text) for text in briefings]
    assert digits[0] == digits[1]
    assert "12,345" in digits[0]
    assert not re.search("[٠-٩]", "".join(briefings))


def test_severity_is_in_words() -> None:
    by_language = {
        m.language: m.text
        for m in render(PLAYBOOKS["rumour"], FACTS).messages
        if m.channel == "internal"
    }
    assert "مستوى الخطورة: تحذير" in by_language["ar"]
    assert "Severity: warning" in by_language["en"]


def test_rendering_is_deterministic_and_serialisable() -> None:
    once = msgspec.json.encode(render(PLAYBOOKS["rumour"], FACTS))
    assert once == msgspec.json.encode(render(load_playbooks()["rumour"], FACTS))
    assert msgspec.json.decode(once, type=RenderedPlaybook) == render(PLAYBOOKS["rumour"], FACTS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ 7*7 }}", "{{ 7*7 }}"),
        ("{% import os %}", "{% import os %}"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07red", "red"),
        ("a\u202ebc\u2066d\u2069e\u200b", "abcde"),
        ("a\x00b\x07c", "abc"),
        ("a\nb\u2028c", "a b c"),
        ("https://evil.com/a?b=c.d", "hxxps://evil[.]com/a?b=c[.]d"),
        ("ＨＴＴＰ：／／evil．com", "hxxp://evil[.]com"),
        ("evil。com", "evil[.]com"),
        ("http://10.0.0.1", "hxxp://10[.]0[.]0[.]1"),
        ("javascript:alert(1)", "javascript[:]alert(1)"),
        ("ftp://evil.com", "ftp[:]//evil[.]com"),
        ("@acme me＠evil.com", "[at]acme me[at]evil[.]com"),
        ("z" + "\u0301" * 50, "ź" + "\u0301" * 2),
        ("a" * 20_000, "a" * 39 + "…"),
        ("\ud800x", "x"),
    ],
)
def test_hostile_text_becomes_harmless(text: str, shown: str) -> None:
    assert hostile(text, 40) == f"{FSI}{shown}{PDI}"
    facts = msgspec.structs.replace(FACTS, terms=(text,), suspect=text)
    for playbook in PLAYBOOKS.values():
        rendered = render(playbook, facts)
        for out in texts(rendered):
            assert not unsafe(out)
            assert out.count(FSI) == out.count(PDI)
        assert any(f"{FSI}{shown}{PDI}" in out for out in texts(rendered))


def test_text_of_which_nothing_is_left_counts_as_missing() -> None:
    facts = msgspec.structs.replace(FACTS, terms=("\u202e\u200b",), suspect="\x00")
    bare = msgspec.structs.replace(FACTS, terms=(), suspect=None)
    assert render(PLAYBOOKS["phishing"], facts) == render(PLAYBOOKS["phishing"], bare)


@settings(max_examples=150, deadline=None)
@given(
    terms=st.lists(st.text(), max_size=10),
    suspect=st.text(max_size=300),
    brand=st.text(max_size=20),
)
def test_no_text_breaks_rendering(terms: list[str], suspect: str, brand: str) -> None:
    facts = msgspec.structs.replace(
        FACTS, terms=tuple(terms), suspect=suspect, brand_ar=brand, brand_en=brand
    )
    for out in texts(render(PLAYBOOKS["impersonation"], facts)):
        assert not unsafe(out)
        assert out.count(FSI) == out.count(PDI)


@given(st.text())
def test_nothing_stays_clickable(text: str) -> None:
    shown = hostile(text, 200)
    assert "@" not in shown
    assert not re.search(r"https?://|[a-z]\.[a-z]", shown, re.IGNORECASE)


def test_defang_keeps_decimals() -> None:
    assert defang("3.5 of 10.25, v1.2.3") == "3.5 of 10.25, v1[.]2[.]3"


def test_numbers() -> None:
    assert [number(n) for n in (0, 7, 999.96, 12.34, 1e6, float("inf"), float("nan"))] == [
        "0", "7", "1,000", "12.3", "1,000,000", "–", "–"]  # fmt: skip


def test_a_long_brand_name_gives_a_thread_of_two() -> None:
    name = "Gulf Integrated Logistics and Warehousing Services Company"
    facts = msgspec.structs.replace(FACTS, brand_en=name)
    posts = [
        m
        for m in render(PLAYBOOKS["phishing"], facts).messages
        if (m.kind, m.channel, m.language) == ("holding", "x", "en")
    ]
    assert [(m.post, m.posts, m.fits) for m in posts] == [(1, 2, True), (2, 2, True)]
    assert posts[0].text.endswith("(1/2)")
    assert "https://acme.example/status" in posts[1].text


def test_own_file_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    source = (SHIPPED / "rumour.yaml").read_text("utf-8")
    (tmp_path / "mine.yml").write_text(source.replace("en: Rumour", "en: Our rumour"), "utf-8")
    found = load_playbooks(tmp_path)
    assert found["rumour"].title.en == "Our rumour"
    assert found["phishing"] == PLAYBOOKS["phishing"]
    assert list(found) == sorted(TYPES)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ brand_en.__class__ }}",
        "{{ brand_en['__class__'] }}",
        "{{ self }}",
        "{{ self._TemplateReference__context }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum() }}",
        "{{ brand_en | attr('__class__') }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 7*7 }}",
        "{{ [1] }}",
        "{{ 'text' }}",
        "{% import 'os' as os %}",
        "{% include '/etc/passwd' %}",
        "{% extends 'x' %}",
        "{% for a in brand_en %}{% endfor %}",
        "{% set a = 1 %}",
        "{% macro a() %}{% endmacro %}",
        "{% raw %}{{ brand_en }}{% endraw %}",
        "{% if brand_en > 3 %}a{% endif %}",
        "{% if '%c' % 64 %}a{% endif %}",
        "{% if " + "(" * 900 + "since" + ")" * 900 + " %}a{% endif %}",
        "{% if " + "since and " * 900 + "since %}a{% endif %}",
        "{% if since %}" * 60 + "a" + "{% endif %}" * 60,
    ],
)
def test_templates_that_compute_are_refused(tmp_path: Path, attack: str) -> None:
    source = (SHIPPED / "rumour.yaml").read_text("utf-8").splitlines()
    line = source.index("  en: Rumour") + 1
    source[line - 1] = "  en: >-"
    source.insert(line, f"    Rumour {attack}")
    path = tmp_path / "rumour.yaml"
    path.write_text("\n".join(source), "utf-8")
    with pytest.raises(PlaybookError) as caught:
        load_playbooks(tmp_path)
    assert (caught.value.file, caught.value.line) == (path, line + 1)
    assert caught.value.what.startswith("title.en: ")
    assert "nadhir playbook check" in caught.value.what_to_do
    assert any(p.line == line + 1 and p.key == "title.en" for p in check([path]))


def test_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match="cannot be read"):
        load_playbooks(tmp_path / "absent")


def test_two_files_of_one_type(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_bytes((SHIPPED / "rumour.yaml").read_bytes())
    with pytest.raises(PlaybookError, match="a second playbook for 'rumour'"):
        load_playbooks(tmp_path)
    assert [p.message[:17] for p in check([tmp_path])] == ["a second playbook"]
