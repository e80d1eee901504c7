"""Values made safe and readable before they enter a template; no value is ever a template."""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache

from alerts.playbook.records import Facts, Language

MAX_TERMS = 8
MAX_TERM_CHARS = 40
MAX_SUSPECT_CHARS = 120
_MAX_RAW_CHARS = 400  # cut before the costlier steps
_MAX_MARKS = 3  # combining marks in a row; Arabic needs two

FSI, PDI, LRM = "\u2068", "\u2069", "\u200e"
# LRE RLE PDF LRO RLO LRI RLI: what can turn the reading order of the text around a value
BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067")
_RLE, _PDF = "\u202b", "\u202c"
_SEVERITY: dict[Language, dict[str, str]] = {
    "ar": {"watch": "مراقبة", "warning": "تحذير", "critical": "حرج"},
    "en": {"watch": "watch", "warning": "warning", "critical": "critical"},
}
_COMMA: dict[Language, str] = {"ar": "، ", "en": ", "}

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?)")
# letters and marks that Unicode gives no shape
_INVISIBLE = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0))
) | {chr(c) for r in (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)) for c in r}
_DOTS = re.compile(r"[.。](?=\w)")
_SCHEME = re.compile(r"\b(\w[\w+.-]*)\s*:(?=\s*[/\\]{2})")
_ACTIVE = re.compile(r"\b(javascript|vbscript|data|file|mailto|tel):", re.IGNORECASE)
_NUMBER_DOT = re.compile(r"(?<![\w.\]])(\d+)\[\.\](\d+)(?![\w.\[])")


@lru_cache(maxsize=1 << 12)  # a running alert shows the same evidence at each update
def strip_controls(text: str) -> str:
    """Drop what steers a terminal or the reading order, and what cannot be seen.

    Examples
    --------
    >>> strip_controls("\\x1b[31mred\\x1b[0m \\u202eabc\\x00\\u200b")
    'red abc'
    """
    kept: list[str] = []
    marks = 0
    for char in _ANSI.sub("", text):
        category = unicodedata.category(char)
        if char in "\t\n\r" or category in ("Zs", "Zl", "Zp"):
            char = " "
        elif category in ("Cc", "Cf", "Cn", "Co", "Cs") or char in _INVISIBLE:
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return " ".join("".join(kept).split())


def right_to_left(text: str) -> str:
    """Text that reads from the right, where nothing around it says so.

    Examples
    --------
    >>> right_to_left("abc!")
    '\u202babc!\u202c'
    """
    return f"{_RLE}{text}{_PDF}"


def defang(text: str) -> str:
    """Break links and handles so that nothing makes them clickable.

    Examples
    --------
    >>> defang("https://evil.com/a @acme 3.5")
    'hxxps://evil[.]com/a [at]acme 3.5'
    """
    text = _SCHEME.sub(_break_scheme, text)
    text = _ACTIVE.sub(lambda m: f"{m[1]}[:]", text)
    text = _NUMBER_DOT.sub(r"\1.\2", _DOTS.sub("[.]", text))
    return text.replace("@", "[at]")


def _break_scheme(match: re.Match[str]) -> str:
    scheme = match[1].lower()
    return f"hxx{scheme[3:]}:" if scheme in ("http", "https") else f"{match[1]}[:]"


def hostile(text: str, max_chars: int) -> str:
    """Text of an attacker for display: stripped, defanged, cut, isolated; empty if nothing is left.

    Parameters
    ----------
    text : str
        Anything at all.
    max_chars : int
        Characters kept; a cut shows as an ellipsis.

    Examples
    --------
    >>> hostile("@evil\\u202e", 40) == "\\u2068[at]evil\\u2069"
    True
    """
    text = strip_controls(text[: max(_MAX_RAW_CHARS, max_chars)])
    # full-width and other look-alikes of @ . : / first become the real ones
    text = strip_controls(unicodedata.normalize("NFKC", text)[:_MAX_RAW_CHARS])
    text = defang(text)
    if len(text) > max_chars:
        text = text[: max_chars - 1].rstrip() + "…"
    return f"{FSI}{text}{PDI}" if text else ""


def number(value: float) -> str:
    """A number in ASCII digits with thousands separators, alike in both languages.

    Examples
    --------
    >>> number(1234567), number(8.04), number(1234.5), number(float("inf"))
    ('1,234,567', '8', '1,234', '–')
    """
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 100 or round(value, 1) == int(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}"


def values(facts: Facts, language: Language) -> dict[str, str | int | float | None]:
    """Give the variables of a template; ``None`` for what is missing.

    Parameters
    ----------
    facts : Facts
        Facts of the alert, hostile text as it came.
    language : {"ar", "en"}
        Decides the separator of ``terms`` and the mark before handle and date.
    """
    terms = (hostile(term, MAX_TERM_CHARS) for term in facts.terms[:MAX_TERMS])
    handle = strip_controls(facts.support_handle or "").lstrip("@")
    # without it a right-to-left sentence shows the @ on the wrong side of the handle, and the
    # parts of a date in the other order
    mark = LRM if language == "ar" else ""
    return {
        **_counts(facts),
        "brand_ar": strip_controls(facts.brand_ar),
        "brand_en": strip_controls(facts.brand_en),
        "alert_id": strip_controls(facts.alert_id),
        "severity": facts.severity,
        "severity_ar": _SEVERITY["ar"][facts.severity],
        "severity_en": _SEVERITY["en"][facts.severity],
        "since": strip_controls(facts.since),
        "date": mark + strip_controls(facts.date),
        "timezone": strip_controls(facts.timezone),
        "terms": _COMMA[language].join(filter(None, terms)) or None,
        "suspect": hostile(facts.suspect or "", MAX_SUSPECT_CHARS) or None,
        "help_url": strip_controls(facts.help_url or "") or None,
        "support_handle": f"{mark}@{handle}" if handle else None,
        "domain": strip_controls(facts.domain or "") or None,
    }


def _counts(facts: Facts) -> dict[str, int | float]:
    return {
        "observed": facts.observed,
        "expected": facts.expected,
        "ratio": facts.ratio,
        "window_min": facts.window_min,
        "negative": facts.negative,
        "negative_share": facts.negative_share,
        "crisis_score": facts.crisis_score,
    }


_BLANKS = re.compile(r"[^\S\n]+")
_EDGES = re.compile(r" ?\n ?")
_GAPS = re.compile(r"\n{3,}")


def tidy(text: str) -> str:
    """Even out the white space that conditions and folded YAML leave behind.

    Examples
    --------
    >>> tidy(" One  two \\n\\n\\n three. ")
    'One two\\n\\nthree.'
    """
    return _GAPS.sub("\n\n", _EDGES.sub("\n", _BLANKS.sub(" ", text))).strip()
