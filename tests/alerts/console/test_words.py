"""The catalogues: nothing is missing in Arabic, nothing is left over, placeholders are the same."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Message

from alerts.console.language import FOLDER
from alerts.console.show import TEMPLATES
from tools.messages import held, untranslated, used

CATALOGUES = sorted(FOLDER.glob("*.po"))
_PLACE = re.compile(r"%\((\w+)\)s")
_ARABIC = re.compile(r"[\u0621-\u064a]")


def messages(path: str) -> dict[str, Message]:
    return {str(m.id): m for m in held(FOLDER / path) if m.id}


def test_there_is_arabic_beside_the_english_of_the_templates() -> None:
    assert [path.name for path in CATALOGUES] == ["ar.po"]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_says_what_is_used_and_nothing_else(path) -> None:  # type: ignore[no-untyped-def]
    wanted = {str(message.id) for message in used() if message.id}
    assert len(wanted) > 100
    assert messages(path.name).keys() == wanted, "run python -m tools.messages and translate"
    assert not untranslated(held(path))
    assert not any(message.fuzzy for message in held(path) if message.id)


def test_placeholders_are_the_same_in_both_languages() -> None:
    for id_, message in messages("ar.po").items():
        if isinstance(message.string, tuple):
            names = set(_PLACE.findall(message.id[1]))
            assert all(set(_PLACE.findall(text)) <= names for text in message.string), id_
        else:
            assert set(_PLACE.findall(message.string)) == set(_PLACE.findall(id_)), id_


def test_arabic_is_arabic() -> None:
    for id_, message in messages("ar.po").items():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(_ARABIC.search(text) for text in strings), id_


def test_templates_hold_no_words_outside_of_the_catalogue() -> None:
    for path in TEMPLATES.glob("*.j2"):
        text = re.sub(r"\{%\s*trans.*?endtrans\s*%\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "\0", text, flags=re.DOTALL)
        text = re.sub(
            r"<code.*?</code>|<kbd>.*?</kbd>|<[^>]*>|[\w-]+=\"[^\"]*\"", "\0", text, flags=re.DOTALL
        )
        words = [word for word in re.findall(r"[A-Za-z\u0621-\u064a]{2,}", text) if word != "UTC"]
        assert words in ([], ["English", "العربية"]), (path.name, words)
