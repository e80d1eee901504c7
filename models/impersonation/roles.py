"""What words beside a brand's name do, such as promise support, and names of such words alone."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from ahocorasick_rs import AhoCorasick

from models.impersonation.likeness import Inside
from models.impersonation.translit import is_arabic
from models.impersonation.words import is_word, role_of

_WORDS = re.compile(r"[^\W_]+")
_PREFIXED = re.compile(r"(?:[وف]?[بك]?ال|[وف]?لل|[وفبلك])?(?=.{3})")
_DESKS = ("support", "help", "care", "service", "official", "خدم", "دعم", "عناي", "مساعد", "رسمي")


@cache
def desks() -> AhoCorasick:
    """Finds most of what `is_desk`: begins of words that ask whom to help, in both scripts."""
    return AhoCorasick(sorted(_DESKS))


def is_desk(folded: str) -> bool:
    """Whether words that promise help, and others that go with names, are all of a folded text.

    Examples
    --------
    >>> is_desk("customer care team"), is_desk("خدمه العملا"), is_desk("helping hands")
    (True, True, False)
    """
    if not any(word in folded for word in _DESKS):
        return False
    roles = [word_role(word) for word in _WORDS.findall(folded)]
    return "support" in roles and set(roles) <= {"support", "credential", "company"}


@lru_cache(1 << 14)  # names are made of the same words
def word_role(word: str) -> str:
    """Role of one word; Arabic ones also without what is attached in front."""
    role = role_of(word)
    if role or word.isascii() or not is_arabic(word):
        return role
    attached = _PREFIXED.match(word)
    return role_of(word[attached.end() :]) if attached else ""


def strongest(roles: list[str]) -> str:
    """The role that tells most."""
    order = ("topic", "support", "credential", "commerce", "company", "place")
    return min(roles, key=order.index)


def role_beside(whole: str, words: list[str], inside: Inside) -> str:
    """What stands beside a name within a handle."""
    left, right = whole[: inside.start], whole[inside.end :]
    rest = [part for part in (left, right) if part]
    if all(part.isdigit() for part in rest):
        return "digits"
    if all(len(part) == 1 for part in rest):
        return "other" if any(part in words for part in rest) else "letter"
    roles = [role_of(part) for part in rest if not part.isdigit()]
    if all(roles):
        return strongest(roles)
    text = inside.name.text
    if any(word == text for word in words) and not any(map(is_word, rest)):
        return "unknown"
    return "other"
