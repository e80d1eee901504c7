"""Arabic for terminals that neither join its letters nor write from the right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from arabic_reshaper import ArabicReshaper
from bidi.algorithm import get_display

from alerts.playbook.records import Language
from alerts.playbook.text import FSI, LRM, PDI

RLM = "\u200f"
_MARKS: dict[Language, str] = {"ar": RLM, "en": LRM}
_KEPT = frozenset((FSI, PDI, LRM))
_ISOLATE = re.compile(f"{FSI}([^{FSI}{PDI}]*){PDI}")
_DROPPED = re.compile(f"[{FSI}{PDI}{LRM}{RLM}]")
_BIDI_APPS = frozenset(("Apple_Terminal", "iTerm.app"))
_VTE_BIDI = 5800
# the font of a terminal rarely has the ligatures of whole words
_RESHAPER = ArabicReshaper({"ARABIC LIGATURE ALLAH": False})


def does_bidi(environ: Mapping[str, str]) -> bool:
    """Whether the terminal joins and reorders Arabic by itself.

    Parameters
    ----------
    environ : mapping of str to str
        The environment of the process.

    Examples
    --------
    >>> does_bidi({"VTE_VERSION": "7006"}), does_bidi({"TERM": "xterm-256color"})
    (True, False)
    """
    vte = environ.get("VTE_VERSION", "")
    return (
        (vte.isascii() and vte.isdigit() and int(vte) >= _VTE_BIDI)
        or bool(environ.get("KONSOLE_VERSION"))
        or environ.get("TERM", "").startswith("mlterm")
        or environ.get("TERM_PROGRAM") in _BIDI_APPS
    )


def direction(text: str) -> Language:
    """Language by whose direction a text is set: that of its first strong character.

    Examples
    --------
    >>> direction("3 عطل"), direction("3 down"), direction("2026-11-21")
    ('ar', 'en', 'en')
    """
    strong = (unicodedata.bidirectional(c) for c in text)
    first = next((kind for kind in strong if kind in ("L", "R", "AL")), "L")
    return "en" if first == "L" else "ar"


def visual_line(text: str, language: Language) -> str:
    """One line as a terminal without Arabic must be given it: joined, in the order of the eye.

    Parameters
    ----------
    text : str
        A line in logical order; isolates (U+2068 to U+2069) are honoured.
    language : {"ar", "en"}
        Decides the direction of the line.

    References
    ----------
    Unicode UAX #9 (python-bidi, whose plain algorithm mirrors brackets but knows no isolates:
    marks of direction stand in for them).

    Examples
    --------
    >>> visual_line("3 (سلبية)", "ar") == "(ﺔﻴﺒﻠﺳ) 3"
    True
    """
    outer = _MARKS[language]

    def marked(match: re.Match[str]) -> str:
        inner = _MARKS[direction(match[1])]
        return f"{outer}{inner}{match[1]}{inner}{outer}"

    plain = _ISOLATE.sub(marked, text).replace(FSI, "").replace(PDI, "")
    shaped = get_display(_RESHAPER.reshape(plain), base_dir="R" if language == "ar" else "L")
    return _DROPPED.sub("", str(shaped))


def printable(text: str) -> str:
    """Text of our own making without anything that steers a terminal, whatever went wrong.

    Examples
    --------
    >>> printable("a\\x1b[2J\\u202eb")
    'a[2Jb'
    """
    return "".join(
        c
        for c in text
        if c in _KEPT or c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
