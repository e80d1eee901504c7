"""Alerts as people see them: terminal, page, one line; in both languages and harmless."""

from __future__ import annotations

import hashlib
import html
import io
import re
from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

import alerts.show.page
from alerts.explain import SEVERITY_FROM, WEIGHTS
from alerts.playbook.text import strip_controls
from alerts.records import ALERT_FIELDS, Alert, alert_schema
from alerts.show import headline, print_alert, render_page
from alerts.show.script import does_bidi, visual_line
from tests.alerts.build import NAMES, PHRASES, only_alert, signal, stage, story_alerts
from tests.alerts.test_fusion import HOSTILE, hostile_signal, steering

BANK, AIRLINE = story_alerts()
HOSTILE_ALERT = only_alert(stage().handle([hostile_signal()]))
TEMPLATE = Path(alerts.show.page.__file__).parents[1] / "templates" / "alert.html.j2"
DOCS = Path(alerts.show.page.__file__).parents[2] / "docs" / "alert.md"
ARABIC = re.compile("[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufeff]")
JOINED = re.compile("[\ufe70-\ufeff]")


def printed(alert: Alert, *, width: int = 100, tty: bool = False, **options: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=tty, color_system=None)
    print_alert(alert, console, **options)
    return out.getvalue()


# terminal -------------------------------------------------------------------------------------


def test_terminal_tells_everything() -> None:
    text = printed(BANK, timezone="Asia/Riyadh")
    told = BANK.explanation
    assert "CRITICAL" in text
    assert "حرج" in text
    assert f"{BANK.score}/100" in text
    assert "2026-11-21 10:41 Asia/Riyadh" in text
    assert "2026-11-21 07:41 UTC" in text
    flat = " ".join(text.split())
    for sentence in (told.observed, told.expected, *told.would_have_stopped_it):
        assert sentence.en in flat
        assert sentence.ar in flat
    assert all(f"✓ {gate.sentence.en}" in flat for gate in told.gates)
    assert "X 200/280 ✓" in text
    assert "نعتذر عن تعطل أعمالكم" in text
    assert "We are sorry for the disruption" in text


def test_terminal_arithmetic_adds_up() -> None:
    rows = re.findall(r"(\d+) × (\d\.\d{4}) = +(\d+\.\d\d)", printed(BANK))
    assert len(rows) == 5
    assert all(round(float(w) * float(v), 2) == float(p) for w, v, p in rows)
    (total,) = re.findall(r"Sum +=\s+(\d+\.\d\d)", printed(BANK))
    assert round(sum(float(p) for *_, p in rows), 2) == float(total)
    assert int(float(total) + 0.5) == BANK.score


@pytest.mark.parametrize(
    "alert", [BANK, AIRLINE, HOSTILE_ALERT], ids=["bank", "airline", "hostile"]
)
@pytest.mark.parametrize("width", [40, 60, 80, 140])
@pytest.mark.parametrize("language", ["both", "ar", "en"])
def test_visual_lines_keep_to_the_width(alert: Alert, width: int, language: Any) -> None:
    lines = printed(alert, width=width, arabic="visual", language=language).split("\n")
    loose = ("×", "=", "a-")  # arithmetic and the badge are never wrapped
    for line in lines:
        if width >= 80 or not any(mark in line for mark in loose):
            assert cell_len(line) <= min(width, 100), line


def test_visual_arabic_is_joined_and_set_to_the_right() -> None:
    lines = printed(BANK, width=90, arabic="visual", language="ar").split("\n")
    shaped = [line for line in lines if JOINED.search(line)]
    assert len(shaped) > 20
    assert not re.search("[\u0621-\u064a]", "".join(lines)), "every letter has its joined form"
    # a line that goes on below a bullet ends beside it
    assert {cell_len(line.rstrip()) for line in shaped if "/100" not in line} == {88, 90}


def test_wrapped_before_it_is_reordered() -> None:
    lines = [x for x in printed(BANK, width=60, arabic="visual", language="ar").split("\n") if x]
    first = next(i for i, line in enumerate(lines) if visual_line("رُصدت 412", "ar") in line)
    assert visual_line("(301)", "ar") in lines[first + 1], "the sentence goes on below"


def test_logical_arabic_is_left_to_the_terminal() -> None:
    text = printed(BANK, arabic="logical", tty=True)
    assert not JOINED.search(text)
    assert BANK.title.ar in text


@pytest.mark.parametrize(
    ("environ", "does"),
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "linux"}, False),
        ({}, False),
        ({"VTE_VERSION": "5202"}, False),
        ({"VTE_VERSION": "5800"}, True),
        ({"VTE_VERSION": "7006"}, True),
        ({"VTE_VERSION": "new"}, False),
        ({"VTE_VERSION": "٧٠٠٠"}, False),
        ({"KONSOLE_VERSION": "220401"}, True),
        ({"TERM": "mlterm-256color"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, True),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "vscode"}, False),
    ],
)
def test_auto_asks_console_and_environment(
    environ: dict[str, str], does: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert does_bidi(environ) is does
    for name in ("VTE_VERSION", "KONSOLE_VERSION", "TERM", "TERM_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert bool(JOINED.search(printed(BANK, tty=True))) is not does
    assert not JOINED.search(printed(BANK, tty=False)), "a file or a pipe"


def test_one_language_alone() -> None:
    english = printed(AIRLINE, language="en")
    heading = "\n".join(line for line in english.split("\n") if "│" not in line)
    terms = "".join(AIRLINE.terms)
    assert all(c in terms for c in ARABIC.findall(heading))
    arabic = printed(replace(AIRLINE, evidence=()), language="ar")
    assert "Why it fired" not in arabic
    assert "لماذا صدر التنبيه" in arabic


@pytest.mark.parametrize("arabic", ["visual", "logical"])
@pytest.mark.parametrize("language", ["both", "ar", "en"])
def test_hostile_text_is_harmless_in_a_terminal(arabic: Any, language: Any) -> None:
    for evidence in HOSTILE_ALERT.evidence:
        alert = replace(HOSTILE_ALERT, evidence=(evidence,))
        text = printed(alert, tty=True, arabic=arabic, language=language)
        assert not steering(text)
        assert "http://" not in text.replace("\u2069", "")
        assert len(text) < 30_000


def test_markup_of_rich_is_only_text() -> None:
    item = replace(HOSTILE_ALERT.evidence[0], text=HOSTILE[6])
    text = printed(replace(HOSTILE_ALERT, evidence=(item,)), arabic="logical")
    assert "[bold red]rich[/]" in text
    assert ":skull:" in text


def test_uncleaned_evidence_is_cleaned_again() -> None:
    item = replace(BANK.evidence[0], text=HOSTILE[3], handle=HOSTILE[4], platform=HOSTILE[5])
    text = printed(replace(BANK, evidence=(item,)), arabic="logical")
    assert not steering(text)
    assert not steering(render_page([replace(BANK, evidence=(item,))], NAMES))


@given(st.text(max_size=60), st.sampled_from(["ar", "en"]))
def test_any_line_can_be_shown(text: str, language: Any) -> None:
    clean = strip_controls(text)
    assert not steering(visual_line(clean, language))


@pytest.mark.parametrize(
    ("text", "language", "shown"),
    [
        ("عطل (3) دقائق", "ar", "ﻖﺋﺎﻗﺩ (3) ﻞﻄﻋ"),
        ("Acme: عطل!", "en", "Acme: ﻞﻄﻋ!"),
        ("1,234 من 3.2 مليون", "ar", "ﻥﻮﻴﻠﻣ 3.2 ﻦﻣ 1,234"),
        ("\u2068app\u2069، \u2068down\u2069", "ar", "down ،app"),
        ("\u2068عطل\u2069, \u2068بطء\u2069", "en", "ﻞﻄﻋ, ﺀﻂﺑ"),
        ("في \u20682026-11-21 10:41\u2069", "ar", "2026-11-21 10:41 ﻲﻓ"),
    ],
)
def test_visual_line(text: str, language: Any, shown: str) -> None:
    assert visual_line(text, language) == shown


def test_headline() -> None:
    assert (
        headline(AIRLINE, "en") == f"WATCH {AIRLINE.score}/100 · {AIRLINE.title.en} · {AIRLINE.id}"
    )
    assert headline(BANK, "ar").startswith("حرج 87/100 · بنك رمال: ")
    evil = replace(BANK, title=PHRASES.listed(["a\nb\x1b[31m\u202e"]))
    assert headline(evil, "en") == f"CRITICAL {BANK.score}/100 · a b · {BANK.id}"


# page -----------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Tags with their attributes, and text with the elements around it."""

    VOID = frozenset(("meta", "br", "rect"))

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, tuple[str, ...]]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((data, tuple(self._open)))

    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]


PAGE = render_page([BANK, AIRLINE], NAMES, timezones={"rimal-bank": "Asia/Riyadh"})


def test_page_loads_nothing_and_runs_nothing() -> None:
    page = Page(PAGE)
    assert not {"script", "img", "link", "iframe", "form", "object", "base"} & set(page.names())
    for _, attributes in page.tags:
        assert not {"src", "srcset", "style", "action", "xlink:href"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in PAGE
    assert "@import" not in PAGE


def test_policy_allows_this_style_alone() -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", PAGE, flags=re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [
        a["content"]
        for tag, a in Page(PAGE).tags
        if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_page_is_arabic_first_and_bilingual() -> None:
    page = Page(PAGE)
    assert page.tags[0] == ("html", {"lang": "ar", "dir": "rtl"})
    text = "\n".join(data for data, _ in page.texts)
    told = BANK.explanation
    for pair in (BANK.title, told.observed, told.expected, *told.would_have_stopped_it):
        assert text.index(pair.ar) < text.index(pair.en)
    for _, attributes in page.tags:
        if "lang" in attributes and "dir" in attributes:
            assert (attributes["lang"], attributes["dir"]) in (("ar", "rtl"), ("en", "ltr"))


def test_page_shows_arithmetic_messages_and_times() -> None:
    assert "280" in PAGE
    assert "200 / 280 ✓" in PAGE
    assert "2026-11-21 10:41" in PAGE
    assert "Asia/Riyadh" in PAGE
    assert "2026-11-21 08:01" in PAGE, "UTC where no zone is given"
    for part in BANK.explanation.parts:
        assert f"<span>{part.value:.4f}</span>" in PAGE
        assert f"<span>{part.points:.2f}</span>" in PAGE
    text = {data for data, _ in Page(PAGE).texts}
    for message in BANK.playbook.messages:
        assert message.text in text
    for step in BANK.playbook.steps:
        assert {step.action.ar.strip(), step.action.en.strip()} <= {t.strip() for t in text}


@pytest.mark.parametrize("name", ["corrected", "reach", "intensity"])
def test_what_the_plain_share_leaves_out_is_shown_where_it_is_known(name: str) -> None:
    weighed = {"negative_estimate": 0.4, "intensity": 0.9, "usual_intensity": 0.7}
    alert = only_alert(stage().handle([signal(**weighed, reach_share=0.2)]))
    sentence = getattr(alert.explanation, name)
    assert sentence.ar != sentence.en
    for shown in (printed(alert), html.unescape(render_page([alert], NAMES))):
        flat = " ".join(shown.split())
        assert sentence.ar in flat
        assert sentence.en in flat


def test_thread_and_overlong_messages_are_shown_as_they_are() -> None:
    first = BANK.playbook.messages[0]
    posts = (
        replace(first, text="one (1/2)", length=9, posts=2),
        replace(first, text="two (2/2)", length=281, post=2, posts=2, fits=False),
    )
    alert = replace(BANK, playbook=replace(BANK.playbook, messages=posts))
    html = render_page([alert], NAMES)
    assert "<p>one (1/2)</p>" in html
    assert "281 / 280 ✗" in html
    assert "X 281/280 (2/2) ✗" in printed(alert)


def test_mention_text_is_isolated_and_not_clickable() -> None:
    page = Page(PAGE)
    said = [(data, around) for data, around in page.texts if "hxxp" in data and "احتيال" in data]
    assert said == [("لا تدخلون على hxxp://rimal-refund[.]example هذا رابط احتيال", said[0][1])]
    assert said[0][1][-2:] == ("blockquote", "bdi")
    assert "http://rimal-refund" not in PAGE
    assert "@rimalbank any news" not in PAGE


def test_hostile_text_changes_no_element_of_the_page() -> None:
    harmless = tuple(
        replace(e, text="t", handle="h", name="n", platform="p", url="u", lang="en", id="i")
        for e in HOSTILE_ALERT.evidence
    )
    given_ = replace(hostile_signal(), terms=("a",), evidence=harmless)
    plain = only_alert(stage().handle([replace(given_, languages={"en": 1})]))
    html = render_page([HOSTILE_ALERT], NAMES)
    evil, tame = Page(html), Page(render_page([plain], NAMES))
    assert [t for t in evil.names() if t != "bdi"] == [t for t in tame.names() if t != "bdi"]
    assert "<script" not in html
    assert "{{7*7}}" in html
    assert not steering(html)
    assert len(html) < 150_000


def test_brand_names_and_ids_are_escaped() -> None:
    evil = PHRASES.listed(["<b>\"'&</b>"])
    alert = replace(BANK, title=evil, brand='"><script>')
    html = render_page([alert], {'"><script>': evil})
    assert "<script" not in html
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert "<script" not in render_page([alert], {})


def test_empty_page_and_same_bytes() -> None:
    assert "No alerts." in render_page([], {})
    assert render_page([BANK, AIRLINE], NAMES, timezones={"rimal-bank": "Asia/Riyadh"}) == PAGE


# colours --------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def schemes() -> list[dict[str, str]]:
    roots = re.findall(r":root \{(.*?)\}", TEMPLATE.read_text(encoding="utf-8"), flags=re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", root)) for root in roots[:2])
    assert set(light) == set(dark)
    return [light, dark]


@pytest.mark.parametrize("scheme", schemes(), ids=["light", "dark"])
def test_contrast(scheme: dict[str, str]) -> None:
    pairs = [(f"on-{s}", s) for s in ("critical", "warning", "watch")]
    pairs += [(f"{s}-ink", f"{s}-tint") for s in ("critical", "warning", "watch")]
    tints = [f"{s}-tint" for s in ("critical", "warning", "watch")]
    pairs += [(ink, on) for ink in ("ink", "soft") for on in ("page", "card", "sunk", *tints)]
    pairs += [(ink, "card") for ink in ("accent", "good", "bad")]
    for ink, on in pairs:
        one, other = sorted((luminance(scheme[ink]), luminance(scheme[on])))
        assert (other + 0.05) / (one + 0.05) >= 4.5, (ink, on)


def test_severity_is_also_a_word() -> None:
    for alert, word in ((BANK, "critical"), (AIRLINE, "watch")):
        badges = re.findall(r'<span class="badge">(.*?)</span></span>', render_page([alert], NAMES))
        assert f'<span lang="en" dir="ltr">{word}' in badges[0]


# documentation --------------------------------------------------------------------------------


def test_documented_fields_are_those_of_the_record() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", DOCS.read_text("utf-8"), re.M)
    rows = rows[: len(Alert.__struct_fields__)]
    assert [name for name, *_ in rows] == list(Alert.__struct_fields__)
    properties = alert_schema()["properties"]
    for name, kind, meaning, arabic in rows:
        assert meaning == ALERT_FIELDS[name]
        assert ARABIC.search(arabic)
        assert kind_of(properties[name]) == kind.split(" of ")[0].removesuffix(", see below"), name


def kind_of(rule: dict[str, Any]) -> str:
    """How the documentation writes a type of the schema."""
    if "enum" in rule:
        order = ["watch", "warning", "critical", "open", "resolved"]
        *first, last = (f"`{word}`" for word in sorted(rule["enum"], key=order.index))
        return f"{', '.join(first)} or {last}"
    if "anyOf" in rule:
        return " or ".join(kind_of(each) for each in rule["anyOf"])
    if rule.get("format") == "date-time":
        return "time"
    if "$ref" in rule:
        return "text in `ar` and `en`" if rule["$ref"].endswith("Bilingual") else "object"
    kind: str = rule["type"]
    return {"integer": "whole number", "array": "list"}.get(kind, kind)


def test_documented_weights_lines_and_gates_are_those_of_the_code() -> None:
    text = DOCS.read_text("utf-8")
    for name, weight in WEIGHTS.items():
        assert f"| `{name}` | {weight:.0f} |" in text
    for severity, least in SEVERITY_FROM.items():
        assert f"| `{severity}` | {least} |" in text
    for gate in BANK.explanation.gates:
        assert f"| `{gate.name}` |" in text
    for event in ("opened", "raised", "retyped", "resolved", "reopened"):
        assert f"| `{event}` |" in text


def test_alert_of_a_volume_signal_says_how_many_took_part() -> None:
    alert = only_alert(stage().handle([signal("volume", observed=412, expected=14.2)]))
    assert "371 accounts" in printed(alert)
