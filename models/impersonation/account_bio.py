"""What an account says of itself: that it is official, or that it is not; and what it hides."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from ahocorasick_rs import AhoCorasick, MatchKind

from models.impersonation.confusables import fold
from models.impersonation.words import lists

MAX_BIO_CHARS = 600  # of a biography
_BETWEEN = re.compile(r"(?:[^\w/]|_)+")
_HIDDEN = frozenset(("Cf", "Co", "Cs"))
_JOINERS = "\u200d\u200c\ufe0f"  # emoji and Persian need them


def of_biography(biography: str, shown: str) -> Iterator[tuple[str, str]]:
    """The reasons that a biography gives, and the phrase that shows each.

    Parameters
    ----------
    biography : str
    shown : str
        Display name and handle: these, too, may say that an account is a parody.

    Examples
    --------
    >>> list(of_biography("Parody account, not the bank", "Bank"))
    [('says_it_is_not', 'parody')]
    """
    bio, names = map(_said, fold([biography[:MAX_BIO_CHARS], shown]))
    disclaimer = _phrase_in(f"{names.rstrip()}{bio}", "disclaimers")
    if disclaimer:
        yield "says_it_is_not", disclaimer
        return
    role = _phrase_in(bio, "roles")
    if role:
        yield "speaks_for_itself", role
    claim = _phrase_in(bio, "official_claims")
    if claim:
        yield "claims_to_be_official", claim


def is_hiding(text: str) -> bool:
    """Whether invisible characters stand between those that are shown."""
    return not text.isprintable() and any(
        unicodedata.category(c) in _HIDDEN and c not in _JOINERS for c in set(text)
    )


def _said(folded: str) -> str:
    """Words of a text, each between spaces."""
    return f" {_BETWEEN.sub(' ', folded)} "


def _phrase_in(said: str, kind: str) -> str:
    """A phrase that stands in a text, between word ends: of several the first by letter."""
    phrases, automaton = _phrases(kind)
    hits = automaton.find_matches_as_indexes(said, overlapping=True)
    return min((phrases[which] for which, _, _ in hits), default="")


@cache
def _phrases(kind: str) -> tuple[list[str], AhoCorasick]:
    phrases = sorted(getattr(lists(), kind))
    automaton = AhoCorasick([f" {p} " for p in phrases], matchkind=MatchKind.Standard)
    return phrases, automaton
