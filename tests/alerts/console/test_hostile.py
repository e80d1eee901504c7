"""What strangers wrote is shown as text, on every page and in both languages."""

from __future__ import annotations

import re

import msgspec
import pytest

from models.records import NarrativeRecord, NarrativeText
from tests.alerts.build import evidence
from tests.alerts.console.visiting import Browser, Site
from tests.alerts.responding import first

EVIL = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*'7'}}{% raw %}"
    "<style>*{display:none}</style></bdi></main>\u202e\u2066\u200bgnp.exe"
)
LONG = "\u0643" * 1_000_000
LINKS = (
    "javascript:alert(1)", "data:text/html,x", "//evil.example", "https://\u202eevil",
    "https://bank.example@evil.example/", "https://bank.example\\@evil.example/", None,
)  # fmt: skip


def hostile() -> object:
    evil, long = evidence(0, ("<b>x", "ar", EVIL, EVIL, 1), ("x", "en", LONG, LONG, 2))
    found = [
        msgspec.structs.replace(long, url=None),
        *(msgspec.structs.replace(evil, url=link) for link in LINKS),
    ]
    narrative = NarrativeRecord(
        id="n", kind="rumour", score=0.9, first_ms=0, last_ms=1, found_ms=1, mentions=9,
        accounts=9, speed_now=1.0, speed_before=1.0, speed_peak=1.0, languages={}, platforms={},
        negative_share=None, claims=0, questions=0, denials=0, complaints=0, sources=0,
        terms=(EVIL,), texts=(NarrativeText(id=EVIL, text=EVIL, times=3),), carriers=(), parts={},
    )  # fmt: skip
    why = first().explanation
    return msgspec.structs.replace(
        first(),
        id="a-evil",
        evidence=tuple(found),
        narratives=(narrative,),
        explanation=msgspec.structs.replace(why, narratives=(why.observed,)),
    )


@pytest.fixture
def evil(site: Site) -> Site:
    site.desk.take(hostile())  # type: ignore[arg-type]
    site.desk.comment("responder", "a-evil", EVIL.replace("\u200b", ""), once=None)
    site.desk.assign("responder", "a-evil", EVIL[:80], version=None, once=None)
    return site


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_hostile_mention_is_text_on_every_page(evil: Site, language: str) -> None:
    browser = evil.browser("admin", language=language)
    paths = ["/", "/alerts/a-evil", *(page.path for page in evil.app.state.console.nav)]
    for path in dict.fromkeys(paths):
        page = browser.get(path)
        assert page.status_code == 200, path
        assert "<script>" not in page.text
        assert "<img src=x" not in page.text
        assert "<style>" not in page.text
        assert "7777777" not in page.text
        assert not re.search(r"\u202e|\u2066|\u200b", page.text) or path == "/alerts/a-evil"
        assert page.text.count("</main>") == 1
        assert len(page.text) < 400_000
        for link in re.findall(r'href="([^"]*)"', page.text):
            assert link.startswith(("/", "#", "?")) or link == "", (path, link)


def test_a_strangers_text_is_cut_and_cannot_turn_what_is_around_it(evil: Site) -> None:
    page = evil.browser("viewer").get("/alerts/a-evil").text
    section = page.partition('id="evidence"')[2].partition("</section>")[0]
    assert section
    assert not re.search(r"[\u200b\u202a-\u202e\u2066-\u2069]", section)
    quotes = re.findall(r"<blockquote>(.*?)</blockquote>", section, re.DOTALL)
    assert len(quotes) == 1 + len(LINKS)
    for quote in quotes:
        assert re.fullmatch(r'<bdi class="said" dir="(?:auto|rtl|ltr)"[^>]*>[^<]*</bdi>', quote), (
            quote[:200]
        )
        assert len(quote) < 3_000
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in quotes[1]


def test_links_of_mentions_lead_out_without_telling_from_where(site: Site, amal: Browser) -> None:
    page = amal.get(f"/alerts/{first().id}").text
    links = re.findall(r"<a [^>]*href=\"https?://[^>]*>", page)
    assert len(links) == len(first().evidence)
    for link in links:
        assert 'rel="noopener noreferrer nofollow"' in link


def test_what_was_typed_into_a_form_comes_back_as_text(site: Site, amal: Browser) -> None:
    path = f"/alerts/{first().id}"
    site.desk.act("admin", first().id, "acknowledge", version=1, reason=EVIL, once=None)
    answer = amal.send(f"{path}/verdict", version="1", verdict="true", reason=EVIL, **{EVIL: EVIL})
    assert answer.status_code == 412
    assert "<script>" not in answer.text
    assert "<img src=x" not in answer.text
    asked = ("done=<script>", 'done=silence&silence="><script>', f"done=assign&before={EVIL}")
    for query in asked:
        assert "<script>" not in amal.request("GET", f"{path}?{query}").text
        assert "<img src=x" not in amal.request("GET", f"{path}?{query}").text
