"""Alerts as one static page: Arabic first, English beside it, nothing loaded from elsewhere."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerts.playbook.records import KINDS, LANGUAGES, Bilingual, Channel, RenderedMessage
from alerts.playbook.text import defang, strip_controls
from alerts.records import Alert
from alerts.show.chart import chart_of
from alerts.texts import Phrases, load_phrases

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


class Counter(NamedTuple):
    """How long a message is on one channel, and what the channel allows."""

    channel: Bilingual
    length: int
    limit: int
    fits: bool


class Variant(NamedTuple):
    """One wording in one language, with every channel it is meant for."""

    posts: tuple[str, ...]
    counters: tuple[Counter, ...]


class Prepared(NamedTuple):
    """A message in both languages for channels that share the wording."""

    kind: str
    ar: Variant
    en: Variant


def render_page(
    alerts: Sequence[Alert],
    brand_names: Mapping[str, Bilingual],
    *,
    timezones: Mapping[str, str] | None = None,
) -> str:
    """Render alerts as one self-contained HTML page.

    Parameters
    ----------
    alerts : sequence of Alert
        In the order in which they are shown.
    brand_names : mapping of str to Bilingual
        Names by brand id; the id is shown where there is none.
    timezones : mapping of str to str, optional
        IANA time zones by brand id; times are in UTC where there is none.

    Returns
    -------
    str
        No script, no external resource; its policy (CSP) forbids both.

    Examples
    --------
    >>> "<script" in render_page([], {})
    False
    """
    zones = timezones or {}

    def name(alert: Alert) -> Bilingual:
        return brand_names.get(alert.brand, Bilingual(ar=alert.brand, en=alert.brand))

    return (
        environment()
        .get_template("alert.html.j2")
        .render(
            cards=[(alert, name(alert), *_clock(zones.get(alert.brand, "UTC"))) for alert in alerts]
        )
    )


@cache
def environment() -> Environment:
    """Templates with what they need to speak both languages; all values are escaped."""
    phrases = load_phrases()
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        say=phrases.say,
        duration=phrases.duration,
        number=phrases.number,
        total=_total,
        chart_of=chart_of,
        prepared=lambda messages: _prepared(messages, phrases),
    )
    environment.filters.update(csp_hash=_csp_hash, mention=_mention)
    return environment


def _clock(zone: str) -> tuple[str, Callable[..., str]]:
    """A zone, and what writes RFC 3339 or milliseconds since the epoch in it."""
    local = ZoneInfo(zone)

    def clock(at: str | int, layout: str = "%Y-%m-%d %H:%M") -> str:
        if isinstance(at, str):
            moment = datetime.fromisoformat(at)
        else:
            moment = datetime.fromtimestamp(at / 1000, UTC)
        return f"{moment.astimezone(local):{layout}}"

    return zone, clock


def _total(alert: Alert) -> float:
    return round(sum(part.points for part in alert.explanation.parts), 2)


def _csp_hash(style: str) -> str:
    return b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _mention(text: str | None) -> str:
    """Text of a stranger: nothing steers the reading order, nothing can be clicked."""
    return defang(strip_controls(text or ""))


def _prepared(messages: Sequence[RenderedMessage], phrases: Phrases) -> list[Prepared]:
    """Messages by kind; channels with the same wording in both languages become one."""
    posts: dict[tuple[str, Channel], dict[str, list[RenderedMessage]]] = {}
    for message in messages:
        by_language = posts.setdefault((message.kind, message.channel), {})
        by_language.setdefault(message.language, []).append(message)
    grouped: dict[tuple[str, tuple[str, ...]], list[dict[str, list[RenderedMessage]]]] = {}
    for (kind, _), wording in posts.items():
        texts = tuple(m.text for language in LANGUAGES for m in wording.get(language, []))
        grouped.setdefault((kind, texts), []).append(wording)
    found = [
        Prepared(kind, *(_variant(wordings, language, phrases) for language in LANGUAGES))
        for (kind, _), wordings in grouped.items()
    ]
    return sorted(found, key=lambda p: KINDS.index(p.kind))


def _variant(
    wordings: Sequence[Mapping[str, list[RenderedMessage]]], language: str, phrases: Phrases
) -> Variant:
    counters = []
    for wording in wordings:
        for m in wording.get(language, []):
            channel = phrases.say(f"channels.{m.channel}")
            counters.append(Counter(channel, m.length, m.limit, m.fits))
    return Variant(tuple(m.text for m in wordings[0].get(language, [])), tuple(counters))
