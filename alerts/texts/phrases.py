"""Filling bilingual sentences: one set of facts, two languages, the same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from alerts.playbook.records import Bilingual

LANGUAGES = ("ar", "en")
_COMMA = Bilingual(ar="، ", en=", ")
_SEMICOLON = Bilingual(ar="؛ ", en="; ")
_IN_SECONDS = 120
_RAREST = 12.0  # a model's tail says nothing exact beyond one in a trillion


class _Noun(NamedTuple):
    """A counted noun: forms of Arabic (CLDR, with the tamyiz of 11 to 99) and of English."""

    one: str
    two: str
    two_genitive: str
    few: str
    many: str
    rest: str
    en_one: str
    en_many: str


_MENTION = _Noun(
    "إشارة واحدة", "إشارتان", "إشارتين", "إشارات", "إشارة", "إشارة", "mention", "mentions"
)
_NEGATIVE = _Noun(
    "إشارة سلبية واحدة",
    "إشارتان سلبيتان",
    "إشارتين سلبيتين",
    "إشارات سلبية",
    "إشارة سلبية",
    "إشارة سلبية",
    "negative mention",
    "negative mentions",
)
_ACCOUNT = _Noun("حساب واحد", "حسابان", "حسابين", "حسابات", "حسابًا", "حساب", "account", "accounts")
_SECOND = _Noun("ثانية واحدة", "ثانيتان", "ثانيتين", "ثوانٍ", "ثانية", "ثانية", "second", "seconds")
_MINUTE = _Noun("دقيقة واحدة", "دقيقتان", "دقيقتين", "دقائق", "دقيقة", "دقيقة", "minute", "minutes")
_HOUR = _Noun("ساعة واحدة", "ساعتان", "ساعتين", "ساعات", "ساعة", "ساعة", "hour", "hours")
_DAY = _Noun("يوم واحد", "يومان", "يومين", "أيام", "يومًا", "يوم", "day", "days")
_MILLION = _Noun("مليون", "مليونان", "مليونين", "ملايين", "مليونًا", "مليون", "", "")
_BILLION = _Noun("مليار", "ملياران", "مليارين", "مليارات", "مليارًا", "مليار", "", "")


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

    def mentions(self, count: int, *, negative: bool = False, genitive: bool = False) -> Bilingual:
        """Mentions, counted by the plural rules of both languages.

        Parameters
        ----------
        count : int
        negative : bool
            Count negative mentions.
        genitive : bool
            Arabic after a preposition, which shows in the dual.

        Examples
        --------
        >>> phrases = Phrases({})
        >>> [phrases.mentions(n).en for n in (1, 1200)]
        ['1 mention', '1,200 mentions']
        """
        return _counted(count, _NEGATIVE if negative else _MENTION, genitive=genitive)

    def accounts(self, count: int) -> Bilingual:
        """Accounts, counted; the Arabic is genitive, as after «نحو» or «من».

        Examples
        --------
        >>> [Phrases({}).accounts(n).ar for n in (1, 2, 5, 12, 300)]
        ['حساب واحد', 'حسابين', '5 حسابات', '12 حسابًا', '300 حساب']
        """
        return _counted(count, _ACCOUNT, genitive=True)

    def how_many(self, count: int) -> Bilingual:
        """A number in place of the mentions it counts, feminine in Arabic.

        Examples
        --------
        >>> [Phrases({}).how_many(n).en for n in (1, 2, 1200)]
        ['one', '2', '1,200']
        """
        arabic = {1: "واحدة", 2: "اثنتان"}
        shown = f"{count:,}"
        return Bilingual(ar=arabic.get(count, shown), en="one" if count == 1 else shown)

    def history(self, hours: int) -> Bilingual:
        """A length of time, in hours up to two days and then in days; the Arabic is genitive."""
        if hours < 48:
            return _counted(hours, _HOUR, genitive=True)
        return _counted(hours // 24, _DAY, genitive=True)

    def duration(self, minutes: int) -> Bilingual:
        """A length of time, in whole hours or days from two on; the Arabic is genitive.

        Examples
        --------
        >>> [Phrases({}).duration(n).en for n in (5, 80, 1440, 10080)]
        ['5 minutes', '80 minutes', '24 hours', '7 days']
        """
        if minutes >= 2880 and minutes % 1440 == 0:
            return _counted(minutes // 1440, _DAY, genitive=True)
        if minutes >= 120 and minutes % 60 == 0:
            return _counted(minutes // 60, _HOUR, genitive=True)
        return _counted(minutes, _MINUTE, genitive=True)

    def gap(self, seconds: float) -> Bilingual:
        """A length of time, in seconds up to two minutes; the Arabic is nominative.

        Examples
        --------
        >>> [Phrases({}).gap(s).en for s in (0.2, 1, 45, 119, 150)]
        ['less than a second', '1 second', '45 seconds', '119 seconds', '2 minutes']
        """
        if seconds < 0.5:
            return Bilingual(ar="أقل من ثانية", en="less than a second")
        if round(seconds) < _IN_SECONDS:
            return _counted(round(seconds), _SECOND, genitive=False)
        return _counted(round(seconds / 60), _MINUTE, genitive=False)

    def when(self, first_ms: int, last_ms: int) -> Bilingual:
        """From when to when something was said, by minutes, or within how many seconds."""
        first, last = (
            f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}" for ms in (first_ms, last_ms)
        )
        seconds = ceil((last_ms - first_ms) / 1000)
        if seconds <= 0:
            return self.say("when.at", {"first": first})
        if seconds < _IN_SECONDS:
            span = _counted(seconds, _SECOND, genitive=True)
            return self.say("when.within", {"first": first}, span=span)
        return self.say("when.between", {"first": first, "last": last})

    def times(self, ratio: float) -> Bilingual:
        """A multiple of the usual, such as "3.2 times the usual"; ``ratio`` is shown as it is.

        Examples
        --------
        >>> [Phrases({}).times(r).en for r in (1.0, 1.5, 2.0, 12.0)]
        ['the same as usual', '1.5 times the usual', 'twice the usual', '12 times the usual']
        """
        shown = plain(ratio)
        if shown == "0":
            return Bilingual(ar="أقل من عُشر المعتاد", en="less than a tenth of the usual")
        if ratio < 1:
            return Bilingual(ar=f"{shown} من المعتاد", en=f"{shown} of the usual")
        if ratio == 1:
            return Bilingual(ar="مثل المعتاد", en="the same as usual")
        if ratio == 2:
            return Bilingual(ar="ضعف المعتاد", en="twice the usual")
        few = ratio == int(ratio) and 3 <= ratio % 100 <= 10
        noun = "أضعاف" if few else "ضعف"
        return Bilingual(ar=f"{shown} {noun} المعتاد", en=f"{shown} times the usual")

    def about(self, count: float) -> Bilingual:
        """An expected count in round words."""
        if count < 1:
            return Bilingual(ar="أقل من واحدة", en="less than one")
        return Bilingual(ar=f"نحو {count:,.0f}", en=f"about {count:,.0f}")

    def odds(self, surprise: float, *, digits: int = 2) -> Bilingual:
        """One in how many, from a surprise (minus log10 of the chance).

        Examples
        --------
        >>> [Phrases({}).odds(s).en for s in (5, 6.5, 40)]
        ['1 in 100,000', '1 in 3.2 million', 'less than 1 in a trillion']
        """
        if surprise >= _RAREST:
            return Bilingual(ar="أقل من 1 من تريليون", en="less than 1 in a trillion")
        count = float(f"{10**surprise:.{digits}g}")
        for least, noun, word in ((1e9, _BILLION, "billion"), (1e6, _MILLION, "million")):
            if count >= least:
                ar, en = _scaled(count / least, noun, word)
                return Bilingual(ar=f"1 من {ar}", en=f"1 in {en}")
        return Bilingual(ar=f"1 من {count:,.0f}", en=f"1 in {count:,.0f}")

    def odds_against(self, surprise: float, line: float) -> tuple[Bilingual, Bilingual]:
        """Odds of a surprise and of a line, with the digits it takes to tell them apart."""
        for digits in range(2, 6):
            pair = self.odds(surprise, digits=digits), self.odds(line, digits=digits)
            if pair[0] != pair[1] or surprise == line:
                break
        return pair

    def listed(self, items: Iterable[str]) -> Bilingual:
        """Items with the comma of each language."""
        held = list(items)
        return Bilingual(ar=_COMMA.ar.join(held), en=_COMMA.en.join(held))

    def joined(self, said: Iterable[Bilingual]) -> Bilingual:
        """Parts of a sentence with the semicolon of each language."""
        held = list(said)
        return Bilingual(
            ar=_SEMICOLON.ar.join(s.ar for s in held), en=_SEMICOLON.en.join(s.en for s in held)
        )

    @staticmethod
    def number(value: float) -> str:
        """A number as both languages write it here: ASCII digits, one decimal below ten.

        Examples
        --------
        >>> [Phrases.number(v) for v in (0.25, 3.0, 9.97, 1234.5)]
        ['0.2', '3', '10', '1,234']
        """
        return plain(rounded(value))

    @staticmethod
    def against(observed: float, needed: float) -> tuple[float, float]:
        """Round both so far that what is shown stays true: one below the other, or not.

        Examples
        --------
        >>> Phrases.against(3.234, 2.0), Phrases.against(1.96, 2.0)
        ((3.2, 2.0), (1.96, 2.0))
        """
        shown = rounded(observed), rounded(needed)
        for digits in range(1, 6):
            if (shown[0] >= shown[1]) == (observed >= needed):
                return shown
            shown = round(observed, digits), round(needed, digits)
        return shown


def rounded(value: float) -> float:
    """One decimal below ten, else none."""
    near = round(value, 1)
    return near if abs(near) < 10 else float(round(value))


def plain(value: float) -> str:
    """A number with thousands separators and the decimals it has.

    Examples
    --------
    >>> plain(1234.0), plain(1.96)
    ('1,234', '1.96')
    """
    return f"{value:,}".removesuffix(".0")


def _counted(n: int, noun: _Noun, *, genitive: bool) -> Bilingual:
    return Bilingual(
        ar=_counted_ar(n, noun, genitive=genitive),
        en=f"{n:,} {noun.en_one if n == 1 else noun.en_many}",
    )


def _counted_ar(n: int, noun: _Noun, *, genitive: bool) -> str:
    if n == 1:
        return noun.one
    if n == 2:
        return noun.two_genitive if genitive else noun.two
    last = n % 100
    form = noun.few if 3 <= last <= 10 else noun.many if last > 10 else noun.rest
    return f"{n:,} {form}"


def _scaled(count: float, noun: _Noun, word: str) -> tuple[str, str]:
    count = float(f"{count:.6g}")
    if count == int(count):
        ar = _counted_ar(int(count), noun, genitive=True)
    else:
        ar = f"{plain(count)} {noun.rest}"
    return ar, f"{plain(count)} {word}"


def load_phrases(path: Path | None = None) -> Phrases:
    """Read the sentences that ship with Nadhir, or another file of the same shape."""
    path = path or Path(__file__).with_name("explain.yaml")
    return Phrases(yaml.safe_load(path.read_text(encoding="utf-8")))
