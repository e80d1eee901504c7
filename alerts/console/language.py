"""Languages of the console: message catalogues of gettext, read as they are, without a build step.

Texts in templates and code are English and are what a catalogue goes by; ``locale/ar.po`` says
them in Arabic.  What the pipeline says (titles, explanations) is in both languages already.
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request

from alerts.playbook.records import LANGUAGES, Language

FOLDER = Path(__file__).with_name("locale")
COOKIE = "nadhir-language"


def N_(text: str) -> str:  # noqa: N802 (the name by which extraction knows it)
    """Mark a text that is translated where it is shown."""
    return text


@cache
def translations(language: Language) -> gettext.NullTranslations:
    """The messages of a language.

    Examples
    --------
    >>> translations("en").gettext("Now"), translations("ar").gettext("Now")
    ('Now', 'الآن')
    """
    path = FOLDER / f"{language}.po"
    if not path.exists():  # the texts themselves are English
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def asked(request: Request) -> Language | None:
    """The language that a request chooses by ``?lang=``."""
    return _known(request.query_params.get("lang"))


def language_of(request: Request) -> Language:
    """In which language to answer: chosen now, chosen before, or what the browser prefers."""
    chosen = asked(request) or _known(request.cookies.get(COOKIE))
    return chosen or preferred(request.headers.get("accept-language", ""))


def preferred(accepted: str) -> Language:
    """The first of our languages that a browser names; English if it names none.

    Examples
    --------
    >>> preferred("fr-FR, ar-SA;q=0.8, en;q=0.7"), preferred("fr"), preferred("")
    ('ar', 'en', 'en')
    """
    names = [part.partition(";")[0].strip()[:2].lower() for part in accepted[:500].split(",")]
    return next((found for name in names if (found := _known(name))), "en")


def _known(name: str | None) -> Language | None:
    return next((language for language in LANGUAGES if language == name), None)


@cache
def locale(language: Language) -> Locale:
    """What Babel knows of a language, such as how it says that something was an hour ago."""
    return Locale.parse(language)
