"""Pages as they are answered: templates with what both languages need; every value is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

import alerts.texts
from alerts.console import language as languages
from alerts.console.console import console, parts
from alerts.console.who import Visitor, is_encrypted
from alerts.drills import is_drill, watched_brand
from alerts.explain import brand_names
from alerts.playbook.records import Bilingual, Language
from alerts.playbook.text import strip_controls
from alerts.texts import Phrases, load_phrases
from models.records import Brand

TEMPLATES = Path(__file__).with_name("templates")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    # with no-referrer, browsers would not say where a form comes from
    "Referrer-Policy": "same-origin",
}
_YEAR_S = 365 * 86_400
_MOST_CHARS = 2_000  # of a stranger's text on one page


def show(
    request: Request,
    template: str,
    visitor: Visitor | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    address: str | None = None,
    **facts: Any,
) -> Response:
    """Answer with a page, in the language of whoever asks.

    ``address`` is where the page is found, if not where it was asked for, as after a form.
    """
    language = languages.language_of(request)
    common = _common(request, language, visitor, address or request.url.path)
    html = environment(language).get_template(template).render(common, **facts)
    answer = HTMLResponse(html, status, {**_HEADERS, **(headers or {})})
    if languages.asked(request):
        answer.set_cookie(
            languages.COOKIE,
            language,
            max_age=_YEAR_S,
            secure=is_encrypted(request),
            httponly=True,
            samesite="lax",
        )
    return answer


def piece(request: Request, template: str, **facts: Any) -> str:
    """A piece of a page that is the same for everybody who reads its language."""
    language = languages.language_of(request)
    common = _common(request, language, None, request.url.path)
    return environment(language).get_template(template).render(common, **facts)


def _common(
    request: Request, language: Language, visitor: Visitor | None, address: str
) -> dict[str, Any]:
    held = console(request)
    here = parts(request)
    brands = {brand.id: brand for brand in here.engine.brands}
    return {
        "visitor": visitor,
        "nav": held.nav,
        "here": address,
        "url": held.files.url,
        "other_language": _with(request, address, lang="en" if language == "ar" else "ar"),
        "now_ms": here.desk.clock(),
        "brand": lambda id_: _brand_name(brands, id_, language),
        "zone": lambda id_: _zone(brands, id_),
    }


def _with(request: Request, address: str, **changed: str) -> str:
    """The address of this page with other parameters."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in changed]
    # two slashes would lead to another place
    return f"/{address.lstrip('/')}?{urlencode([*kept, *changed.items()])}"


def _brand_name(brands: Mapping[str, Brand], id_: str, language: Language) -> str:
    """What a brand is called; its id where the configuration has it no more."""
    found = brands.get(watched_brand(id_))
    name = id_ if found is None else str(getattr(brand_names(found), language))
    if not is_drill(id_):
        return name
    marked: str = getattr(_responses().say("drills.name", {"name": name}), language)
    return marked


def _zone(brands: Mapping[str, Brand], id_: str) -> str:
    found = brands.get(watched_brand(id_))
    return "UTC" if found is None else found.timezone


@cache
def environment(language: Language) -> Environment:
    """The templates in a language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    made.install_gettext_translations(  # type: ignore[attr-defined]
        languages.translations(language), newstyle=True
    )
    made.globals.update(
        lang=language,
        dir="rtl" if language == "ar" else "ltr",
        say=_sayer(language),
        number=Phrases.number,
        duration=load_phrases().duration,
    )
    made.filters.update(
        mine=lambda text: getattr(text, language),
        mention=mention,
        safe_link=safe_link,
        at=at,
        ago=lambda moment, now_ms: ago(moment, now_ms, language),
    )
    return made


@cache
def _responses() -> Any:
    return load_phrases(Path(alerts.texts.__file__).with_name("response.yaml"))


def _sayer(language: Language) -> Callable[..., str]:
    """Sentences that the pipeline has in both languages, in one."""
    explained = load_phrases()

    def say(key: str, facts: Mapping[str, object] | None = None, **more: Bilingual) -> str:
        said = explained.say(key, facts, **more)
        return said.ar if language == "ar" else said.en

    return say


def mention(text: str | None, most: int = _MOST_CHARS) -> str:
    """Text of a stranger for a template: bounded, and nothing in it steers the reading order.

    Examples
    --------
    >>> mention("<b>\\u202eabc" + "x" * 5000, 8)
    '<b>abcx…'
    """
    cleaned = strip_controls((text or "")[: 2 * most])
    return cleaned if len(cleaned) <= most else f"{cleaned[: most - 1]}…"


def safe_link(url: str | None) -> str | None:
    """A stranger's link, where following it leads to a page, and to that which it seems to name.

    Examples
    --------
    >>> safe_link("https://x.example/1"), safe_link("javascript:alert(1)"), safe_link("//x")
    ('https://x.example/1', None, None)
    >>> safe_link("https://bank.example@evil.example/"), safe_link("https://x.example\\\\@evil/")
    (None, None)
    """
    if not url or len(url) > _MOST_CHARS or not url.isascii() or not url.isprintable():
        return None
    try:
        split = urlsplit(url)
    except ValueError:
        return None
    plain = split.scheme in ("http", "https") and "@" not in split.netloc and "\\" not in url
    return url if plain and split.hostname else None


def at(moment: str | int, zone: str = "UTC", layout: str = "%Y-%m-%d %H:%M") -> str:
    """A moment (RFC 3339, or milliseconds) by the clock of a time zone.

    Examples
    --------
    >>> at("2026-11-21T07:41:00Z", "Asia/Riyadh")
    '2026-11-21 10:41'
    """
    return f"{_moment(moment).astimezone(ZoneInfo(zone)):{layout}}"


def ago(moment: str | int, now_ms: int, language: Language) -> str:
    """How long ago something was, in words.

    Examples
    --------
    >>> ago(0, 7_200_000, "en"), ago(0, 7_200_000, "ar")
    ('2 hours ago', 'قبل ساعتين')
    """
    past = _moment(moment) - datetime.fromtimestamp(now_ms / 1000, UTC)
    return format_timedelta(past, add_direction=True, locale=languages.locale(language))


def _moment(moment: str | int) -> datetime:
    if isinstance(moment, str):
        return datetime.fromisoformat(moment)
    return datetime.fromtimestamp(moment / 1000, UTC)
