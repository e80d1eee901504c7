"""Filling bilingual sentences: one set of facts, two languages, the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from alerts.playbook.records import Bilingual

LANGUAGES = ("ar", "en")


class Phrases:
    """Sentences by dotted key.

    Parameters
    ----------
    texts : mapping
        The content of explain.yaml.
    """

    def __init__(self, texts: Mapping[Any, Any]) -> None:
        self._texts = texts

    def say(
        self, key: str, facts: Mapping[str, object] | None = None, **bilingual: object
    ) -> Bilingual:
        """A sentence in both languages.

        Parameters
        ----------
        key : str
            Dotted key, such as ``gates.lift.passed``.
        facts : mapping
            Values that are the same in both languages.
        **bilingual : Bilingual
            Values that have a form in each language.
        """
        node: Any = self._texts
        for part in key.split("."):
            node = node[int(part) if part.isdigit() else part]
        filled = {
            language: node[language].format(
                **(facts or {}), **{k: getattr(v, language) for k, v in bilingual.items()}
            )
            for language in LANGUAGES
        }
        return Bilingual(**filled)

    def mentions(self, count: int, *, negative: bool = False) -> Bilingual:
        """A counted noun, with the plural rules of both languages (CLDR)."""
        return Bilingual(ar=_mentions_ar(count, negative), en=_mentions_en(count, negative))

    @staticmethod
    def number(value: float) -> str:
        """A number as both languages write it here: ASCII digits, one decimal below ten."""
        return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"

    @staticmethod
    def odds(surprise: float) -> str:
        """One in how many, from a surprise (minus log10 of the chance)."""
        if surprise >= 12:
            return f"10^{int(surprise)}"
        return f"{float(f'{10**surprise:.2g}'):,.0f}"


def _mentions_ar(n: int, negative: bool) -> str:
    if n in (1, 2):
        noun = "إشارة" if n == 1 else "إشارتان"
        word = ("سلبية واحدة" if n == 1 else "سلبيتان") if negative else "واحدة" if n == 1 else ""
        return f"{noun} {word}".strip()
    noun = "إشارات" if 3 <= n % 100 <= 10 else "إشارة"
    return f"{n:,} {noun}{' سلبية' if negative else ''}"


def _mentions_en(n: int, negative: bool) -> str:
    return f"{n:,} {'negative ' if negative else ''}mention{'' if n == 1 else 's'}"


def load_phrases(path: Path | None = None) -> Phrases:
    """Read the sentences that ship with Nadhir, or another file of the same shape."""
    path = path or Path(__file__).with_name("explain.yaml")
    return Phrases(yaml.safe_load(path.read_text(encoding="utf-8")))
