"""Words that names are made of: plain English, and what impostors put beside a brand's name.

The plain words (models/artifacts/words_en.txt, from SCOWL) tell that ``line`` in ``online`` is no
brand; the lists of models/artifacts/impersonation.json are read by what their words do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

import msgspec
from ahocorasick_rs import AhoCorasick

from models.impersonation.confusables import fold
from models.impersonation.laid import LONGEST, MAX_CHARS, Laid
from models.impersonation.prefilter import lines_with

_FOLDER = Path(__file__).parents[1] / "artifacts"


class Lists(msgspec.Struct, frozen=True, kw_only=True):
    """Word lists by what the words do beside a name; all folded (`confusables.fold`)."""

    credential: frozenset[str]
    commerce: frozenset[str]
    support: frozenset[str]
    company: frozenset[str]
    place: frozenset[str]
    suffix: frozenset[str]
    legal: frozenset[str]
    kind: frozenset[str]
    shorteners: frozenset[str]
    shared_hosts: frozenset[str]
    cheap_suffixes: frozenset[str]
    desk: frozenset[str]
    topic: frozenset[str]
    disclaimers: frozenset[str]
    roles: frozenset[str]
    official_claims: frozenset[str]

    @property
    def affixes(self) -> frozenset[str]:
        """Every word that is put before or after a brand's name."""
        return (
            self.credential | self.commerce | self.support | self.company | self.place | self.suffix
        )


@cache
def lists() -> Lists:
    """The lists that ship, read once."""
    raw = msgspec.json.decode(
        (_FOLDER / "impersonation.json").read_bytes(), type=dict[str, list[str]]
    )
    return msgspec.convert({key: fold(words) for key, words in raw.items()}, Lists)


@cache
def _affixes() -> frozenset[str]:
    return lists().affixes


@cache
def _words() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Plain words, words that are names too, and names that are no words."""
    found: dict[str, set[str]] = {"": set(), "*": set(), "^": set()}
    for line in (_FOLDER / "words_en.txt").read_text(encoding="ascii").splitlines():
        if not line.startswith("#"):
            word = line.rstrip("*^")
            found[line[len(word) :]].add(word)
    return frozenset(found[""]), frozenset(found["*"]), frozenset(found["^"])


@cache
def _joined() -> str:
    return "\n".join(word for words in _words() for word in words)


def is_in_words(text: str) -> bool:
    """Whether letters follow each other so in some word: then they do by chance elsewhere too.

    Examples
    --------
    >>> is_in_words("ubs"), is_in_words("jcb")
    (True, False)
    """
    return text in _joined()


def found_in_words(texts: Iterable[str]) -> frozenset[str]:
    """Those of many texts of which `is_in_words` says yes, in one pass over the list."""
    asked = sorted({text for text in texts if text and text.isascii()})
    hits = AhoCorasick(asked).find_matches_as_indexes(_joined(), overlapping=True) if asked else ()
    return frozenset(asked[which] for which, _, _ in hits)


def is_plain(word: str) -> bool:
    """Whether a word says something else than a name.

    Examples
    --------
    >>> is_plain("office"), is_plain("amazon"), is_plain("smbc")
    (True, False, False)
    """
    return word in _words()[0]


def may_be_name(word: str) -> bool:
    """Whether a word is written as a name too, or is so rare that it well may be one."""
    return word in _words()[1]


def is_word(word: str) -> bool:
    """Whether a word is in the list, name or not."""
    return any(word in words for words in _words())


def is_covered(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` is better read as a part of other words.

    One longer word holds it (its plural does not count), or the text is
    words that end elsewhere.

    Examples
    --------
    >>> is_covered("compraonline", 8, 12), is_covered("lineoe", 0, 4)
    (True, False)
    """
    first = max(0, end - LONGEST)
    for low, high in _text_words().spans(text[first : start + LONGEST]):
        low, high = low + first, high + first
        longer = low <= start and high >= end and high - low > end - start
        is_plural = low == start and text[end:high] in ("s", "es")
        if longer and not is_plural and is_word(text[low:high]):
            return True
    if not is_text(text):
        return False
    return any(part and not is_text(part) for part in (text[:start], text[end:]))


def word_ends(text: str) -> tuple[list[int], list[int]]:
    """Letters of what may be a word at the begin of a text, and at its end; the longest first.

    Examples
    --------
    >>> word_ends("greenxmountain")
    ([5, 2], [8, 2])
    """
    begins, ends = {2}, {2}
    for start, end in _text_words().spans(text):
        if start == 0:
            begins.add(end)
        if end == len(text):
            ends.add(end - start)
    return sorted(begins, reverse=True), sorted(ends, reverse=True)


def is_affix(text: str) -> bool:
    """Whether a text is empty, digits, or made of words that go with a brand's name.

    Examples
    --------
    >>> is_affix("loginuk"), is_affix("2024"), is_affix("furniture")
    (True, True, False)
    """
    text = text.strip("0123456789")
    return not text or text in _affixes() or _affix_words().makes(text)


def is_known(word: str) -> bool:
    """Whether one word goes with a brand's name."""
    return word in _affixes()


def is_company(text: str) -> bool:
    """Whether a word says no more than that it is a company, so that any may have it."""
    return text in lists().company and text not in lists().commerce


def is_bait(text: str) -> bool:
    """Whether a word promises help or asks to log in: what impostors write most."""
    return text in lists().credential or text in lists().support


def is_text(text: str) -> bool:
    """Whether a text is made of words.

    Examples
    --------
    >>> is_text("greenmountain"), is_text("qxzvk")
    (True, False)
    """
    return _text_words().makes(text)


@lru_cache(1 << 14)
def role_of(text: str) -> str:
    """What a word, or words laid end to end, do beside a name; empty if they are unknown.

    Returns
    -------
    str
        ``topic`` (people who talk about it), ``support``, ``credential``, ``commerce``,
        ``company``, ``place`` or empty; of several words the first in this order.

    Examples
    --------
    >>> role_of("helpuk"), role_of("news"), role_of("uae"), role_of("smith")
    ('support', 'topic', 'place', '')
    """
    roles = _roles()
    role = roles.get(text, "")
    if role or not 2 * _MIN_ROLE_CHARS - 1 <= len(text) <= MAX_CHARS:
        return role
    found, most = {""}, len(text) - 1
    for size in _begun().get(text[:_MIN_ROLE_CHARS], ()):
        if size <= most and text[:size] in roles and _is_role_text(text[size:]):
            found.update((roles[text[:size]], roles.get(text[size:], "")))
    for size in _ended().get(text[-_MIN_ROLE_CHARS:], ()):
        if size <= most and text[-size:] in roles and _is_role_text(text[:-size]):
            found.update((roles[text[-size:]], roles.get(text[:-size], "")))
    return next((role for role in _ROLES if role in found), "")


def may_have_role(lines: Sequence[str]) -> list[int]:
    """Numbers of the lines in which a word may have a role or be a number; the others have none.

    Parameters
    ----------
    lines : sequence of str
        Words of ASCII, lower case, with spaces between them.
    """
    padded = " " + " \n ".join(lines) + " "
    return sorted(lines_with(_role_ends(), padded))


_ROLES = ("topic", "support", "credential", "commerce", "company", "place")
_MIN_ROLE_CHARS = 3
_DIGITS = "0123456789"
_COUNTRIES = frozenset(("us", "uk", "sa", "ae", "eg", "qa", "jp", "eu"))


@cache
def _roles() -> dict[str, str]:
    """The role of each word; of several the first."""
    found = {word: role for role in reversed(_ROLES) for word in getattr(lists(), role)}
    return found | dict.fromkeys(lists().desk - lists().topic, "support")


@cache
def _role_ends() -> AhoCorasick:
    """Finds how words with a role begin and end, short ones whole, and numbers."""
    ends = [f" {digit}" for digit in range(10)]
    for word in _roles():
        ends += (f" {word}", f"{word} ") if len(word) >= _MIN_ROLE_CHARS else (f" {word} ",)
    return AhoCorasick(ends)


@cache
def _begun() -> dict[str, tuple[int, ...]]:
    """Lengths of the words with a role, by their first letters."""
    return _lengths((word[:_MIN_ROLE_CHARS], word) for word in _roles())


@cache
def _ended() -> dict[str, tuple[int, ...]]:
    """The same by their last letters."""
    return _lengths((word[-_MIN_ROLE_CHARS:], word) for word in _roles())


def _lengths(words: Iterable[tuple[str, str]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for letters, word in words:
        if len(word) >= _MIN_ROLE_CHARS:
            found.setdefault(letters, set()).add(len(word))
    return {letters: tuple(sorted(sizes)) for letters, sizes in found.items()}


def _is_role_text(text: str) -> bool:
    """Whether digits, a country or words with a role are all that is left."""
    if len(text) < _MIN_ROLE_CHARS:
        return text in _COUNTRIES or text.isdigit()
    return text.isdigit() or _role_words().makes(text) or _role_words().makes(text.rstrip(_DIGITS))


@cache
def _role_words() -> Laid:
    return Laid(word for word in _roles() if len(word) >= _MIN_ROLE_CHARS)


@cache
def _affix_words() -> Laid:
    return Laid(word for word in _affixes() if len(word) > 1 or word in "iem")


@cache
def _text_words() -> Laid:
    plain, either, names = _words()
    joints = {word for word in (*plain, *either, *_affixes()) if len(word) > 2}
    return Laid((*joints, *names), joints)
