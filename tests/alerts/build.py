"""Signals, stages and alerts for the tests of the alert stage, as the detectors would make them."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor
from typing import Any

import numpy as np

from alerts.cases import Outcome
from alerts.fusion import AlertSettings, AlertStage
from alerts.playbook import load_playbooks
from alerts.playbook.records import Bilingual
from alerts.records import Alert
from alerts.texts import load_phrases
from models.baseline import interval, surprise, threshold
from models.records import Brand, Evidence, Phase, Signal

MINUTE = 60_000
START = 1_795_246_860_000  # 2026-11-21 07:41 UTC, a Saturday
PHRASES = load_phrases()
PLAYBOOKS = load_playbooks()
RIMAL = Brand(
    id="rimal-bank",
    names=("Rimal Bank", "بنك رمال"),
    handles=("rimalbank",),
    domains=("rimalbank.example",),
    timezone="Asia/Riyadh",
    help_url="https://rimalbank.example/status",
    support_handle="rimalbank_care",
)
SAQR = Brand(id="saqr-air", names=("Saqr Air", "طيران صقر"), timezone="Asia/Dubai")
NAMES = {
    "rimal-bank": Bilingual(ar="بنك رمال", en="Rimal Bank"),
    "saqr-air": Bilingual(ar="طيران صقر", en="Saqr Air"),
}

_TALK = (
    ("x", "ar", "تطبيق بنك رمال متوقف من ساعة ولا أقدر أحول الراتب، وين الدعم؟", "amal_k", 48_210),
    ("x", "en", "Rimal Bank app is down AGAIN. Card declined at the till.", "tariq_dxb", 12_904),
    ("app-store", "ar", "يطلع لي خطأ في الخادم كل ما أدخل. لا أنصح به أبدًا", "نورة", 310),
    ("x", "ar", "لا تدخلون على http://rimal-refund.example هذا رابط احتيال", "fahad_91", 9_450),
    ("instagram", "en", "Second outage this month. @rimalbank any news?", "lina.m", 2_120),
)  # fmt: skip


def evidence(minute: int = 0, *rows: tuple[str, str, str, str, int]) -> tuple[Evidence, ...]:
    """Mentions as evidence, a minute apart."""
    return tuple(
        Evidence(
            id=f"{platform}-{1900 + minute + i}",
            platform=platform,
            published_ms=START + (minute + i) * MINUTE,
            text=text,
            lang=lang,
            label="negative",
            negative=0.93,
            reach=reach,
            handle=handle,
            name=handle,
            followers=reach,
            url=f"https://{platform}.example/status/{1900 + minute + i}",
        )
        for i, (platform, lang, text, handle, reach) in enumerate(rows or _TALK)
    )


def rarity_of(observed: int, expected: float, alpha: float) -> float:
    """Surprise of one count."""
    counts = np.array([[float(observed)], [expected], [alpha]])
    return float(surprise(*counts)[0])


def signal(
    kind: str = "negative_count",
    phase: Phase = "fired",
    *,
    minute: int = 0,
    brand: str = "rimal-bank",
    observed: int = 214,
    expected: float = 3.4,
    alpha: float = 0.15,
    line: float = 6.5,
    **other: Any,
) -> Signal:
    """A finding whose surprise, threshold and interval are those of the baseline's model.

    Parameters
    ----------
    minute : int
        Minutes after `START`.
    alpha : float
        Dispersion of the counts.
    **other
        Fields of the signal, as they are.
    """
    rarity = rarity_of(observed, expected, alpha)
    lower, upper = interval(expected, alpha)
    end_ms = START + (minute + 1) * MINUTE
    window = int(other.get("window_min", 5))
    volume = kind == "volume"
    fields: dict[str, Any] = {
        "id": f"s-{brand}-{kind}-{phase}-{minute}",
        "window_start_ms": end_ms - window * MINUTE,
        "window_end_ms": end_ms,
        "window_min": window,
        "at_ms": START + minute * MINUTE + 41_000,
        "expected": expected,
        "lower": lower,
        "upper": upper,
        "surprise": floor(1000 * rarity) / 1000,
        "score": round(rarity / (rarity + 6.5), 4),
        "threshold": threshold(expected, alpha, line),
        "total": observed if volume else round(observed * 1.25),
        "negative": round(observed * 0.8) if volume else observed,
        "usual_negative_share": 0.18,
        "authors": round(observed * 0.9),
        "reach": 96_400,
        "history_h": 504,
        "platforms": {"x": 181, "app-store": 52, "instagram": 31},
        "languages": {"ar": 9, "en": 5},
        "terms": ("متوقف", "التطبيق", "app", "down", "الراتب"),
        "topics": {"outage": 0.62},
        "evidence": evidence(minute),
    }
    return Signal(
        brand=brand, kind=kind, phase=phase, observed=observed, line=line, **(fields | other)
    )


def praise(minute: int = 0) -> Signal:
    """Much talk, and all of it kind."""
    return signal("volume", minute=minute, observed=420, expected=20.0, negative=12, topics={})


def stage(*brands: Brand, **settings: int) -> AlertStage:
    """A stage over the brands (Rimal and Saqr if none are given)."""
    return AlertStage(brands or (RIMAL, SAQR), AlertSettings(**settings), PLAYBOOKS, PHRASES)


def only_alert(outcome: Outcome) -> Alert:
    """The one alert of an outcome."""
    (case,) = outcome.cases.values()
    return case.alert


def story() -> Iterable[Signal]:
    """An outage at a bank that grows, and a smaller quarrel about an airline beside it."""
    first: dict[str, Any] = {"authors": 21, "reach": 900, "topics": {"outage": 0.19}, "total": 52}
    yield signal(minute=0, observed=24, **first)
    yield signal("volume", minute=3, observed=96, expected=14.2, negative=61, reach=7_400)
    yield signal(minute=5, phase="update", observed=131)
    yield signal("volume", "update", minute=8, observed=412, expected=14.2, negative=301)
    rows = (
        ("x", "ar", "طيران صقر غيّر موعد رحلتي بدون إشعار، والتعويض صفر", "hala_r", 3_100),
        ("x", "en", "Saqr Air changed the fare rules overnight. Not fair.", "omar.f", 870),
    )  # fmt: skip
    yield signal(
        "negative_share",
        minute=20,
        brand="saqr-air",
        window_min=60,
        observed=46,
        expected=13.3,
        alpha=0.02,
        total=74,
        terms=("التعويض", "fare", "رسوم"),
        topics={},
        reach=5_200,
        authors=35,
        platforms={"x": 60, "facebook": 14},
        evidence=evidence(15, *rows),
    )


def story_alerts() -> list[Alert]:
    """Both alerts of the story: the bank's open, the airline's resolved."""
    running = stage()
    cases = dict(running.handle(story()).cases)
    # the bank's outage goes on
    cases |= running.handle([signal(minute=50, phase="update", observed=120)]).cases
    cases |= running.advance(START + 82 * MINUTE).cases
    return [case.alert for case in cases.values()]
